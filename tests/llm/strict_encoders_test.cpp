// Everything that we write, from every protocol into every protocol, before the makers' schemas (strict_client.hpp).
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "../../lib/testing/dice.hpp"
#include "provider_streams.hpp"
#include "stream_fixtures.hpp"
#include "strict_client.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace strict_encoders_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

constexpr std::string_view asked_body = R"({
  "model": "m", "stream": true, "input": "How warm is it?", "instructions": "Be\nbrief.",
  "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 400, "metadata": {"run": "7"},
  "tools": [
    {"type": "function", "name": "look_up", "parameters": {"type": "object"}},
    {"type": "web_search"}
  ],
  "tool_choice": {"type": "function", "name": "look_up"}, "parallel_tool_calls": false,
  "reasoning": {"effort": "low"}, "text": {"verbosity": "low"}, "truncation": "auto",
  "store": true, "service_tier": "flex", "safety_identifier": "user-7", "prompt_cache_key": "key-7",
  "top_logprobs": 2, "user": null, "max_tool_calls": 3, "background": "yes"
})";

Request asked_of(Protocol protocol) {
  if (protocol == Protocol::openai_responses) {
    return codec_for(protocol).read_request(asked_body).value();
  }
  return Request("m");
}

/// What a provider's stream says to clients of every protocol.
class DecodedStream {
 public:
  DecodedStream(Protocol protocol, std::string said) : bytes_(std::move(said)), decoder_(protocol) {
    decoder_.feed(bytes_);
    while (const Event* event = decoder_.next()) {
      events.push_back(*event);
      answer.add(*event);
    }
  }
  DecodedStream(const DecodedStream&) = delete;
  DecodedStream& operator=(const DecodedStream&) = delete;

  bool complete() const { return decoder_.ending() == Ending::complete; }

  std::vector<Event> events;
  Answer answer;

 private:
  std::string bytes_;
  EventDecoder decoder_;
};

void check_strictly(Protocol into, const std::vector<Event>& events, bool complete) {
  const auto encoder = codec_for(into).encoder(asked_of(into));
  std::string out;
  for (const auto& event : events) {
    encoder->write(event, out);
  }
  const auto verdict = strict_client::read(into, out, true);
  CHECK_MESSAGE(verdict.complaint == "", out);
  CHECK_MESSAGE(verdict.complete == complete, out);
  const auto size = out.size();
  for (const Event::Body& late : {Event::Body(Heartbeat()), Event::Body(Error("t", "c", "late")),
                                  Event::Body(Text(0, "late")), Event::Body(End())}) {
    if (complete || verdict.failed) {
      encoder->write(Event(late), out);
      CHECK(out.size() == size);
    }
  }
}

void check_whole_strictly(Protocol into, const Answer& answer) {
  std::string body;
  codec_for(into).write_answer(answer, asked_of(into), body);
  const auto verdict = strict_client::read_whole(into, body);
  CHECK_MESSAGE(verdict.complaint == "", body);
}

simdjson::dom::element parsed(simdjson::dom::parser& parser, const std::string& json) {
  return parser.parse(json);
}

}  // namespace

TEST_CASE("nine pairs of protocols: what is written is valid by the makers' schemas") {
  for (const auto into : protocols) {
    CAPTURE(to_string(into));
    for (const auto& stream : provider_streams::all()) {
      CAPTURE(to_string(stream.protocol));
      CAPTURE(stream.name);
      const DecodedStream heard(stream.protocol, stream.bytes);
      CHECK(heard.complete() == stream.complete);
      check_strictly(into, heard.events, stream.complete);
      if (stream.complete) {
        check_whole_strictly(into, heard.answer);
      }
    }
    for (const auto from : protocols) {
      for (const auto& name : stream_fixtures::fixtures_of(from)) {
        CAPTURE(name);
        const DecodedStream heard(from, stream_fixtures::fixture(name));
        check_strictly(into, heard.events, heard.complete());
        if (heard.complete()) {
          check_whole_strictly(into, heard.answer);
        }
      }
    }
  }
}

