#include <doctest/doctest.h>

#include "stream_fixtures.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace openai_responses_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::decode;

namespace {

using Events = std::vector<std::string>;
constexpr auto responses = Protocol::openai_responses;

stream_fixtures::Decoded stream(const std::vector<std::string>& payloads) {
  std::string bytes;
  for (const auto& payload : payloads) {
    bytes += "data: " + payload + "\n\n";
  }
  return decode(responses, {bytes});
}

std::string event(const std::string& type, const std::string& members) {
  return R"({"type":")" + type + "\"," + members + "}";
}
std::string item(const char* event_name, std::size_t index, const std::string& members) {
  return event(std::string("response.output_item.") + event_name,
               R"("output_index":)" + std::to_string(index) + R"(,"item":{)" + members + "}");
}
std::string delta(const std::string& kind, const std::string& text, const std::string& where = "") {
  return event("response." + kind + ".delta",
               R"("output_index":0,)" + where + R"("delta":")" + text + "\"");
}
std::string done(const std::string& members = R"("usage":null)") {
  return event("response.completed", R"("response":{"id":"r","model":"m",)" + members + "}");
}
const std::string created =
    event("response.created", R"("response":{"id":"r","model":"m","status":"in_progress"})");
const std::string in_progress =
    event("response.in_progress", R"("response":{"id":"r","model":"m","status":"in_progress"})");
const std::string call =
    item("added", 0, R"("type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"")");

std::string call_done(const std::string& arguments, const std::string& status = "completed") {
  return item("done", 0,
              R"("type":"function_call","id":"x","call_id":"c","name":"f","arguments":")" +
                  arguments + R"(","status":")" + status + "\"");
}

/// What a client is sent for these events.
std::string written(const std::vector<Event>& events) {
  const auto encoder = codec_for(responses).encoder(Request());
  std::string out;
  for (const auto& one : events) {
    encoder->write(one, out);
  }
  return out;
}

}  // namespace

TEST_CASE("start markers count once; repeated, they are heartbeats") {
  const auto decoded = stream(
      {created, in_progress, in_progress, event("response.queued", R"("response":{"id":"r"})"),
       event("keepalive", R"("sequence_number":4)"), event("ping", R"("x":0)")});
  CHECK(decoded.events == Events{"start r m", "other response.in_progress", "heartbeat",
                                 "heartbeat", "heartbeat", "heartbeat"});
  CHECK(decoded.progress == 0);
  CHECK(stream({in_progress, in_progress}).events == Events{"start r m", "heartbeat"});
}

TEST_CASE("what was said in deltas is not said again; what was not, is") {
  const std::string text = R"("type":"message","content":[{"type":"output_text","text":"abc"}])";
  CHECK(stream({delta("output_text", "ab"), delta("output_text", "c"),
                event("response.output_text.done", R"("output_index":0,"text":"abc")"),
                item("done", 0, text), done(R"("output":[{)" + text + "}]")})
            .text == "abc");
  CHECK(stream({event("response.output_text.done", R"("output_index":0,"text":"abc")"),
                item("done", 0, text), done()})
            .text == "abc");
  CHECK(stream({item("added", 0, R"("type":"message")"), item("done", 0, text), done()}).text ==
        "abc");
  CHECK(stream({created, done(R"("output":[{)" + text + "}]")}).text == "abc");
  CHECK(stream({done(R"("output":[{)" + text + "}]")}).events ==
        Events{"start r m", "text 0 abc", "finish stop completed ", "end"});
}

TEST_CASE("parts are told apart by index, not by id") {
  CHECK(stream({delta("output_text", "a", R"("item_id":"1","content_index":0,)"),
                delta("refusal", "no", R"("item_id":"2","content_index":1,)"),
                delta("output_text", "b", R"("item_id":"3","content_index":0,)"), done()})
            .events == Events{"text 0 a", "refusal 1 no", "text 0 b", "start r m",
                              "finish refusal completed ", "end"});
}

