#include "understudy/net/detail/http_parser.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace understudy;
using detail::HttpParser;
using Role = HttpParser::Role;

namespace {

const std::string status_line = "HTTP/1.1 200 OK\r\n";

struct ParsedMessage {
  std::string body;
  error_code code;
  bool done = false;
  bool keep_alive = false;
  HttpHead head;
};

/// Feeds the message in pieces of `step` bytes, and its end.
ParsedMessage parse(Role role, std::string_view message, std::size_t step,
                    std::uint64_t limit = 0) {
  HttpParser parser(role, limit);
  ParsedMessage parsed;
  std::string pending;
  for (std::size_t at = 0; at < message.size() && !parser.done(); at += step) {
    pending += message.substr(at, step);
    bool more = true;
    while (more && !pending.empty() && !parser.done()) {
      const bool in_head = !parser.head_done();
      auto result = in_head ? parser.parse_head(pending) : parser.parse_body(pending);
      if (result.has_error()) {
        parsed.code = result.error().code;
        return parsed;
      }
      parsed.body += result->body;
      pending.erase(0, result->consumed);
      more = in_head ? parser.head_done() : !result->body.empty();
    }
  }
  if (!parser.done()) {
    if (const auto error = parser.end()) {
      parsed.code = error->code;
      return parsed;
    }
  }
  parsed.done = parser.done();
  parsed.keep_alive = parser.keep_alive();
  parsed.head = parser.head();
  return parsed;
}

ParsedMessage response(std::string_view message, std::size_t step = 1, std::uint64_t limit = 0) {
  return parse(Role::response, message, step, limit);
}

const std::string ok_line = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok_line + "transfer-encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("the same message, however it is cut") {
  struct Row {
    std::string message;
    const char* body;
    bool keep_alive;
  };
  const Row rows[] = {
      {ok_line + "content-length: 5\r\n\r\nhello", "hello", true},
      {ok_line + "content-length: 5\r\nconnection: close\r\n\r\nhello", "hello", false},
      {ok_line + "\r\nto the end", "to the end", false},
      {chunked + "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", "hello world", true},
      {chunked + "0\r\n\r\n", "", true},
      {chunked + "000\r\n\r\n", "", true},
      {chunked + "A\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n", "0123456789", true},
      {chunked + "1\r\n0\r\n1\r\n0\r\n0\r\n\r\n", "00", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", "", true},
      {"HTTP/1.0 200 \r\n\r\nold", "old", false},
  };
  for (const auto& row : rows) {
    for (std::size_t step = 1; step <= row.message.size(); ++step) {
      CAPTURE(row.message);
      CAPTURE(step);
      const auto parsed = response(row.message, step);
      CHECK(!parsed.code);
      CHECK(parsed.done);
      CHECK(parsed.body == row.body);
      CHECK(parsed.keep_alive == row.keep_alive);
    }
  }
}

TEST_CASE("chunks of one read are moved together") {
  HttpParser parser(Role::response, 0);
  std::string head = chunked;
  REQUIRE(parser.parse_head(head).has_value());
  std::string bytes = "5\r\nhello\r\n7\r\n, world\r\n1\r\n!\r\n";
  const auto step = parser.parse_body(bytes);
  REQUIRE(step.has_value());
  CHECK(step->body == "hello, world!");
  CHECK(step->consumed == bytes.size() - 2);  // the last line end belongs to what comes
  CHECK(step->body.data() == bytes.data() + 3);
}

TEST_CASE("a message that is cut is never a finished one") {
  for (const std::string& message :
       {ok_line + "content-length: 5\r\n\r\nhello", chunked + "5\r\nhello\r\n0\r\n\r\n"}) {
    for (std::size_t size = 0; size < message.size(); ++size) {
      CAPTURE(size);
      CHECK(response(message.substr(0, size), 7).code == NetFault::truncated);
    }
  }
}

TEST_CASE("what is refused, and by which name") {
  struct Row {
    std::string message;
    NetFault fault;
  };
  const Row rows[] = {
      {ok_line + "content-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
       NetFault::content_encoding},
      {ok_line + "transfer-encoding: gzip, chunked\r\n\r\n", NetFault::transfer_encoding},
      {ok_line + "transfer-encoding: gzip\r\n\r\n", NetFault::transfer_encoding},
      {ok_line + "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
       NetFault::transfer_encoding},
      {ok_line + "content-length: 5\r\ncontent-length: 6\r\n\r\n", NetFault::malformed},
      {ok_line + "content-length: -1\r\n\r\n", NetFault::malformed},
      {ok_line + "content-length: 99999999999999999999\r\n\r\n", NetFault::malformed},
      {ok_line + "x: " + std::string(20000, 'a') + "\r\n\r\n", NetFault::header_too_large},
      {std::string(20000, 'a'), NetFault::malformed},
      {"HTTP/2 200\r\n\r\n", NetFault::malformed},
      {"HTTP/1.1 2x0 OK\r\n\r\n", NetFault::malformed},
      {"SSH-2.0-OpenSSH_9.2\r\n", NetFault::malformed},
      {ok_line + "a b: c\r\n\r\n", NetFault::malformed},
      {ok_line + "a: b\nc: d\r\n\r\n", NetFault::malformed},
      {chunked + "zz\r\n", NetFault::malformed},
      {chunked + "5\r\nhelloXX\r\n0\r\n\r\n", NetFault::malformed},
      {chunked + "ffffffffffffffffff\r\n", NetFault::malformed},
      {chunked + "1;" + std::string(20000, 'a'), NetFault::header_too_large},
      {chunked + "0\r\nx: " + std::string(20000, 'a'), NetFault::header_too_large},
  };
  for (const auto& row : rows) {
    for (const std::size_t step : {9U, 100U}) {  // byte by byte Beast waits for the head's end
      CAPTURE(row.message.substr(0, 80));
      CAPTURE(step);
      const auto parsed = response(row.message, step);
      CHECK(parsed.code == row.fault);
      CHECK(!parsed.done);
    }
  }
}

TEST_CASE("a head has one bound for all of its fields, however it is cut") {
  const std::string field = "x: " + std::string(status_line.size() - 4, 'v') + "\r\n";
  std::string endless = status_line;
  while (endless.size() < 2 * detail::read_buffer_size) {
    endless += field;
  }
  const auto head_of_size = [&](std::size_t size) {
    const std::string start = status_line + field + "y: ";
    return start + std::string(size - start.size() - 4, 'v') + "\r\n\r\n";
  };
  // The first of these cuts every line one byte behind its end: Beast then takes it at once.
  for (const std::size_t step : {field.size(), std::size_t{7}, std::size_t{4000}}) {
    CAPTURE(step);
    CHECK(response(endless + "\r\n", step).code == NetFault::header_too_large);
    CHECK(!response(head_of_size(detail::read_buffer_size), step).code);
    CHECK(response(head_of_size(detail::read_buffer_size + 1), step).code ==
          NetFault::header_too_large);
  }
}

TEST_CASE(
    "a trailer is dropped, and has a bound of its own for all of its fields, however it is cut") {
  const std::string field = "x-trailer: 1\r\n";
  const std::string large_head =
      status_line + "transfer-encoding: chunked\r\nx: " + std::string(12000, 'a') + "\r\n\r\n";
  std::string trailer = "0\r\n";
  while (trailer.size() < 12000) {
    trailer += field;
  }
  std::string endless = trailer;
  while (endless.size() < 2 * detail::read_buffer_size) {
    endless += field;
  }
  for (const std::size_t step : {field.size(), std::size_t{7}, std::size_t{3}, std::size_t{4000}}) {
    CAPTURE(step);
    const auto parsed = response(large_head + "2\r\nhi\r\n" + trailer + "\r\n", step);
    CHECK(!parsed.code);
    CHECK(parsed.done);
    CHECK(parsed.body == "hi");
    CHECK(parsed.head.headers.size() == 2);
    CHECK(response(large_head + endless + "\r\n", step).code == NetFault::header_too_large);
  }
}

TEST_CASE("a chunk's extensions have one bound, however they are cut") {
  const auto extended = [](std::size_t size) {
    return chunked + "2;x=" + std::string(size, 'a') + "\r\nhi\r\n0\r\n\r\n";
  };
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{30000}}) {
    CAPTURE(step);
    CHECK(response(extended(10000), step).body == "hi");
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
    CAPTURE(step);
    CHECK(response(extended(20000), step).code == NetFault::header_too_large);
  }
}

