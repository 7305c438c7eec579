#include <doctest/doctest.h>

#include "stream_fixtures.hpp"
#include "understudy/llm/codec.hpp"

namespace anthropic_messages_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::decode;

namespace {

using Events = std::vector<std::string>;

stream_fixtures::Decoded stream(const std::vector<std::string>& payloads) {
  std::string bytes;
  for (const auto& payload : payloads) {
    bytes += "data: " + payload + "\n\n";
  }
  return decode(Protocol::anthropic_messages, {bytes});
}

std::string started(const std::string& block) {
  return R"({"type":"content_block_start","index":0,"content_block":)" + block + "}";
}
std::string delta(const std::string& members) {
  return R"({"type":"content_block_delta","index":0,"delta":)" + members + "}";
}
const std::string message_start =
    R"({"type":"message_start","message":{"id":"i","model":"m","usage":{"input_tokens":3,"output_tokens":1}}})";
const std::string stopped = R"({"type":"content_block_stop","index":0})";
const std::string tool = started(R"({"type":"tool_use","id":"t","name":"f","input":{}})");
std::string message_delta(const std::string& reason, const std::string& usage) {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + reason + R"("},"usage":)" + usage +
         "}";
}

}  // namespace

TEST_CASE("usage is cumulative; what is missing or null keeps its value") {
  CHECK(stream({message_start,
                message_delta("end_turn", R"({"output_tokens":9,"input_tokens":null})")})
            .events ==
        Events{"start i m", "usage 3 - - 1 -", "finish stop end_turn ", "usage 3 - - 9 -"});
}

TEST_CASE("stop reasons") {
  struct Case {
    std::string reason;
    FinishReason neutral;
  };
  const Case cases[] = {
      {"end_turn", FinishReason::stop},
      {"max_tokens", FinishReason::length},
      {"stop_sequence", FinishReason::stop_sequence},
      {"tool_use", FinishReason::tool_use},
      {"pause_turn", FinishReason::pause},
      {"refusal", FinishReason::refusal},
      {"model_context_window_exceeded", FinishReason::context_full},
      {"sensitive", FinishReason::refusal},
      {"novel", FinishReason::other},
  };
  for (const auto& [reason, neutral] : cases) {
    const auto wanted = "finish " + std::string(to_string(neutral)) + " " + reason + " ";
    CHECK(stream({message_delta(reason, "null")}).events == Events{wanted});
  }
}

TEST_CASE("a tool call is complete only when its block was closed over whole arguments") {
  const auto part = [](const std::string& json) {
    return delta(R"({"type":"input_json_delta","partial_json":")" + json + "\"}");
  };
  const auto end = [](const Events& events) {
    for (const auto& event : events) {
      if (event.starts_with("call end")) {
        return event;
      }
    }
    return std::string();
  };
  CHECK(end(stream({tool, part(""), stopped}).events) == "call end 0 complete");
  CHECK(end(stream({tool, part(R"({\"a\":)"), part("1}"), stopped}).events) ==
        "call end 0 complete");
  CHECK(end(stream({tool, part(R"({\"a\":)"), stopped}).events) == "");  // cut or broken
  CHECK(
      end(stream({tool, part(R"({\"a\":)"), stopped, message_delta("max_tokens", "{}")}).events) ==
      "call end 0 cut");
  CHECK(end(stream({tool, part("{}"), message_delta("max_tokens", "{}")}).events) ==
        "call end 0 cut");
  CHECK(end(stream({message_start, tool, part("{}"), message_start}).events) == "call end 0 cut");
  CHECK(end(stream({tool, part("{}")}).events) == "");
}

TEST_CASE("what only Anthropic knows is Other, and progress if it is part of the answer") {
  const auto search =
      started(R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})");
  CHECK(stream({search}).events == Events{"other server_tool_use progress"});
  CHECK(stream({search, delta(R"({"type":"input_json_delta","partial_json":"{}"})")}).progress ==
        2);
  CHECK(stream({delta(R"({"type":"citations_delta","citation":{}})")}).progress == 1);
  CHECK(
      stream({delta(R"({"type":"thinking_delta","thinking":"","estimated_tokens":5})")}).progress ==
      1);
  CHECK(stream({delta(R"({"type":"thinking_delta","thinking":"","estimated_tokens":null})")})
            .progress == 0);
  CHECK(stream({R"({"type":"new_kind"})"}).events == Events{"other new_kind"});
  const auto text = started(R"({"type":"text","text":""})");
  CHECK(stream({text, stopped, text, stopped}).progress == 1);  // once for an index
}

TEST_CASE("the type may come last, or be missing where the event has a name") {
  CHECK(
      stream(
          {R"({"index":0,"delta":{"text":"x","type":"text_delta"},"type":"content_block_delta"})"})
          .text == "x");
  CHECK(decode(Protocol::anthropic_messages, {"event: ping\ndata: {}\n\n"}).heartbeats == 1);
}

TEST_CASE("an event that cannot be read is skipped, counted and reported") {
  const auto decoded =
      stream({message_start, R"({"type":"content_block_delta","delta":{}})",
              R"({"type":"message_start"})", "{", delta(R"({"type":"text_delta","text":3})"),
              delta(R"({"type":"text_delta","text":"x"})")});
  CHECK(decoded.undecodable == 4);
  CHECK(decoded.text == "x");
}

TEST_CASE("an error is believed once") {
  const std::string error = R"({"type":"error","error":{"type":"api_error","message":"m"}})";
  CHECK(stream({error, error}).events == Events{"error api_error  m", "other error"});
}

TEST_CASE("an object that is malformed between its members is not touched again") {
  const std::string broken =
      R"({"t*pe":"message_delta","delta":{"stop_reason":"end_turn"} "usage":{"input_tokens":41}})";
  CHECK(stream({broken, R"({"type" "ping"})", R"({"a":1,,"type":"ping"})"}).undecodable == 3);
  CHECK(decode(Protocol::anthropic_messages, {broken}, BodyShape::whole).undecodable == 1);
  CHECK(codec_for(Protocol::anthropic_messages)
            .read_request(R"({"model":"m","messages":[{"role":"user","content":[{"a" "b"}]}]})")
            .has_error());
}

}  // namespace anthropic_messages_test
