#include "understudy/llm/event_decoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "../growth.hpp"
#include "stream_fixtures.hpp"

namespace event_decoder_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::bytewise;
using stream_fixtures::decode;
using stream_fixtures::Decoded;
using stream_fixtures::fixture;

namespace {

/// expected.json's outcome, without what it adds in brackets.
std::string outcome_of(const Decoded& decoded) {
  switch (decoded.ending) {
    case Ending::cut: return "eof_without_terminal";
    case Ending::failed: return "in_stream_error:" + decoded.error_type;
    case Ending::complete: return "complete:" + decoded.native_finish;
  }
  return "";
}

}  // namespace

TEST_CASE("every stream decodes to what is expected") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      const auto expected = stream_fixtures::expectations()[name];
      const auto decoded = decode(protocol, {bytes});
      CHECK(decoded.text == std::string_view(expected["text"]));
      CHECK(decoded.reasoning == std::string_view(expected["reasoning"]));
      std::vector<std::string> arguments;
      for (const auto [index, text] : simdjson::dom::object(expected["tool_arguments"])) {
        arguments.emplace_back(std::string_view(text));
      }
      CHECK(decoded.arguments == arguments);
      auto outcome = std::string(expected["outcome"].get_string().value());
      outcome.resize(std::min(outcome.find(" ("), outcome.size()));
      CHECK(outcome_of(decoded) == outcome);
      CHECK(decoded.undecodable == 0);
      std::size_t heartbeats = std::uint64_t(expected["comments"]);
      for (const std::string_view kind : expected["payload_kinds"].get_array()) {
        heartbeats += kind == "ping" || kind == "keepalive" ? 1 : 0;
      }
      CHECK(decoded.heartbeats == heartbeats);
      CHECK(bytes.starts_with(decoded.raw));
    }
  }
}

TEST_CASE("however a stream is cut, the same events come out") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      const auto whole = decode(protocol, {bytes});
      CHECK(decode(protocol, bytewise(bytes)).events == whole.events);
      for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        const std::string_view view(bytes);
        const auto parts = decode(protocol, {view.substr(0, cut), view.substr(cut)});
        REQUIRE_MESSAGE(parts.events == whole.events, cut);
        // The LF of the last CR LF, where a piece ends between them, belongs to no event.
        REQUIRE(whole.raw.starts_with(parts.raw));
        REQUIRE(whole.raw.size() - parts.raw.size() <= 1);
      }
    }
  }
}

TEST_CASE("a payload with a brace too many is judged alike, cut or not, whatever was read before") {
  const std::string braces =
      "data: {\"type\":\"message_start\",\n" + std::string(300, '}') + "\n\n";
  const std::string unbalanced = "data: {\"type\":\"some_new_kind\":0,\"more\":1}}\n\n";
  const auto stream = braces + unbalanced;
  const std::string_view view(stream);
  const auto whole = decode(Protocol::anthropic_messages, {view});
  for (std::size_t cut = 0; cut <= view.size(); ++cut) {
    const auto parts =
        decode(Protocol::anthropic_messages, {view.substr(0, cut), view.substr(cut)});
    REQUIRE_MESSAGE(parts.events == whole.events, cut);
  }
}

TEST_CASE("heartbeats alone are no progress") {
  for (const auto& [protocol, name] :
       {std::pair(Protocol::anthropic_messages, "anthropic_ping_only_stall.sse"),
        std::pair(Protocol::openai_responses, "codex_keepalive_only_stall.sse")}) {
    CAPTURE(name);
    const auto decoded = decode(protocol, {fixture(name)});
    CHECK(decoded.heartbeats > 5);
    CHECK(decoded.progress == 0);
  }
}

TEST_CASE("a delta like the one before is read like the one before, and only if it is") {
  const auto delta = [](const std::string& text) {
    return R"(data: {"id":"c","model":"m","choices":[{"delta":{"content":")" + text + "\"}}]}\n\n";
  };
  const std::string call =
      R"(data: {"id":"c","model":"m","choices":[{"delta":{"tool_calls":[{"id":"t","function":{"name":"f"}}]}}]})"
      "\n\n";
  const auto decoded =
      decode(Protocol::openai_chat,
             {delta("a") + delta("b") + delta("longer") + ": alive\n\n" + delta("\\n") +
              delta("\xC3\xBC") + delta("\xFF") + delta("q\\\"") + delta("") + delta("c") +
              delta("x\"}}],\"y\":[{\"z\":{\"q\":\"") + delta("d") + call + delta("e") +
              delta("f") + delta("g\", \"refusal\":\"no") + delta("\x01") + delta("h")});
  CHECK(decoded.events ==
        std::vector<std::string>{
            "start c m",  "text 0 a",     "text 0 b",         "text 0 longer",
            "heartbeat",  "text 0 \n",    "text 0 \xC3\xBC",  "text 0 \xEF\xBF\xBD",
            "text 0 q\"", "other chunk",  "text 0 c",         "text 0 x",
            "text 0 d",   "call 1 t f",   "text 2 e",         "text 2 f",
            "text 2 g",   "refusal 3 no", decoded.events[18], "text 4 h"});
  CHECK(decoded.events.at(18).starts_with("undecodable"));
}