TEST_CASE("a compressed error is handed out, since its status counts") {
  const auto parsed =
      response("HTTP/1.1 429 Slow\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx");
  CHECK(parsed.done);
  CHECK(parsed.head.status == 429);
}

TEST_CASE("a folded field of a response is one field") {
  const auto parsed = response(ok_line + "x-a: one\r\n two\r\ncontent-length: 0\r\n\r\n", 1);
  CHECK(parsed.done);
  CHECK(parsed.head.headers.find("x-a") == "one two");
}

TEST_CASE("a body's bound") {
  CHECK(response(ok_line + "content-length: 9\r\n\r\n", 1, 8).code == NetFault::body_too_large);
  CHECK(response(chunked + "8\r\n01234567\r\n1\r\nx\r\n", 1, 8).code == NetFault::body_too_large);
  CHECK(response(ok_line + "\r\n012345678", 1, 8).code == NetFault::body_too_large);
  CHECK(response(chunked + "8\r\n01234567\r\n0\r\n\r\n", 1, 8).body == "01234567");
}

TEST_CASE("what came before an error is given out before it") {
  HttpParser parser(Role::response, 0);
  std::string head = chunked;
  REQUIRE(parser.parse_head(head).has_value());
  std::string bytes = "5\r\nhello\r\nzz\r\n";
  const auto step = parser.parse_body(bytes);
  REQUIRE(step.has_value());
  CHECK(step->body == "hello");
  std::string rest = bytes.substr(step->consumed);
  CHECK(parser.parse_body(rest).error().code == NetFault::malformed);
}

TEST_CASE("requests") {
  const auto parsed =
      parse(Role::request, "POST /v1/x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 1);
  CHECK(parsed.done);
  CHECK(parsed.head.method == "POST");
  CHECK(parsed.head.target == "/v1/x?y");
  CHECK(parsed.head.headers.find("host") == "a");
  CHECK(parsed.body == "{}");
  CHECK(parse(Role::request, "GET / HTTP/1.0\r\n\r\n", 1).head.minor_version == 0);
  CHECK(parse(Role::request, "GET / HTTP/1.1\r\ntransfer-encoding: x\r\n\r\n", 1).code ==
        NetFault::transfer_encoding);
  CHECK(parse(Role::request, "GET /\r\n\r\n", 1).code == NetFault::malformed);
  for (const std::string fold : {"\r\n two", "\r\n\ttwo", "\r\n \r\n two"}) {
    for (const std::size_t step : {1U, 2U, 7U, 100U}) {
      const auto folded = "GET / HTTP/1.1\r\nhost: a\r\nx-a: one" + fold + "\r\n\r\n";
      CAPTURE(folded);
      CAPTURE(step);
      CHECK(parse(Role::request, folded, step).code == NetFault::malformed);
    }
  }
  CHECK(parse(Role::request, "GET / HTTP/1.1\r\ncontent-length: 9\r\n\r\n", 1, 8).code ==
        NetFault::body_too_large);
}
