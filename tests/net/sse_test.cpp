#include "understudy/net/sse.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "../llm/stream_fixtures.hpp"
#include "understudy/text/json_writer.hpp"

using namespace understudy;
using stream_fixtures::bytewise;
using stream_fixtures::fixture;

namespace {

struct Parsed {
  std::vector<std::string> blocks;  // as JSON: name, data, id; heartbeats as ":"
  std::string raw;
  std::size_t events = 0;
  std::size_t heartbeats = 0;
  std::size_t pending = 0;
  std::optional<std::uint64_t> retry;

  bool operator==(const Parsed&) const = default;
};

Parsed parse(const std::vector<std::string_view>& pieces) {
  SseParser sse;
  Parsed parsed;
  for (const auto piece : pieces) {
    const std::vector<char> memory(piece.begin(), piece.end());
    sse.feed({memory.data(), memory.size()});
    while (const SseBlock* block = sse.next()) {
      parsed.raw += block->raw;
      if (block->heartbeat) {
        ++parsed.heartbeats;
        parsed.blocks.emplace_back(":");
        continue;
      }
      ++parsed.events;
      JsonWriter(parsed.blocks.emplace_back())
          .begin_object()
          .member("event", block->name.empty() ? "message" : block->name)
          .member("data", block->data)
          .member("id", sse.last_event_id())
          .end_object();
    }
  }
  CHECK_FALSE(sse.error());
  parsed.pending = sse.pending();
  parsed.retry = sse.retry_milliseconds();
  return parsed;
}

std::vector<std::string> blocks_of(std::string_view text) { return parse({text}).blocks; }

}  // namespace

TEST_CASE("the torture stream gives the events that a strict parser dispatches") {
  const auto bytes = fixture("sse_framing_torture.sse");
  const auto parsed = parse({bytes});
  std::vector<std::string> wanted;
  const simdjson::dom::element expected =
      stream_fixtures::expectations()["sse_framing_torture.sse"];
  for (const simdjson::dom::object event : expected["events"].get_array()) {
    JsonWriter(wanted.emplace_back())
        .begin_object()
        .member("event", std::string_view(event["event"]))
        .member("data", std::string_view(event["data"]))
        .member("id", std::string_view(event["id"]))
        .end_object();
  }
  std::vector<std::string> events;
  for (const auto& block : parsed.blocks) {
    if (block != ":") {
      events.push_back(block);
    }
  }
  CHECK(events == wanted);
  CHECK(parsed.retry == 2500);
  CHECK(parsed.pending > 0);
}

TEST_CASE("every stream gives the same blocks whole, byte by byte, and cut anywhere") {
  const simdjson::dom::object all = stream_fixtures::expectations();
  for (const auto [key, expected] : all) {
    CAPTURE(key);
    const auto bytes = fixture(std::string(key));
    const auto whole = parse({bytes});
    CHECK(whole.events == std::uint64_t(expected["dispatched"]));
    CHECK((whole.pending > 0) ==
          (std::uint64_t(expected["pending_line_bytes"]) > 0 || bool(expected["pending_data"])));
    CHECK(whole.raw + bytes.substr(bytes.size() - whole.pending) == bytes);
    CHECK(parse(bytewise(bytes)).blocks == whole.blocks);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      const std::string_view view(bytes);
      const auto parts = parse({view.substr(0, cut), view.substr(cut)});
      REQUIRE_MESSAGE(parts.blocks == whole.blocks, cut);
      REQUIRE(parts.raw + bytes.substr(bytes.size() - parts.pending) == bytes);
    }
  }
}

TEST_CASE("comments, and blocks without data, are heartbeats") {
  CHECK(parse({": keep-alive\n\n:\n\nevent: ping\n\n\nid: 1\n\n"}).heartbeats == 5);
  CHECK(parse({fixture("deepseek_keepalive_reasoning.sse")}).heartbeats == 5);
  CHECK(blocks_of("data\n\n") ==
        std::vector<std::string>{R"({"event":"message","data":"","id":""})"});
}

