#include "understudy/llm/answer_fold.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "../growth.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "whole_answers.hpp"

namespace answer_fold_test {

using namespace understudy;
using namespace understudy::llm;
using whole_answers::file;
using whole_answers::minified;

namespace {

constexpr auto anthropic = Protocol::anthropic_messages;
constexpr auto chat = Protocol::openai_chat;
constexpr auto responses = Protocol::openai_responses;

/// Reads the bytes as a client does that folds.
Result<std::string> fold(Protocol protocol, std::string_view bytes,
                         BodyShape shape = BodyShape::stream, std::size_t piece = 100000,
                         std::size_t longest = longest_folded) {
  EventDecoder decoder(protocol, shape, longest_folded);
  Answer typed;
  AnswerFold fold(protocol, shape, longest);
  const auto take = [&] {
    while (const Event* event = decoder.next()) {
      typed.add(*event);
      fold.feed(event->raw);
    }
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    decoder.feed(bytes.substr(0, piece));
    take();
  }
  decoder.end();
  take();
  return fold.finish(typed);
}

std::string folded(Protocol protocol, std::string_view bytes, BodyShape shape = BodyShape::stream) {
  const auto body = fold(protocol, bytes, shape);
  return body ? minified(*body) : to_string(body.error());
}

/// Chunks of one choice, with `[DONE]`.
std::string chunks(std::initializer_list<std::string> choices) {
  std::string out;
  for (const auto& choice : choices) {
    out += "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[" + choice + "]}\n\n";
  }
  return out + "data: [DONE]\n\n";
}

std::string whole_chat(const std::string& choice) {
  return R"({"id":"c","model":"m","choices":[)" + choice + "]}";
}

std::string delta(const std::string& members, const std::string& finish = "null") {
  return R"({"index":0,"delta":{)" + members + R"(},"finish_reason":)" + finish + "}";
}

std::string choice(const std::string& members, const std::string& finish) {
  return R"({"index":0,"message":{)" + members + R"(},"finish_reason":)" + finish + "}";
}

std::string events(std::initializer_list<std::string> all) {
  std::string out;
  for (const auto& one : all) {
    out += "data: " + one + "\n\n";
  }
  return out;
}

const std::string start =
    R"({"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],)"
    R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}})";
const std::string stop = R"({"type":"message_stop"})";

std::string message(const std::string& content, const std::string& reason) {
  return R"({"id":"m","type":"message","role":"assistant","model":"c","content":[)" + content +
         R"(],"stop_reason":")" + reason +
         R"(","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}})";
}

std::string stopped(const std::string& reason) {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + reason +
         R"(","stop_sequence":null},"usage":{"output_tokens":2}})";
}

}  // namespace

TEST_CASE("streams of the providers' documentation: the answer that they would have sent whole") {
  for (const auto& [protocol, name] : whole_answers::all) {
    const auto stream = file(name + ".sse");
    const auto expected = minified(file(name + ".json"));
    for (const std::size_t piece : {100000, 1, 7, 1000}) {
      CAPTURE(name);
      CAPTURE(piece);
      const auto body = fold(protocol, stream, BodyShape::stream, piece);
      REQUIRE(body);
      CHECK(*body == expected);
    }
  }
}

TEST_CASE("an answer that came whole: unchanged, also what no event can say") {
  for (const auto& [protocol, name] : whole_answers::all) {
    CAPTURE(name);
    const auto body = file(name + ".json");
    CHECK(folded(protocol, body, BodyShape::whole) == minified(body));
  }
}

TEST_CASE("an answer that came whole is corrected as a stream is") {
  const std::string call = R"("tool_calls":[{"id":"c1","type":"function","function":{"name":"f",)";
  CHECK(folded(chat, whole_chat(choice(call + R"("arguments":"{}"}}])", "\"stop\"")),
               BodyShape::whole) ==
        whole_chat(choice(call + R"("arguments":"{}"}}])", "\"tool_calls\"")));
  const auto use = message(R"({"type":"tool_use","id":"t","name":"f","input":{}})", "tool_use");
  CHECK(folded(anthropic, use, BodyShape::whole) == use);
}