TEST_CASE("any events in any order: what is written is valid as far as it goes") {
  constexpr std::array reasons{FinishReason::stop,         FinishReason::stop_sequence,
                               FinishReason::length,       FinishReason::tool_use,
                               FinishReason::refusal,      FinishReason::pause,
                               FinishReason::context_full, FinishReason::other};
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    testing::Dice dice(seed);
    std::vector<Event> events{Event(Start("a7", "m"))};
    bool called = false;
    for (std::size_t left = 1 + dice.pick(14); left > 0; --left) {
      const auto block = dice.pick(4);
      switch (dice.pick(12)) {
        case 0: events.emplace_back(Start(dice.chance(50) ? "" : "a8", "m")); break;
        case 1: events.emplace_back(Heartbeat()); break;
        case 2: events.emplace_back(Usage()); break;
        case 3: events.emplace_back(Finish(reasons[dice.pick(reasons.size())], "native")); break;
        case 4: events.emplace_back(Text(block, "x", true)); break;
        case 5: events.emplace_back(Text(block, dice.chance(80) ? "y" : "")); break;
        case 6: events.emplace_back(Reasoning(block, dice.chance(80) ? "z" : "")); break;
        case 7:
          events.emplace_back(
              ReasoningSeal(block, static_cast<ReasoningSeal::Kind>(dice.pick(3)), "seal"));
          break;
        case 8:
        case 9:
          events.emplace_back(ToolStart(block, "call_a", "look_up"));
          called = true;
          break;
        case 10: events.emplace_back(ToolArguments(block, "{}")); break;
        default: events.emplace_back(ToolEnd(block, dice.chance(60))); break;
      }
    }
    const bool failed = dice.chance(20);
    if (failed) {
      events.emplace_back(Error("overloaded_error", "", "full"));
    } else {
      events.emplace_back(Finish(called ? FinishReason::tool_use : FinishReason::stop, ""));
    }
    events.emplace_back(End());
    for (const auto into : protocols) {
      CAPTURE(to_string(into));
      check_strictly(into, events, !failed);
    }
  }
}

TEST_CASE("the strict clients say no to each single fault") {
  struct Row {
    Protocol protocol;
    std::string_view in_place_of;
    std::string_view written;
  };
  const Row rows[] = {
      {Protocol::openai_chat, R"("created":1)", R"("created":-1)"},
      {Protocol::openai_chat, R"("id":"a7",)", ""},
      {Protocol::openai_chat, R"("finish_reason":"tool_calls")", R"("finish_reason":"tool_use")"},
      {Protocol::openai_chat, R"("type":"function",)", ""},
      {Protocol::openai_chat, "[DONE]", "[DONE]\n\ndata: [DONE]"},
      {Protocol::openai_chat, R"({"index":0,"id":"call_a")", R"({"index":1,"id":"call_a")"},
      {Protocol::anthropic_messages, R"("usage":{"input_tokens":0,)", R"("usage":{)"},
      {Protocol::anthropic_messages, R"("stop_reason":"tool_use")",
       R"("stop_reason":"tool_calls")"},
      {Protocol::anthropic_messages, R"("index":1)", R"("index":2)"},
      {Protocol::anthropic_messages, R"("input":{})", R"("input":"")"},
      {Protocol::anthropic_messages, "event: content_block_stop", "event: content_block_delta"},
      {Protocol::anthropic_messages, R"("type":"message_delta")", R"("type":"ping")"},
      {Protocol::openai_responses, R"("created_at":1)", R"("created_at":-1)"},
      {Protocol::openai_responses, R"("sequence_number":3)", R"("sequence_number":4)"},
      {Protocol::openai_responses, R"("truncation":"disabled",)", ""},
      {Protocol::openai_responses, R"("metadata":{})", R"("metadata":null)"},
      {Protocol::openai_responses, R"("temperature":1)", R"("temperature":null)"},
      {Protocol::openai_responses, R"("completed_at":null)", R"("completed_at":1)"},
      {Protocol::openai_responses, R"("output_index":1)", R"("output_index":2)"},
      {Protocol::openai_responses, R"("annotations":[],)", ""},
      {Protocol::openai_responses, R"("status":"in_progress","role")", R"("role")"},
      {Protocol::openai_responses, R"("name":"look_up","arguments":"{}")", R"("arguments":"{}")"},
      {Protocol::openai_responses, "event: response.completed", "event: response.done"},
  };
  for (const auto& row : rows) {
    CAPTURE(to_string(row.protocol));
    CAPTURE(row.in_place_of);
    const auto encoder = codec_for(row.protocol).encoder(Request("m"));
    std::string out;
    for (const Event::Body& body :
         {Event::Body(Start("a7", "m")), Event::Body(Text(0, "x")),
          Event::Body(ToolStart(1, "call_a", "look_up")), Event::Body(ToolArguments(1, "{}")),
          Event::Body(ToolEnd(1, true)), Event::Body(Finish(FinishReason::tool_use, "")),
          Event::Body(End())}) {
      encoder->write(Event(body), out);
    }
    CHECK(strict_client::read(row.protocol, out, true).complaint == "");
    const auto at = out.find(row.in_place_of);
    REQUIRE(at != std::string::npos);
    out.replace(at, row.in_place_of.size(), row.written);
    CHECK(strict_client::read(row.protocol, out, true).complaint != "");
  }
}

