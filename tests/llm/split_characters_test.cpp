#include "understudy/llm/detail/split_characters.hpp"

#include <doctest/doctest.h>

#include "stream_fixtures.hpp"

namespace split_characters_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::bytewise;
using stream_fixtures::decode;
using Events = std::vector<std::string>;

namespace {

std::string chat(const std::string& delta) {
  return "data: {\"choices\":[{\"index\":0,\"delta\":{" + delta + "}}]}\n\n";
}
std::string anthropic(int index, const std::string& delta) {
  return "data: {\"type\":\"content_block_delta\",\"index\":" + std::to_string(index) +
         ",\"delta\":{" + delta + "}}\n\n";
}
std::string responses(const std::string& kind, const std::string& delta) {
  return "data: {\"type\":\"response." + kind +
         ".delta\",\"output_index\":0,\"content_index\":0,\"delta\":\"" + delta + "\"}\n\n";
}

/// Decoded in one piece, and checked in pieces of one byte.
Events events(Protocol protocol, const std::string& bytes) {
  const auto decoded = decode(protocol, {bytes});
  CHECK(decode(protocol, bytewise(bytes)).events == decoded.events);
  CHECK(decoded.raw == bytes);
  CHECK(decoded.undecodable == 0);
  return decoded.events;
}

const std::string finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

}  // namespace

TEST_CASE("an emoji in two chunks is one character, in text, reasoning and arguments") {
  const auto p = Protocol::openai_chat;
  CHECK(events(p, chat(R"("content":"Sun \ud83c")") + chat(R"("content":"\udf1e over")")) ==
        Events{"start  ", "text 0 Sun ", "text 0 🌞 over"});
  CHECK(events(p, chat(R"("content":"\ud83c")") + chat(R"("content":"\udf1e")")) ==
        Events{"start  ", "other half_character", "text 0 🌞"});
  CHECK(events(p, chat(R"("reasoning_content":"a\ud83c")") +
                      chat(R"("reasoning_content":"\udf1e\ud83c")") +
                      chat(R"("reasoning_content":"\udf1e")")) ==
        Events{"start  ", "reasoning 0 a", "reasoning 0 🌞", "reasoning 0 🌞"});
  const auto call = [](int index, const std::string& arguments) {
    return chat(R"("tool_calls":[{"index":)" + std::to_string(index) +
                R"(,"function":{"arguments":")" + arguments + R"("}}])");
  };
  const auto begin = [](int index) {
    const auto n = std::to_string(index);
    return chat(R"("tool_calls":[{"index":)" + n + R"(,"id":"c)" + n +
                R"(","function":{"name":"f","arguments":""}}])");
  };
  CHECK(events(p, begin(0) + begin(1) + call(0, R"({\"a\":\"\ud83c)") +
                      call(1, R"({\"b\":\"\ud83d)") + call(0, R"(\udf1e\"})") +
                      call(1, R"(\ude00\"})")) ==
        Events{"start  ", "call 0 c0 f", "call 1 c1 f", "arguments 0 {\"a\":\"",
               "arguments 1 {\"b\":\"", "arguments 0 🌞\"}", "arguments 1 😀\"}"});
}

TEST_CASE("an emoji in two events is one character in Messages and Responses") {
  CHECK(events(Protocol::anthropic_messages,
               anthropic(0, R"("type":"text_delta","text":"a\ud83c")") +
                   anthropic(0, R"("type":"text_delta","text":"\udf1eb")")) ==
        Events{"text 0 a", "text 0 🌞b"});
  CHECK(events(Protocol::openai_responses,
               responses("output_text", R"(a\ud83c)") + responses("output_text", R"(\udf1eb)")) ==
        Events{"text 0 a", "text 0 🌞b"});
}

TEST_CASE("half a character without the other becomes U+FFFD where it stands") {
  const auto p = Protocol::openai_chat;
  CHECK(events(p, chat(R"("content":"a\ud83c")") + chat(R"("content":"b")")) ==
        Events{"start  ", "text 0 a", "text 0 \uFFFDb"});
  CHECK(events(p, chat(R"("content":"\udf1eb\ud83cc")")) ==
        Events{"start  ", "text 0 \uFFFDb\uFFFDc"});
  CHECK(events(p, chat(R"("content":"a\ud83c")") + finish) ==
        Events{"start  ", "text 0 a", "text 0 \uFFFD", "finish stop stop "});
  CHECK(events(p, chat(R"("reasoning_content":"a\ud83c")") + chat(R"("content":"\udf1e")")) ==
        Events{"start  ", "reasoning 0 a", "reasoning 0 \uFFFD", "text 1 \uFFFD"});
}

TEST_CASE("deltas that are compared with the last one join characters as well") {
  const auto p = Protocol::openai_chat;
  std::string bytes;
  Events wanted{"start  "};
  for (int i = 0; i < 4; ++i) {
    bytes += chat(R"("content":"plain")");
    wanted.emplace_back("text 0 plain");
  }
  bytes += chat(R"("content":"a\ud83c")") + chat(R"("content":"\udf1eb")");
  wanted.insert(wanted.end(), {"text 0 a", "text 0 🌞b"});
  CHECK(events(p, bytes) == wanted);
}

}  // namespace split_characters_test