TEST_CASE("Chat: which fragment continues which call") {
  const auto two = [](const std::string& first, const std::string& second) {
    return whole_chat(choice(
        R"("role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":")" +
            first + R"("},"type":"function"},{"id":"b","function":{"name":"g","arguments":")" +
            second + R"("},"type":"function"}],"content":null)",
        "\"tool_calls\""));
  };
  const std::string role = R"("role":"assistant","tool_calls":[)";
  // A shared index: a new id and name begin another call.
  CHECK(
      folded(
          chat,
          chunks(
              {delta(role + R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])"),
               delta(
                   R"("tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{\"x\""}}])"),
               delta(R"("tool_calls":[{"index":0,"function":{"arguments":":1}"}}])"),
               delta("", "\"tool_calls\"")})) == two("{}", R"({\"x\":1})"));
  // No index: ids tell.
  CHECK(folded(chat, chunks({delta(role + R"({"id":"a","function":{"name":"f","arguments":"{"}},)"
                                          R"({"id":"b","function":{"name":"g","arguments":"{"}}])"),
                             delta(R"("tool_calls":[{"id":"a","function":{"arguments":"}"}}])"),
                             delta(R"("tool_calls":[{"id":"b","function":{"arguments":"}"}}])"),
                             delta("", "\"tool_calls\"")})) == two("{}", "{}"));
  // Arguments as an object are the string that belongs there.
  CHECK(folded(chat,
               chunks({delta(role +
                             R"({"index":0,"id":"a","function":{"name":"f","arguments":{"x": 1}}},)"
                             R"({"index":1,"id":"b","function":{"name":"g","arguments":""}}])"),
                       delta("", "\"tool_calls\"")})) == two(R"({\"x\":1})", "{}"));
}

TEST_CASE("arguments that were sent twice are those of the typed answer") {
  Answer typed;
  auto& call = typed.blocks.emplace_back(AnswerBlock::Kind::tool_call, 0);
  call.id = "a";
  call.arguments = R"({"x":1})";
  call.complete = true;
  typed.finish = FinishReason::tool_use;
  const auto finished = [&](Protocol protocol, const std::string& stream) {
    AnswerFold fold(protocol);
    fold.feed(stream);
    const auto body = fold.finish(typed);
    return body ? minified(*body) : to_string(body.error());
  };
  const std::string function =
      R"("role":"assistant","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":")";
  const auto chat_body = finished(
      chat, chunks({delta(function + R"({\"x\""}}])"),
                    delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}])"),
                    delta("", "\"tool_calls\"")}));
  CHECK(chat_body.find(R"("arguments":"{\"x\":1}"}})") != std::string::npos);
  const std::string piece =
      R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":1}"}})";
  CHECK(
      finished(
          anthropic,
          events(
              {start,
               R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}})",
               piece, piece, stopped("tool_use"), stop})) ==
      message(R"({"type":"tool_use","id":"a","name":"f","input":{"x":1}})", "tool_use"));
  const auto item = [](const std::string& arguments) {
    return R"({"id":"r","status":"completed","output":[{"type":"custom_tool_call","input":"{"},)"
           R"({"type":"function_call","call_id":"a","arguments":")" +
           arguments + R"("}]})";
  };
  CHECK(finished(responses, events({R"({"type":"response.completed","response":)" +
                                    item(R"({\"x\":1}{\"x\":1})") + "}"})) == item(R"({\"x\":1})"));
}

TEST_CASE("Chat: a call that was cut at the token limit keeps what came") {
  const std::string call =
      R"("role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":")";
  CHECK(folded(chat, chunks({delta(call + R"({\"x\""}}])"), delta("", "\"length\"")})) ==
        whole_chat(choice(call + R"({\"x\""}}],"content":null)", "\"length\"")));
}