TEST_CASE("reasoning: its parts are paragraphs, its seal is the finished item's") {
  const auto part = [](int index) {
    return event("response.reasoning_summary_part.added",
                 R"("output_index":0,"summary_index":)" + std::to_string(index));
  };
  const std::string finished =
      R"("type":"reasoning","id":"rs","summary":[{"text":"a"},{"text":"b"}],"encrypted_content":"s")";
  const Events wanted{"reasoning 0 a", "reasoning 0 \n\n", "reasoning 0 b", "seal 0 2 s rs"};
  auto events = stream({part(0), delta("reasoning_summary_text", "a"), part(1),
                        delta("reasoning_summary_text", "b"), item("done", 0, finished)})
                    .events;
  events.erase(events.begin());  // the first part's begin
  CHECK(events == wanted);
  CHECK(stream({item("done", 0, finished)}).events == wanted);
  CHECK(stream({delta("reasoning_text", "a")}).reasoning == "a");
}

TEST_CASE("a call is complete only when its item ended, or the answer did, over whole arguments") {
  const auto end = [](const Events& events) {
    for (const auto& one : events) {
      if (one.starts_with("call end")) {
        return one;
      }
    }
    return std::string();
  };
  const auto arguments = delta("function_call_arguments", R"({\"a\":1})");
  CHECK(end(stream({call, arguments, call_done(R"({\"a\":1})")}).events) == "call end 0 complete");
  CHECK(end(stream({call, call_done("{}")}).events) == "call end 0 complete");
  CHECK(end(stream({call, arguments, done()}).events) == "call end 0 complete");
  CHECK(end(stream({call, arguments}).events) == "");
  CHECK(end(stream({call, call_done(R"({\"a\":)")}).events) == "");  // cut or broken
  CHECK(stream({call, call_done(R"({\"a\":)"), done()}).ending == Ending::failed);
  CHECK(end(stream({call, arguments, call_done(R"({\"a\":1})", "incomplete")}).events) ==
        "call end 0 cut");
  CHECK(end(stream({call, arguments, event("response.incomplete", R"("response":{})")}).events) ==
        "call end 0 cut");
  CHECK(stream({call, arguments, R"({"type":)", call_done(R"({\"a\":1,\"b\":2})")}).ending ==
        Ending::failed);
  CHECK(stream({call_done(R"({\"a\":1})"), done()}).arguments == Events{R"({"a":1})"});
  CHECK(stream({call, event("response.function_call_arguments.done",
                            R"("output_index":0,"arguments":"{\"a\":1}")")})
            .arguments == Events{R"({"a":1})"});
}

TEST_CASE("terminals") {
  struct Case {
    std::string last;
    Ending ending;
    std::string said;
  };
  const Case cases[] = {
      {done(), Ending::complete, "finish stop completed "},
      {event("response.done", R"("response":{"status":"completed"})"), Ending::complete,
       "finish stop completed "},
      {event("response.incomplete",
             R"("response":{"incomplete_details":{"reason":"max_output_tokens"}})"),
       Ending::complete, "finish length max_output_tokens "},
      {event("response.incomplete",
             R"("response":{"incomplete_details":{"reason":"content_filter"}})"),
       Ending::complete, "finish refusal content_filter "},
      {event("response.incomplete",
             R"("response":{"incomplete_details":{"reason":"interrupted"}})"),
       Ending::complete, "finish other interrupted "},
      {event("response.failed", R"("response":{"error":{"code":"c","message":"m"}})"),
       Ending::failed, "error  c m"},
      {event("response.done",
             R"("response":{"status":"failed","error":{"code":"c","message":"m"}})"),
       Ending::failed, "error  c m"},
      {event("error", R"("code":"c","message":"m","sequence_number":2)"), Ending::failed,
       "error  c m"},
      {event("error", R"("error":{"type":"t","code":"c","message":"m","param":null})"),
       Ending::failed, "error t c m"},
      {R"({"error":{"type":"t","message":"m"}})", Ending::failed, "error t  m"},
  };
  for (const auto& [last, ending, said] : cases) {
    CAPTURE(last);
    const auto decoded = stream({created, delta("output_text", "x"), last});
    CHECK(decoded.ending == ending);
    CHECK(decoded.events.at(2) == said);
    CHECK(decoded.undecodable == 0);
  }
  CHECK(stream({created, event("error", R"("code":"c","message":"m")"),
                event("response.failed", R"("response":{"error":{"code":"c","message":"m"}})")})
            .events == Events{"start r m", "error  c m", "other error"});
  const auto cut = stream({created, delta("output_text", "x"), "[DONE]"});
  CHECK(cut.ending == Ending::cut);
  CHECK(cut.events.back() == "text 0 x");
  CHECK(stream({done(), "[DONE]"}).events.back() == "end");
  CHECK(stream({call, done()}).events.at(3) == "finish tool_use completed ");
}

TEST_CASE("usage is counted as everywhere: input without what the cache read or wrote") {
  CHECK(
      stream(
          {done(
              R"("usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2}})")})
          .events.at(2) == "usage 5 4 1 5 2");
}

TEST_CASE("what only this API has is Other, and progress if it is part of the answer") {
  CHECK(stream({item("added", 0, R"("type":"web_search_call")"),
                event("response.web_search_call.searching", R"("output_index":0)"),
                item("done", 0, R"("type":"web_search_call")")})
            .progress == 3);
  CHECK(stream({event("response.custom_tool_call_input.delta", R"("delta":"x")")}).progress == 1);
  CHECK(stream({event("codex.rate_limits", R"("plan_type":"pro")"),
                event("response.new_kind", R"("x":1)"), delta("output_text", "")})
            .progress == 0);
  const auto part = event("response.content_part.added", R"("output_index":0,"content_index":0)");
  CHECK(stream({part, part}).progress == 1);  // once for an index
}

TEST_CASE("an event that cannot be read is counted and reported, and the answer has failed") {
  const auto decoded = stream({created, delta("output_text", "a"), R"({"type":"response.created"})",
                               "{", "[1]", event("response.output_text.delta", R"("delta":3)"),
                               delta("output_text", "bad \\q"), delta("output_text", "b"), done()});
  CHECK(decoded.undecodable == 5);
  CHECK(decoded.text == "ab");
  CHECK(decoded.ending == Ending::failed);
}

TEST_CASE("another answer spliced in starts anew") {
  CHECK(stream({created, call, created, delta("output_text", "x")}).events ==
        Events{"start r m", "call 0 c f", "call end 0 cut", "start r m", "text 0 x"});
}

TEST_CASE("what is written counts without a gap, and says the whole at the end") {
  const auto out = written({
      Event(Start("r", "m")),
      Event(Reasoning(0, "think")),
      Event(ReasoningSeal(0, ReasoningSeal::Kind::encrypted, "sealed", "rs_9")),
      Event(Heartbeat()),
      Event(Text(1, "Le")),
      Event(Text(1, "vel")),
      Event(Text(2, " 71")),
      Event(ToolStart(3, "c1", "f")),
      Event(ToolStart(4, "c2", "g")),
      Event(ToolArguments(4, "{}")),
      Event(ToolArguments(3, "{\"a\":1}")),
      Event(ToolEnd(4, true)),
      Event(ToolEnd(3, true)),
      Event(Finish(FinishReason::tool_use, "tool_use")),
      Event(Usage()),
      Event(End()),
  });
  std::size_t number = 0;
  for (std::size_t at = 0; (at = out.find("\ndata: ", at)) != std::string::npos; ++at) {
    const auto wanted = R"("sequence_number":)" + std::to_string(number++) + ",";
    const auto event_end = out.find("\n\n", at);
    const auto text = out.substr(at, event_end - at);
    CHECK_MESSAGE((text.find(wanted) != std::string::npos ||
                   text.find(wanted.substr(0, wanted.size() - 1) + "}") != std::string::npos),
                  text);
  }
  CHECK(number == 29);
  CHECK(out.find(R"("output_index":1,"content_index":1,"delta":" 71")") != std::string::npos);
  CHECK(out.find(R"("output_index":1,"content_index":0,"text":"Level")") != std::string::npos);
  const auto completed = out.substr(out.find("event: response.completed"));
  const std::size_t places[] = {
      completed.find(
          R"("type":"reasoning","summary":[{"type":"summary_text","text":"think"}],"encrypted_content":"sealed"})"),
      completed.find(
          R"("text":"Level","annotations":[],"logprobs":[]},{"type":"output_text","text":" 71")"),
      completed.find(R"("call_id":"c1","name":"f","arguments":"{\"a\":1}"})"),
      completed.find(R"("call_id":"c2","name":"g","arguments":"{}"})"),
  };
  CHECK(places[3] != std::string::npos);
  CHECK(std::is_sorted(std::begin(places), std::end(places)));
}

TEST_CASE("what is written reads the same, whatever the kind") {
  const std::vector<std::vector<Event>> answers{
      {Event(Start("r", "m")), Event(Text(0, "no", true)), Event(Text(1, "x")),
       Event(Finish(FinishReason::refusal, "completed")), Event(End())},
      {Event(Start("r", "m")), Event(ToolStart(0, "c", "f")), Event(ToolArguments(0, "{\"a\":")),
       Event(ToolEnd(0, false)), Event(Finish(FinishReason::length, "max_output_tokens")),
       Event(End())},
      {Event(Start("r", "m")), Event(Text(0, "x")), Event(Error("t", "server_error", "m \"q\""))},
  };
  for (const auto& answer : answers) {
    Events wanted;
    for (const auto& one : answer) {
      wanted.push_back(stream_fixtures::describe(one));
    }
    Events got;
    for (const auto& one : decode(responses, {written(answer)}).events) {
      if (!one.starts_with("other")) {
        got.push_back(one);
      }
    }
    CHECK(got == wanted);
  }
}

TEST_CASE(
    "words that the API lacks are not written: an unknown finish is neutral, an unknown code too") {
  const auto unknown = written({Event(Start("r", "m")), Event(Text(0, "x")),
                                Event(Finish(FinishReason::other, "interrupted")), Event(End())});
  CHECK(unknown.find("interrupted") == std::string::npos);
  CHECK(unknown.find(R"("status":"completed","error":null)") != std::string::npos);
  const auto code_of = [](const Error& error) {
    const auto out = written({Event(Start("r", "m")), Event(error)});
    const auto at = out.rfind(R"("error":{"code":")") + 17;
    return out.substr(at, out.find('"', at) - at);
  };
  CHECK(code_of(Error("overloaded_error", "", "m")) == "server_error");
  CHECK(code_of(Error("", "timeout", "m")) == "server_error");
  CHECK(code_of(Error("rate_limit_error", "upstream_rate_limit", "m")) == "rate_limit_exceeded");
  CHECK(code_of(Error("", "429", "m")) == "rate_limit_exceeded");
  CHECK(code_of(Error("t", "invalid_prompt", "m")) == "invalid_prompt");
  CHECK(code_of(Error("t", "context_length_exceeded", "m")) == "context_length_exceeded");
}

TEST_CASE("a whole answer that failed, or is not finished") {
  CHECK(decode(responses,
               {R"({"object":"response","status":"failed","error":{"code":"c","message":"m"}})"},
               BodyShape::whole)
            .events == Events{"error  c m"});
  CHECK(decode(responses, {R"({"object":"response","status":"in_progress"})"}, BodyShape::whole)
            .undecodable == 1);
  CHECK(
      decode(responses, {R"({"detail":"Stream must be set to true"})"}, BodyShape::whole).events ==
      Events{"error   Stream must be set to true"});
}

}  // namespace openai_responses_test