TEST_CASE("a CR ends an event at once, and the LF after it is not a separate line") {
  for (const auto& pieces :
       std::vector<std::vector<std::string_view>>{{"data: a\r\n\r\ndata: b\r\n\r\n"},
                                                  {"data: a\r", "\n\r", "\ndata: b\r\n\r", "\n"},
                                                  {"data: a\r\rdata: b\r\r"},
                                                  {"data: a\r", "\r", "data: b\r", "\r"}}) {
    const auto parsed = parse(pieces);
    CHECK(parsed.events == 2);
    CHECK(parsed.heartbeats == 0);
  }
  SseParser sse;
  sse.feed("data: a\r\n\r");
  CHECK(sse.next() != nullptr);
}

TEST_CASE("a block within one piece is not copied, and simdjson's padding is always there") {
  const std::string piece = "data: one\n\ndata: two\n\n" + std::string(sse_padding, ' ');
  const std::string_view body = std::string_view(piece).substr(0, 22);
  const auto inside = [&](std::string_view view) {
    return view.data() >= piece.data() && view.data() < piece.data() + piece.size();
  };
  SseParser sse;
  sse.feed(body, sse_padding);
  const auto* first = sse.next();
  REQUIRE(first != nullptr);
  CHECK(inside(first->data));
  const auto* second = sse.next();
  REQUIRE(second != nullptr);
  CHECK(inside(second->data));
  CHECK(inside(second->raw));
  CHECK(sse.next() == nullptr);

  sse.feed(body);  // nothing may be read beyond it
  const auto* copied = sse.next();
  REQUIRE(copied != nullptr);
  CHECK_FALSE(inside(copied->data));
  CHECK(copied->data == "one");
  CHECK(sse.next()->data == "two");
  CHECK(copied->data == "two");  // the SseBlock is one; the views before it are still good
  CHECK(sse.next() == nullptr);
}

TEST_CASE("a block beyond the bound is a typed error, in one piece or in many") {
  const std::string line = "data: " + std::string(100, 'x') + "\n";
  struct Case {
    std::string bytes;
    bool too_long;
  };
  for (const auto& [bytes, too_long] :
       {Case{line + "\n", false}, Case{line + line + "\n", true}, Case{std::string(150, 'x'), true},
        Case{line + "\n" + line + "\n" + line + "\n", false}}) {
    SseParser whole(130);
    whole.feed(bytes);
    while (whole.next() != nullptr) {
    }
    CHECK((whole.error() == SseError::block_too_long) == too_long);
    SseParser parts(130);
    for (const auto byte : bytewise(bytes)) {
      parts.feed(byte);
      while (parts.next() != nullptr) {
      }
    }
    CHECK((parts.error() == SseError::block_too_long) == too_long);
  }
  SseParser failed(4);
  failed.feed("data: too long\n\n");
  CHECK(failed.next() == nullptr);
  failed.feed("\n\n");
  CHECK(failed.next() == nullptr);
  CHECK(failed.error().message() == "an event of the stream is too long");
}

TEST_CASE("a byte order mark is dropped at the very begin alone") {
  CHECK(parse({"\xEF\xBB\xBF"
               "data: a\n\n"})
            .events == 1);
  CHECK(parse({"\xEF", "\xBB", "\xBF", "data: a\n\n"}).events == 1);
  CHECK(parse({"\n\xEF\xBB\xBF"
               "data: a\n\n"})
            .events == 0);
}

TEST_CASE("a block of exactly the longest size is accepted, wherever its last CR LF is cut") {
  const std::string stream = "data: abc\r\n\r\n";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    SseParser sse(stream.size() - 1);
    std::size_t blocks = 0;
    for (const auto& piece : {stream.substr(0, cut), stream.substr(cut)}) {
      sse.feed(piece);
      while (sse.next() != nullptr) {
        ++blocks;
      }
    }
    CHECK(blocks == 1);
    CHECK_FALSE(sse.error());
  }
}