TEST_CASE("Chat: why a choice ended") {
  const std::string say = R"("role":"assistant","content":"x")";
  // Unknown words are those of the typed answer; the second choice's are its own.
  const std::string second =
      R"({"index":1,"delta":{"role":"assistant","tool_calls":[{"index":0,)"
      R"("id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"("finish_reason":"stop"})";
  const auto both = folded(chat, chunks({delta(say), second, delta("", "\"stop\"")}));
  CHECK(
      both ==
      whole_chat(
          choice(say, "\"stop\"") +
          R"(,{"index":1,"message":{"role":"assistant","tool_calls":[{"id":"a","type":"function",)"
          R"("function":{"name":"f","arguments":"{}"}}],"content":null},"finish_reason":"tool_calls"})"));
  const std::string legacy = R"("role":"assistant","function_call":{"name":"f","arguments":"{)";
  CHECK(folded(chat, chunks({delta(legacy + R"("})"), delta(R"("function_call":{"arguments":"}"})"),
                             delta("", "\"stop\"")})) ==
        whole_chat(choice(legacy + R"(}"},"content":null)", "\"function_call\"")));
}

TEST_CASE("Chat: content as a list is text and reasoning; what says more is kept") {
  const std::string signature =
      R"({"type":"reasoning","summary":[{"type":"summary_text","text":" up.","signature":"c2ln"}]})";
  const std::string reference = R"({"type":"reference","reference_ids":[1,2]})";
  CHECK(
      folded(
          chat,
          chunks(
              {delta(R"("role":"assistant","content":"")"),
               delta(
                   R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"Look it"}],"closed":true}])"),
               delta(R"("content":[)" + signature + "]"),
               delta(R"("content":[{"type":"text","text":"Nine"},)" + reference + "]"),
               delta(R"("content":"teen.")", "\"stop\"")})) ==
      whole_chat(
          choice(R"("role":"assistant","content":"Nineteen.","reasoning_content":"Look it up.",)"
                 R"("content_parts":[)" +
                     signature + "," + reference + "]",
                 "\"stop\"")));
}

TEST_CASE("Chat: a message that repeats the deltas, or comes in their place") {
  const std::string say = R"("role":"assistant","content":"x")";
  const std::string final_message =
      R"({"index":0,"message":{)" + say + R"(},"finish_reason":"stop"})";
  const auto expected = whole_chat(choice(say, "\"stop\""));
  CHECK(folded(chat, chunks({delta(say), final_message})) == expected);
  CHECK(folded(chat, chunks({final_message})) == expected);
  CHECK(folded(chat, chunks({R"({"index":0,"delta":{)" + say + R"(},"message":{)" + say +
                             R"(},"finish_reason":"stop"})"})) == expected);
}

TEST_CASE("Chat: audio, the tokens of vLLM, filter results of Azure, usage of Moonshot") {
  CHECK(
      folded(
          chat,
          "data: "
          "{\"id\":\"\",\"choices\":[],\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n" +
              chunks(
                  {R"({"index":0,"delta":{"role":"assistant","audio":{"id":"au","data":"QU","transcript":"He"}},"token_ids":[1],)"
                   R"("content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"finish_reason":null})",
                   R"({"index":0,"delta":{"audio":{"data":"JD","transcript":"y","expires_at":1}},"token_ids":[2,3],)"
                   R"("content_filter_results":{"self_harm":{"filtered":false}},"finish_reason":null})",
                   R"({"index":0,"delta":{"content":"Hey"},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":1}})"})) ==
      R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","audio":{"id":"au","data":"QUJD","transcript":"Hey","expires_at":1},"content":"Hey"},)"
      R"("token_ids":[1,2,3],"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false}},)"
      R"("finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":1}}],"prompt_filter_results":[{"prompt_index":0}],"model":"m",)"
      R"("usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})");
}

