// How an answer ends: what EventDecoder lets out only when it was judged (protocols.md 9.2).
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../growth.hpp"
#include "llm/call_arguments.hpp"
#include "stream_fixtures.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_decoder.hpp"

namespace answer_end_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::decode;
using stream_fixtures::Decoded;

namespace {

std::string frame(const std::string& data) { return "data: " + data + "\n\n"; }

/// A chunk of Chat with that delta; `more`: further members of the choice.
std::string chunk(const std::string& delta, const std::string& more = {}) {
  return frame(R"({"id":"c","object":"chat.completion.chunk","created":7,"model":"m","choices":[{)"
               R"("index":0,"delta":{)" +
               delta + "}" + more + "}]}");
}

std::string words(const std::string& said, const std::string& more = {}) {
  return chunk("\"content\":\"" + said + "\"", more);
}

std::string finish(const std::string& word) { return ",\"finish_reason\":\"" + word + "\""; }

std::string call(const std::string& arguments, bool begins = false) {
  return chunk(std::string(R"("tool_calls":[{"index":0,)") +
               (begins ? R"("id":"call_1","type":"function",)" : "") + R"("function":{)" +
               (begins ? R"("name":"look_up",)" : "") + R"("arguments":")" + arguments + "\"}}]");
}

const std::string done = "data: [DONE]\n\n";
const std::string usage = frame(
    R"({"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})");

Decoded chat(const std::string& stream) { return decode(Protocol::openai_chat, {stream}); }

bool has(const Decoded& decoded, std::string_view event) {
  return std::any_of(decoded.events.begin(), decoded.events.end(),
                     [&](const std::string& e) { return e.starts_with(event); });
}

std::size_t count(std::string_view in, std::string_view what) {
  std::size_t n = 0;
  for (auto at = in.find(what); at != std::string_view::npos; at = in.find(what, at + 1)) {
    ++n;
  }
  return n;
}

std::string anthropic(const std::string& type, const std::string& more) {
  return "event: " + type + "\n" + frame(R"({"type":")" + type + "\"" + more + "}");
}

const std::string message_start =
    anthropic("message_start",
              R"(,"message":{"id":"a","model":"m","content":[],"usage":{"input_tokens":3}})");

std::string anthropic_text(const std::string& said) {
  return anthropic("content_block_start",
                   R"(,"index":0,"content_block":{"type":"text","text":""})") +
         anthropic("content_block_delta",
                   R"(,"index":0,"delta":{"type":"text_delta","text":")" + said + "\"}");
}

std::string stop_reason(const std::string& word) {
  return anthropic("message_delta",
                   R"(,"delta":{"stop_reason":")" + word + R"("},"usage":{"output_tokens":2})");
}

std::string anthropic_call(const std::string& arguments) {
  return anthropic(
             "content_block_start",
             R"(,"index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}})") +
         anthropic("content_block_delta",
                   R"(,"index":0,"delta":{"type":"input_json_delta","partial_json":")" + arguments +
                       "\"}") +
         anthropic("content_block_stop", R"(,"index":0)");
}

}  // namespace

TEST_CASE("the end of a stream without a finish is not the end of an answer") {
  for (const auto& stream : {words("Half") + done, words("Half"), call("{\\\"a\\\":", true) + done,
                             call("", true) + done, done}) {
    CAPTURE(stream);
    CHECK(chat(stream).ending == Ending::cut);
    CHECK_FALSE(has(chat(stream), "finish"));
  }
  const auto stopped = message_start + anthropic_text("Half") + anthropic("message_stop", "");
  CHECK(decode(Protocol::anthropic_messages, {stopped}).ending == Ending::cut);
  const auto with_usage = message_start + anthropic_text("Half") +
                          anthropic("message_delta", R"(,"delta":{},"usage":{"output_tokens":2})") +
                          anthropic("message_stop", "");
  CHECK(decode(Protocol::anthropic_messages, {with_usage}).ending == Ending::cut);
  CHECK(decode(Protocol::openai_responses,
               {frame(R"({"type":"response.output_text.delta","delta":"Half"})") + done})
            .ending == Ending::cut);
}