namespace {

/// With the proper end of the stream: data and source of each block; heartbeats as ":".
std::vector<std::string> to_the_end(const std::vector<std::string_view>& pieces) {
  SseParser sse;
  std::vector<std::string> blocks;
  std::string raw;
  std::vector<std::string_view> views;  // all must stay valid until the next feed
  const auto drain = [&] {
    while (const SseBlock* block = sse.next()) {
      const std::string_view source = block->source == SseSource::data          ? "data "
                                      : block->source == SseSource::error_field ? "error "
                                                                                : "bare ";
      blocks.push_back(
          block->heartbeat
              ? ":"
              : std::string(source).append(block->name).append("|").append(block->data));
      if (block->data_at != std::string_view::npos) {
        CHECK(block->raw.substr(block->data_at, block->data.size()) == block->data);
      }
      views.push_back(block->raw);
    }
    for (const auto view : views) {
      raw += view;
    }
    views.clear();
  };
  std::string all;
  for (const auto piece : pieces) {
    all += piece;
    const std::vector<char> memory(piece.begin(), piece.end());
    sse.feed({memory.data(), memory.size()});
    drain();
  }
  sse.end();
  drain();
  CHECK_FALSE(sse.error());
  CHECK(all.starts_with(raw));
  return blocks;
}

using Blocks = std::vector<std::string>;

}  // namespace

TEST_CASE("an error that llama.cpp puts into a field of its own is a block of its own") {
  CHECK(to_the_end({"error: {\"code\":400}\n\ndata: [DONE]\n\n"}) ==
        Blocks{"error |{\"code\":400}", "data |[DONE]"});
  CHECK(to_the_end({"data: a\nerror: b\nerror: c\ndata: d\n\n"}) ==
        Blocks{"data |a", "error |b\nc", "data |d"});
  CHECK(to_the_end({"data: a\n\nerror: b"}) == Blocks{"data |a", "error |b"});
  CHECK(to_the_end({"data: a\n\ndata: b"}) == Blocks{"data |a"});  // as the specification says
}

TEST_CASE(
    "JSON without a field name is a block of its own, pretty-printed or not, to the very end") {
  CHECK(to_the_end({R"({"error":{"message":"m"}})"}) ==
        Blocks{R"(bare |{"error":{"message":"m"}})"});
  CHECK(to_the_end({"{\n  \"error\": {\n    \"message\": \"m\"\n  }\n}\n"}) ==
        Blocks{"bare |{\n  \"error\": {\n    \"message\": \"m\"\n  }\n}"});
  CHECK(to_the_end({"data: a\n\n[{\"error\":1}]\nevent: e\ndata: b\n\n"}) ==
        Blocks{"data |a", "bare |[{\"error\":1}]", "data e|b"});
  CHECK(to_the_end({"event: error\n{\"message\":\"m\"}\n\n"}) ==
        Blocks{"bare error|{\"message\":\"m\"}"});
  CHECK(to_the_end({"[DONE]\n\nInternal Server Error\n\n"}) == Blocks{":", ":"});
}

TEST_CASE("an id before a comment breaks nothing") {
  CHECK(to_the_end({"id: 7\n: comment\ndata: a\n\n"}) == Blocks{"data |a"});
  CHECK(to_the_end({"id: 7\n\n: comment\n\ndata: a\n\n"}) == Blocks{":", ":", "data |a"});
}

TEST_CASE("blocks of errors do not depend on where the stream is cut") {
  for (const std::string bytes :
       {"data: a\nerror: b\r\n{\"x\":\r\n1}\nid: 3\ndata: c\n\n{\n\"y\": 2\n}\n",
        "event: e\rerror: b\rdata: c\r\r{\r[{\rerror: x",
        "\xEF\xBB\xBF{\"error\":\"e\"}\ndata: d\n\n"}) {
    CAPTURE(bytes);
    const auto whole = to_the_end({bytes});
    CHECK(to_the_end(bytewise(bytes)) == whole);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      const std::string_view view(bytes);
      REQUIRE_MESSAGE(to_the_end({view.substr(0, cut), view.substr(cut)}) == whole, cut);
    }
  }
}