TEST_CASE("Messages: a tool's input that was cut is neither lost nor empty") {
  const auto stream = events(
      {start,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"to\": \"A"}})",
       R"({"type":"content_block_stop","index":0})", stopped("max_tokens"), stop});
  CHECK(
      folded(anthropic, stream) ==
      message(R"({"type":"tool_use","id":"t","name":"f","input":{"INVALID_JSON":"{\"to\": \"A"}})",
              "max_tokens"));
}

TEST_CASE("Messages: what compatible servers leave out") {
  // No begin of a block, no signature, no usage at first, an unknown delta, a second message.
  const std::string bare =
      R"({"type":"message_start","message":{"id":"m","model":"c","content":[],"usage":null}})";
  const auto stream = events(
      {start,
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lost"}})",
       bare,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"mood_delta","mood":{"a":1}}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"mood_delta","mood":{"b":2}}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Yes."}})",
       R"({"type":"content_block_stop","index":1})",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})", stop});
  CHECK(
      folded(anthropic, stream) ==
      R"({"id":"m","model":"c","content":[{"type":"thinking","thinking":"Hm.","mood":{"a":1,"b":2},"signature":""},)"
      R"({"type":"text","text":"Yes."}],"usage":{"input_tokens":0,"output_tokens":0},"stop_reason":"end_turn",)"
      R"("type":"message","role":"assistant","stop_sequence":null})");
}

TEST_CASE("Responses: an answer of which nothing came whole is the typed one") {
  const auto stream = events(
      {R"({"type":"response.created","response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}})",
       R"({"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hi"})",
       R"({"type":"response.completed","response":{"id":"r","object":"response","status":"completed","model":"m","x":1,"output":[]}})"});
  CHECK(
      folded(responses, stream) ==
      R"({"id":"r","object":"response","status":"completed","model":"m","x":1,"output":[{"id":"msg_us1_r_0","type":"message",)"
      R"("status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[],"logprobs":[]}]}]})");
}

TEST_CASE("what is not a JSON object is skipped; a malformed one fails the answer") {
  const std::string say = R"("role":"assistant","content":"x")";
  const auto good = chunks({delta(say, "\"stop\"")});
  CHECK(folded(chat, "data: noise\n\ndata: [1]\n\n: x\n\n" + good) ==
        whole_chat(choice(say, "\"stop\"")));
  const auto alone = [](std::string_view bytes, BodyShape shape) {
    AnswerFold fold(chat, shape);
    fold.feed(bytes);
    return fold.finish(Answer());
  };
  const auto bad = alone("data: {\"id\":\"c\",\"x\":[}\n\n" + good, BodyShape::stream);
  REQUIRE(bad.has_error());
  CHECK(bad.error().code() == FailoverReason::malformed_response);
  const auto cut = alone(R"({"id":"c","choices":[)", BodyShape::whole);
  REQUIRE(cut.has_error());
  CHECK(cut.error().code() == FailoverReason::malformed_response);
}

TEST_CASE("no event at all: the typed answer, as the codec writes it") {
  for (const auto protocol : {anthropic, chat, responses}) {
    Answer typed;
    typed.id = "x";
    AnswerFold nothing(protocol);
    const auto body = nothing.finish(typed);
    REQUIRE(body);
    CHECK(body->find(R"("id":"x")") != std::string::npos);
  }
}

TEST_CASE("a folded answer has a bound") {
  std::string stream;
  const std::string token = R"({"index":0,"delta":{},"logprobs":{"content":[{"token":")" +
                            std::string(1000, 'a') + R"("}]},"finish_reason":null})";
  for (int i = 0; i < 3000; ++i) {
    stream += "data: {\"id\":\"c\",\"choices\":[" + token + "]}\n\n";
  }
  stream += chunks({delta(R"("content":"x")", "\"stop\"")});
  CHECK(fold(chat, stream).has_value());
  const auto large = fold(chat, stream, BodyShape::stream, 4096, 1 << 20);
  REQUIRE(large.has_error());
  CHECK(large.error().code() == FailoverReason::malformed_response);
  // Calls and choices have bounds of their own.
  std::string many = R"("tool_calls":[{"id":"0"})";
  for (int i = 1; i < 2000; ++i) {
    many += R"(,{"id":")" + std::to_string(i) + R"(","custom":{"name":"f"}})";
  }
  CHECK(fold(chat, chunks({delta(many + "]", "\"stop\"")})).has_error());
}