TEST_CASE("a finish is delivered when the stream ends, not when it is reported") {
  EventDecoder decoder(Protocol::openai_chat);
  const auto said = words("Whole") + chunk("", finish("stop")) + usage;
  decoder.feed(said);
  std::string raw;
  while (const Event* event = decoder.next()) {
    CHECK_FALSE(std::holds_alternative<Finish>(event->body));
    CHECK_FALSE(std::holds_alternative<Usage>(event->body));
    raw += event->raw;
  }
  CHECK(raw == words("Whole"));
  CHECK(decoder.held() == llm::detail::HeldFinish::sure);
  CHECK(decoder.counted());
  CHECK(decoder.ending() == Ending::cut);
  SUBCASE("by its terminal") { decoder.feed(done); }
  SUBCASE("by the end of the body") { decoder.end(); }
  SUBCASE("when nothing more is expected") { decoder.settle(); }
  while (const Event* event = decoder.next()) {
    raw += event->raw;
  }
  CHECK(decoder.ending() == Ending::complete);
  CHECK(raw.starts_with(said));
}

TEST_CASE("`stop` beside every piece of text: all pieces are the answer, and it ends once") {
  const auto stream = words("Nine", finish("stop")) + words("teen", finish("stop")) +
                      words(" degrees", finish("stop")) + done;
  const auto decoded = chat(stream);
  CHECK(decoded.text == "Nineteen degrees");
  CHECK(decoded.ending == Ending::complete);
  CHECK(count(decoded.raw, R"("finish_reason":"stop")") == 1);
  CHECK(count(decoded.raw, R"("finish_reason":null)") == 3);
  const auto again = chat(decoded.raw);
  CHECK(again.text == "Nineteen degrees");
  CHECK(again.native_finish == "stop");
}

TEST_CASE("`stop` in chunks of its own between pieces of text: the last one counts") {
  const auto decoded =
      chat(chunk("\"role\":\"assistant\"", finish("stop")) + words("Nine") +
           chunk("", finish("stop")) + words("teen") + chunk("", finish("length")) + done);
  CHECK(decoded.text == "Nineteen");
  CHECK(decoded.native_finish == "length");
  CHECK(count(decoded.raw, R"("finish_reason":"stop")") == 0);
  CHECK(count(decoded.raw, R"("finish_reason":"length")") == 1);
}

TEST_CASE("a finish that came with content, or was taken back before, is doubtful") {
  const auto held = [](const std::string& stream) {
    EventDecoder decoder(Protocol::openai_chat);
    decoder.feed(stream);
    while (decoder.next() != nullptr) {
    }
    return decoder.held();
  };
  using llm::detail::HeldFinish;
  CHECK(held(words("a")) == HeldFinish::none);
  CHECK(held(words("a", finish("stop"))) == HeldFinish::doubtful);
  CHECK(held(words("a", finish("stop")) + words("b")) == HeldFinish::none);
  CHECK(held(words("a") + chunk("", finish("stop"))) == HeldFinish::sure);
  CHECK(held(words("a", finish("stop")) + words("b") + chunk("", finish("stop"))) ==
        HeldFinish::doubtful);
  CHECK(held(words("a", finish("stop")) + usage) == HeldFinish::sure);
}

TEST_CASE("Anthropic: content after a stop_reason takes it back") {
  const auto stream = message_start + anthropic_text("Nine") + stop_reason("end_turn") +
                      anthropic("content_block_delta",
                                R"(,"index":0,"delta":{"type":"text_delta","text":"teen"})") +
                      stop_reason("max_tokens") + anthropic("message_stop", "");
  const auto decoded = decode(Protocol::anthropic_messages, {stream});
  CHECK(decoded.text == "Nineteen");
  CHECK(decoded.native_finish == "max_tokens");
  CHECK(count(decoded.raw, "end_turn") == 0);
}