TEST_CASE("a delta that is like the one before is not parsed, so that it costs a fraction") {
  // Between two of the ones that are unlike, `n` changes, which no reader looks at.
  const auto stream = [](bool alike) {
    std::string bytes;
    for (int i = 0; i < 4'000; ++i) {
      bytes +=
          R"(data: {"id":"chatcmpl-FixtureA1","object":"chat.completion.chunk","created":1790000000,"n":)" +
          std::to_string(alike ? 0 : i % 2) +
          R"(,"model":"gpt-5.4","service_tier":"default","choices":[{"index":0,"delta":{"content":" is"},"logprobs":null,"finish_reason":null}],"usage":null})"
          "\n\n";
    }
    return bytes;
  };
  const auto cost = [](const std::string& bytes) {
    double least = std::numeric_limits<double>::max();
    for (int round = 0; round < 7; ++round) {
      EventDecoder decoder(Protocol::openai_chat);
      const auto begin = growth::thread_seconds();
      decoder.feed(bytes);
      while (decoder.next() != nullptr) {
      }
      least = std::min(least, growth::thread_seconds() - begin);
    }
    return least;
  };
  const auto alike = cost(stream(true));
  const auto unlike = cost(stream(false));
  CHECK_MESSAGE(alike * 2 < unlike, alike << " s of CPU, and " << unlike << " s unlike");
}

TEST_CASE("deltas that differ in number and padding as well are alike") {
  const auto delta = [](const std::string& number, const std::string& text,
                        const std::string& padding) {
    return R"(data: {"type":"response.output_text.delta","sequence_number":)" + number +
           R"(,"item_id":"m","output_index":0,"content_index":0,"delta":")" + text +
           R"(","obfuscation":")" + padding + "\"}\n\n";
  };
  const auto decoded = decode(
      Protocol::openai_responses,
      {delta("9", "a", "x") + delta("10", "b", "y") + delta("11", "c", "zzz") +
       delta("12", "\xC3\xBC", "z") + delta("13", "\xFF", "z") + delta("14", "d", "\xC3\xBC") +
       delta("15", "e", "") + delta("16", "f", "\\\"") + delta("", "g", "x") +
       delta("17", "h", R"(x","delta":"i)") + delta("18", "", "x") + delta("19", "\x01", "x") +
       delta("20", "j", "x") + delta("21", "k", "x\",\"more\":\"") + delta("22", "l", "x") +
       delta("23", "m", "x") + delta("24", "\\n\\u00fc\\\"", "x") + delta("25", "\\x", "x") +
       delta("26", "n", "x")});
  CHECK(decoded.events ==
        std::vector<std::string>{"text 0 a", "text 0 b", "text 0 c", "text 0 \xC3\xBC",
                                 "text 0 \xEF\xBF\xBD", "text 0 d", "text 0 e", "text 0 f",
                                 "undecodable", "text 0 i", "other response.output_text.delta",
                                 "undecodable", "text 0 j", "text 0 k", "text 0 l", "text 0 m",
                                 "text 0 \n\xC3\xBC\"", "undecodable", "text 0 n"});
}

TEST_CASE("text that is said because nothing was said before is not said again by its like") {
  const auto done = [](const char* text) {
    return R"(data: {"type":"response.output_text.done","output_index":0,"content_index":0,"text":")" +
           std::string(text) + "\"}\n\n";
  };
  CHECK(decode(Protocol::openai_responses, {done("a") + done("b") + done("c")}).text == "a");
  const std::string created =
      R"(data: {"type":"response.created","response":{"id":"r","model":"m"}})"
      "\n\n";
  CHECK(decode(Protocol::openai_responses,
               {created + done("a") + created + done("b") + done("c") + done("d")})
            .text == "ab");
  const auto message = [](const char* text) {
    return R"(data: {"id":"c","model":"m","choices":[{"message":{"content":")" + std::string(text) +
           "\"}}]}\n\n";
  };
  const auto start = R"(data: {"id":"c","model":"m","choices":[{"delta":{"role":"assistant"}}]})"
                     "\n\n";
  CHECK(decode(Protocol::openai_chat, {start + message("a") + message("b") + message("c")}).text ==
        "a");
}

}  // namespace event_decoder_test