TEST_CASE("the cost of a fold grows with the size of the stream, whatever a faulty server sends") {
  struct Shape {
    Protocol protocol;
    const char* name;
    std::string (*event)(std::size_t i);
  };
  for (
      const auto& shape : {
          Shape{chat, "text",
                [](std::size_t) {
                  return R"({"id":"c","choices":[{"index":0,"delta":{"content":"x y"}}]})" +
                         std::string();
                }},
          Shape{
              chat, "log probabilities",
              [](std::size_t) {
                return R"({"choices":[{"index":0,"delta":{},"logprobs":{"content":[{"token":"x","logprob":-1}]}}]})" +
                       std::string();
              }},
          Shape{chat, "calls",
                [](std::size_t i) {
                  return R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":)" +
                         std::to_string(i % 1000) +
                         R"(,"function":{"name":"f","arguments":"{"}}]}}]})";
                }},
          Shape{chat, "choices",
                [](std::size_t i) {
                  return R"({"choices":[{"index":)" + std::to_string(i % 1000) +
                         R"(,"delta":{"content":"x"}}]})";
                }},
          Shape{chat, "details",
                [](std::size_t i) {
                  return R"({"choices":[{"index":0,"delta":{"reasoning_details":[{"index":)" +
                         std::to_string(i % 1000) + R"(,"type":"t","text":"x"}]}}]})";
                }},
          Shape{chat, "unknown members",
                [](std::size_t i) {
                  return R"({"x":{"y":{"m)" + std::to_string(i % 200) + R"(":"x"}},"choices":[]})";
                }},
          Shape{chat, "nested objects",
                [](std::size_t) {
                  std::string deep = "1";
                  for (int d = 0; d < 100; ++d) {
                    deep = "{\"d\":" + deep + "}";
                  }
                  return "{\"x\":" + deep + "}";
                }},
          Shape{anthropic, "text",
                [](std::size_t i) {
                  return R"({"type":"content_block_delta","index":)" + std::to_string(i % 1000) +
                         R"(,"delta":{"type":"text_delta","text":"x"}})";
                }},
          Shape{
              anthropic, "citations",
              [](std::size_t i) {
                return i == 0
                           ? R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})" +
                                 std::string()
                           : R"({"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"a":1}}})";
              }},
          Shape{
              anthropic, "input",
              [](std::size_t i) {
                return i == 0
                           ? R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use"}})" +
                                 std::string()
                           : R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"[\"\u00e9"}})";
              }},
          Shape{responses, "items",
                [](std::size_t i) {
                  return R"({"type":"response.output_item.done","output_index":)" +
                         std::to_string(i % 1000) + R"(,"item":{"type":"message"}})";
                }},
      }) {
    const auto found = growth::of(
        [&](std::size_t bytes) {
          std::string stream = shape.protocol == anthropic ? events({start}) : std::string();
          for (std::size_t i = 0; stream.size() < bytes; ++i) {
            stream += events({shape.event(i)});
          }
          return [stream, protocol = shape.protocol] {
            AnswerFold fold(protocol);
            std::string_view rest = stream;
            for (; !rest.empty(); rest.remove_prefix(std::min<std::size_t>(16384, rest.size()))) {
              fold.feed(rest.substr(0, 16384));
            }
            CHECK(fold.finish(Answer()).has_value());
          };
        },
        256 * 1024);
    CHECK_MESSAGE(found.ratio() <= growth::linear, shape.name, ": ", found);
  }
}

}  // namespace answer_fold_test