TEST_CASE("a finish is inferred from calls that parse, and from usage that comes last of all") {
  const auto calls = chat(call("{\\\"city\\\":", true) + call("\\\"Quito\\\"}") + done);
  CHECK(calls.ending == Ending::complete);
  CHECK(has(calls, "finish tool_use"));
  CHECK(count(calls.raw, R"("finish_reason":"tool_calls")") == 1);
  const auto counted = chat(words("Nineteen.") + usage + done);
  CHECK(counted.ending == Ending::complete);
  CHECK(has(counted, "finish stop"));

  const std::string beside = frame(
      R"({"id":"c","choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":3}})");
  for (const auto& stream : {
           words("Nineteen.") + usage,                  // no [DONE]
           beside + usage + done,                       // continuous usage
           usage + words("Nineteen.") + done,           // not last
           call("{\\\"city\\\":", true) + usage + done  // a call that does not parse
       }) {
    CAPTURE(stream);
    CHECK(chat(stream).ending != Ending::complete);
  }
}

TEST_CASE("an event that looks like JSON and is not breaks the answer; noise does not") {
  const auto whole = words("rm -rf /tmp/scratch");
  std::string broken = whole;
  broken[broken.find("content")] = '\x01';
  const std::string hole = frame(R"({"choices":[{"delta":{"content":"/tmp"}]})");
  const std::string unread =
      frame(R"({"choices":[{"index":0,"delta":{"content":"a","new":{"x":tru}}}]})");
  for (const auto& lost : {broken, hole, unread, std::string("data: {\n\n"), frame("\"")}) {
    CAPTURE(lost);
    const auto decoded = chat(words("a") + lost + words("b") + chunk("", finish("stop")) + done);
    CHECK(has(decoded, "undecodable"));
    CHECK(decoded.ending == Ending::failed);
    CHECK(decoded.raw.find(lost) == std::string::npos);
  }
  const auto noisy =
      chat(words("a") + "data: noise\n\n" + words("b") + chunk("", finish("stop")) + done);
  CHECK(noisy.text == "ab");
  CHECK(noisy.ending == Ending::complete);
  CHECK(noisy.undecodable == 1);
  CHECK(noisy.raw.find("noise") == std::string::npos);

  const auto hidden = anthropic("content_block_delta",
                                R"(,"index":0,"delta":{"type":"text_delta","text":"x","y":[1,}})");
  CHECK(
      decode(Protocol::anthropic_messages, {message_start + anthropic_text("a") + hidden}).ending ==
      Ending::failed);
  CHECK(decode(Protocol::openai_responses, {frame(R"({"type":"response.new_event","x":[1,})")})
            .ending == Ending::failed);
  for (const auto protocol : protocols) {
    CHECK(decode(protocol, {R"({"id":"x","type":"message","object":"response","choices":[)"},
                 BodyShape::whole)
              .ending == Ending::failed);
  }
}

TEST_CASE("arguments that were sent again are said once") {
  const auto arguments = [](const std::vector<std::string>& pieces) {
    std::string stream = call(pieces.front(), true);
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      stream += call(pieces[i]);
    }
    stream += chunk("", finish("tool_calls")) + done;
    const auto decoded = chat(stream);
    REQUIRE(decoded.arguments.size() == 1);
    CHECK((has(decoded, "call end 0") || has(decoded, "undecodable")));
    return decoded.ending == Ending::complete ? decoded.arguments.front() : "broken";
  };
  const std::string quito = R"({"city":"Quito"})";
  CHECK(arguments({"{\\\"city\\\"", ":\\\"Quito\\\"}"}) == quito);
  CHECK(arguments({"", "{\\\"ci", "{\\\"city\\\":", "{\\\"city\\\":\\\"Quito\\\"}"}) == quito);
  CHECK(arguments({"{\\\"city\\\"", ":\\\"Quito\\\"}", "{\\\"city\\\":\\\"Quito\\\"}"}) == quito);
  CHECK(arguments({"{\\\"city\\\"", ":\\\"Quito\\\"}", "{\\\"city\\\"", ":\\\"Quito\\\"}"}) ==
        quito);
  CHECK(arguments({"{}", "{\\\"city\\\":", "\\\"Quito\\\"}"}) == quito);
  CHECK(arguments({"{\\\"city\\\":\\\"Quito\\\"}", " "}) == quito + " ");
}