TEST_CASE("an answer that fails before it begins is an error in every protocol") {
  for (const auto into : protocols) {
    check_strictly(into, {Event(Heartbeat()), Event(Error("server_error", "timeout", "no"))},
                   false);
  }
}

TEST_CASE("a Responses answer repeats its request, with the schema's types") {
  std::string body;
  codec_for(Protocol::openai_responses)
      .write_answer(Answer(), asked_of(Protocol::openai_responses), body);
  simdjson::dom::parser parser;
  const auto json = parsed(parser, body);
  const auto is = [&](const char* member, std::string_view value) {
    CAPTURE(member);
    simdjson::dom::element found;
    REQUIRE(json[member].get(found) == simdjson::SUCCESS);
    CHECK(std::string(simdjson::minify(found)) == value);
  };
  is("instructions", R"("Be\nbrief.")");
  is("temperature", "0.5");
  is("top_p", "0.9");
  is("max_output_tokens", "400");
  is("max_tool_calls", "3");
  is("metadata", R"({"run":"7"})");
  is("tools",
     R"([{"type":"function","name":"look_up","parameters":{"type":"object"},"description":null,"strict":null},{"type":"web_search"}])");
  is("tool_choice", R"({"type":"function","name":"look_up"})");
  is("parallel_tool_calls", "false");
  is("reasoning", R"({"effort":"low","summary":null})");
  is("text", R"({"verbosity":"low","format":{"type":"text"}})");
  is("truncation", R"("auto")");
  is("store", "true");
  is("service_tier", R"("flex")");
  is("safety_identifier", R"("user-7")");
  is("prompt_cache_key", R"("key-7")");
  is("top_logprobs", "2");
  is("background", "false");  // "yes" is not a value of it
  is("presence_penalty", "0");
  is("previous_response_id", "null");
  is("user", "null");
}

TEST_CASE("a call that the token limit cut is in the whole answer, with what there is of it") {
  Answer answer;
  for (const auto& event :
       std::vector<Event>{Event(Start("a", "m")), Event(ToolStart(0, "call_a", "look_up")),
                          Event(ToolArguments(0, R"({"city":"Quito","list":[1,{"a":"b)")),
                          Event(ToolEnd(0, false)), Event(Finish(FinishReason::length, ""))}) {
    answer.add(event);
  }
  const auto whole = [&](Protocol protocol) {
    std::string body;
    codec_for(protocol).write_answer(answer, Request("m"), body);
    return body;
  };
  const auto chat = whole(Protocol::openai_chat);
  CHECK(chat.find(R"("arguments":"{\"city\":\"Quito\",\"list\":[1,{\"a\":\"b")") !=
        std::string::npos);
  CHECK(chat.find(R"("finish_reason":"length")") != std::string::npos);
  const auto responses = whole(Protocol::openai_responses);
  CHECK(responses.find(R"("type":"function_call","status":"incomplete")") != std::string::npos);
  const auto messages = whole(Protocol::anthropic_messages);
  CHECK(messages.find(R"("input":{"partial_json":"{\"city\":\"Quito\",\"list\":[1,{\"a\":\"b"})") !=
        std::string::npos);
  CHECK(messages.find(R"("stop_reason":"max_tokens")") != std::string::npos);
}

TEST_CASE("heartbeats: what counts as an event where it can stand, else a comment") {
  const auto beat = [](Protocol protocol, bool started, bool forwarded) {
    const auto encoder = codec_for(protocol).encoder(Request("m"));
    std::string out;
    Event start{Start("a", "m")};
    if (started && forwarded) {
      start.raw = "event: x\ndata: {\"sequence_number\":0}\n\n";
      encoder->follow(start);
    } else if (started) {
      encoder->write(start, out);
      encoder->write(Event(Text(0, "x")), out);
      out.clear();
    }
    encoder->write(Event(Heartbeat()), out);
    return out.substr(0, out.find('\n'));
  };
  const std::string comment = ": keep-alive";
  CHECK(beat(Protocol::anthropic_messages, false, false) == comment);
  CHECK(beat(Protocol::anthropic_messages, true, false) == "event: ping");
  CHECK(beat(Protocol::anthropic_messages, true, true) == "event: ping");
  CHECK(beat(Protocol::openai_responses, false, false) == comment);
  CHECK(beat(Protocol::openai_responses, true, false) == "event: keepalive");
  CHECK(beat(Protocol::openai_responses, true, true) == comment);  // the numbers are the provider's
  CHECK(beat(Protocol::openai_chat, true, false) == comment);
}

}  // namespace strict_encoders_test
