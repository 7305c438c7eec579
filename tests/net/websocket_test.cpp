#include "understudy/net/websocket.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../growth.hpp"

using namespace understudy;
using Kind = WebSocketKind;

namespace {

/// A frame as clients send it.
std::string frame(unsigned first, std::string_view payload, bool masked = true,
                  std::string mask = "\x01\x02\x03\x04") {
  std::string out(1, static_cast<char>(first));
  const auto flag = masked ? 0x80U : 0U;
  if (payload.size() < 126) {
    out += static_cast<char>(flag | payload.size());
  } else if (payload.size() <= 0xFFFF) {
    out += static_cast<char>(flag | 126U);
    out += static_cast<char>(payload.size() >> 8U);
    out += static_cast<char>(payload.size() & 0xFFU);
  } else {
    out += static_cast<char>(flag | 127U);
    for (int i = 7; i >= 0; --i) {
      out += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8 * i) & 0xFFU);
    }
  }
  if (masked) {
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
      out += static_cast<char>(payload[i] ^ mask[i % 4]);
    }
  } else {
    out += payload;
  }
  return out;
}

struct Seen {
  std::vector<std::string> messages;  // "1:text"
  std::uint16_t failure = 0;
};

Seen decoded(std::string_view bytes, std::size_t piece, std::size_t longest = 1 << 20) {
  WebSocketDecoder decoder(longest);
  Seen seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    decoder.feed(bytes.substr(at, piece));
    while (const auto message = decoder.next()) {
      seen.messages.push_back(std::to_string(static_cast<int>(message->kind)) + ":" +
                              (message->kind == Kind::close ? std::to_string(message->code) : "") +
                              message->data);
    }
  }
  seen.failure = decoder.failure();
  return seen;
}

}  // namespace

TEST_CASE("messages, whole and in fragments, with control frames between, however they are cut") {
  const std::string bytes = frame(0x81, "Hello") + frame(0x01, "Nine ") +
                            frame(0x89, "are you there") + frame(0x00, "tanks ") + frame(0x8A, "") +
                            frame(0x80, "\xC3\xA9") + frame(0x82, std::string("\0\1", 2)) +
                            frame(0x81, std::string(70'000, 'a')) +
                            frame(0x81, std::string(200, 'b')) +
                            frame(0x88,
                                  "\x03\xE8"
                                  "bye");
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 1'000'000U}) {
    CAPTURE(piece);
    const auto seen = decoded(bytes, piece);
    CHECK(seen.failure == 0);
    REQUIRE(seen.messages.size() == 8);
    CHECK(seen.messages[0] == "1:Hello");
    CHECK(seen.messages[1] == "9:are you there");
    CHECK(seen.messages[2] == "10:");
    CHECK(seen.messages[3] == "1:Nine tanks \xC3\xA9");
    CHECK(seen.messages[4] == std::string("2:\0\1", 4));
    CHECK(seen.messages[5].size() == 70'002);
    CHECK(seen.messages[7] == "8:1000bye");
  }
}

TEST_CASE("what violates the protocol, and the code that the connection is closed with") {
  struct Row {
    const char* what;
    std::string bytes;
    std::uint16_t code;
  };
  const Row rows[] = {
      {"not masked", frame(0x81, "a", false), 1002},
      {"a reserved bit", frame(0xC1, "a"), 1002},
      {"an unknown opcode", frame(0x83, "a"), 1002},
      {"an unknown control opcode", frame(0x8B, "a"), 1002},
      {"a control frame in fragments", frame(0x09, "a"), 1002},
      {"a long control frame", frame(0x89, std::string(126, 'a')), 1002},
      {"a fragment that continues nothing", frame(0x80, "a"), 1002},
      {"a message within another", frame(0x01, "a") + frame(0x81, "b"), 1002},
      {"a length in more bytes than needed", std::string("\x81\xFE\x00\x05", 4) + "aaaa12345",
       1002},
      {"a negative length", std::string("\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10) + "aaaa",
       1002},
      {"a closing frame of one byte", frame(0x88, "\x03"), 1002},
      {"a code that nobody may send", frame(0x88, "\x03\xED"), 1002},
      {"a reason that is not UTF-8", frame(0x88, "\x03\xE8\xFF"), 1002},
      {"text that is not UTF-8", frame(0x81, "\xFF"), 1007},
      {"a message that is too long", frame(0x82, std::string(1001, 'a')), 1009},
      {"fragments that are too long",
       frame(0x02, std::string(600, 'a')) + frame(0x80, std::string(600, 'a')), 1009},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    for (const std::size_t piece : {1U, 1'000U}) {
      const auto seen = decoded(row.bytes + frame(0x81, "after"), piece, 1000);
      CHECK(seen.failure == row.code);
      CHECK(seen.messages.empty());
    }
  }
}

TEST_CASE("frames of the server") {
  std::string out;
  append_websocket_frame(Kind::text, "Hello", out);
  CHECK(out == "\x81\x05Hello");  // RFC 6455 5.7
  for (const std::size_t size : {125U, 126U, 65535U, 65536U}) {
    out.clear();
    append_websocket_frame(Kind::text, std::string(size, 'a'), out);
    CHECK(out.size() == size + (size <= 125 ? 2 : size <= 65535 ? 4 : 10));
  }
  CHECK(websocket_close(1000, "") == std::string("\x88\x02\x03\xE8", 4));
  CHECK(websocket_close(1000, std::string(500, 'a')).size() == 127);
}

TEST_CASE("the opening handshake") {
  CHECK(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") ==
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 1.3
  HttpHead head;
  head.headers.add("connection", "keep-alive, Upgrade");
  head.headers.add("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK(websocket_refusal(head).find("version") != std::string::npos);
  head.headers.add("sec-websocket-version", "13");
  CHECK(websocket_refusal(head).empty());
  HttpHead keyless;
  keyless.headers.add("connection", "upgrade");
  keyless.headers.add("sec-websocket-version", "13");
  keyless.headers.add("sec-websocket-key", "short");
  CHECK(websocket_refusal(keyless).find("key") != std::string::npos);
  CHECK(websocket_refusal(HttpHead()).find("connection") != std::string::npos);
}

TEST_CASE("decoding costs what the bytes say: one message, many small ones, many fragments") {
  const auto check = [](auto make) {
    const auto found = growth::of(
        [&](std::size_t bytes) {
          return [text = make(bytes)] { decoded(text, 4096, std::size_t{64} << 20U); };
        },
        std::size_t{1} << 20U);
    CHECK_MESSAGE(found.ratio() <= growth::linear, found);
  };
  check([](std::size_t bytes) { return frame(0x81, std::string(bytes, 'a')); });
  check([](std::size_t bytes) {
    std::string all;
    while (all.size() < bytes) {
      all += frame(0x81, "abc");
    }
    return all;
  });
  check([](std::size_t bytes) {
    std::string all = frame(0x01, "");
    while (all.size() < bytes) {
      all += frame(0x00, "a") + frame(0x89, "");
    }
    return all + frame(0x80, "");
  });
}