TEST_CASE("arguments that do not parse break the answer, unless it was cut") {
  for (const char* const arguments : {"{\\\"city\\\":\\\"Quito\\\"", "Quito",
                                      "{\\\"city\\\":Quito}", "{\\\"a\\\":1}{\\\"a\\\":2}"}) {
    CAPTURE(arguments);
    for (const char* const word : {"tool_calls", "stop"}) {
      const auto decoded = chat(call(arguments, true) + chunk("", finish(word)) + done);
      CHECK(decoded.ending == Ending::failed);
    }
    const auto cut = chat(call(arguments, true) + chunk("", finish("length")) + done);
    CHECK(cut.ending == Ending::complete);
    CHECK(has(cut, "finish length"));
  }
  const auto in_messages = [](const std::string& arguments, const std::string& word) {
    return decode(Protocol::anthropic_messages, {message_start + anthropic_call(arguments) +
                                                 stop_reason(word) + anthropic("message_stop", "")})
        .ending;
  };
  CHECK(in_messages("{\\\"a\\\":1}", "tool_use") == Ending::complete);
  CHECK(in_messages("{\\\"a\\\":1", "tool_use") == Ending::failed);
  CHECK(in_messages("{\\\"a\\\":1", "max_tokens") == Ending::complete);
  const auto in_responses = [](const std::string& arguments, const std::string& terminal) {
    return decode(
               Protocol::openai_responses,
               {frame(
                    R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":""}})") +
                frame(
                    R"({"type":"response.function_call_arguments.delta","output_index":0,"delta":")" +
                    arguments + "\"}") +
                frame(
                    R"({"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":")" +
                    arguments + "\"}}") +
                frame(R"({"type":"response.)" + terminal + R"(","response":{"id":"r","status":")" +
                      terminal + R"(","incomplete_details":{"reason":"max_output_tokens"}}})")})
        .ending;
  };
  CHECK(in_responses("{\\\"a\\\":1}", "completed") == Ending::complete);
  CHECK(in_responses("{\\\"a\\\":1", "completed") == Ending::failed);
  CHECK(in_responses("{\\\"a\\\":1", "incomplete") == Ending::complete);
}

TEST_CASE("the cost of judging arguments grows with their size, in whatever pieces they come") {
  using Verdict = llm::detail::CallArguments::Verdict;
  // Nested, cumulative, and whole again and again.
  const std::string whole = "{}";
  for (const auto& piece : {std::string("{"), std::string("{\"a\":[1,2,3]} "), whole}) {
    CAPTURE(piece);
    const auto found = growth::of(
        [&](std::size_t bytes) {
          return [piece, bytes] {
            llm::detail::CallArguments arguments;
            for (std::size_t size = 0; size < bytes; size += piece.size()) {
              arguments.add(piece);
            }
            REQUIRE(arguments.judge() == (piece == "{" ? Verdict::broken : Verdict::restated));
          };
        },
        std::size_t{1} << 18);
    CHECK_MESSAGE(found.ratio() <= growth::linear, found);
  }
}

TEST_CASE("an error after a sure finish does not undo the answer; after a doubtful one it does") {
  const auto error = frame(R"({"error":{"message":"late","type":"server_error"}})");
  CHECK(chat(words("a") + chunk("", finish("stop")) + error).ending == Ending::complete);
  CHECK(chat(words("a", finish("stop")) + error).ending == Ending::failed);
}

TEST_CASE(
    "a finish beside content that is not UTF-8, or stands on several lines, is split all the "
    "same") {
  for (const std::string odd : {"Nine\xFFteen", "Nineteen"}) {
    auto first = words(odd, finish("stop"));
    if (odd == "Nineteen") {
      first.insert(first.find("\"choices\""), "\ndata: ");
    }
    const auto decoded = chat(first + words(".") + chunk("", finish("stop")) + done);
    CHECK(decoded.ending == Ending::complete);
    CHECK(decoded.text.ends_with("teen."));
    CHECK(count(decoded.raw, R"("finish_reason":"stop")") == 1);
    CHECK(count(decoded.raw, R"("finish_reason":null)") == 1);
  }
}

}  // namespace answer_end_test
