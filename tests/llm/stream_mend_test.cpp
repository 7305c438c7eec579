#include "understudy/llm/stream_mend.hpp"

#include <doctest/doctest.h>

#include "stream_fixtures.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/llm/codec.hpp"

namespace stream_mend_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::fixture;

namespace {

/// What a client gets of a stream in its own protocol.
std::string forwarded(Protocol protocol, const std::string& bytes) {
  ReasoningOrigin home("deepseek", "reasoner");
  home.home = true;
  const auto mend = codec_for(protocol).stream_mend(home);
  EventDecoder decoder(protocol);
  std::string out;
  decoder.feed(bytes);
  const auto take = [&] {
    while (const Event* event = decoder.next()) {
      out += mend->bytes(*event);
    }
  };
  take();
  decoder.end();
  take();
  return out + mend->take_held();
}

std::string frame(const std::string& data) { return "data: " + data + "\n\n"; }
std::string named(const std::string& name, const std::string& members) {
  return "event: " + name + "\ndata: {\"type\": \"" + name + "\", " + members + "}\n\n";
}

const std::string start =
    named("message_start",
          R"("message": {"id":"m","content":[],"usage":{"input_tokens":30,"output_tokens":1}})");
/// As it comes, and as it is to be forwarded.
const std::string unsigned_thinking =
    named("content_block_start",
          R"("index": 0, "content_block": {"type": "thinking", "thinking": ""})") +
    named("content_block_delta",
          R"("index": 0, "delta": {"type": "thinking_delta", "thinking": "t"})");
const std::string thinking = [] {
  auto text = unsigned_thinking;
  const std::string_view end = R"("thinking": "")";
  return text.insert(text.find(end) + end.size(), R"(,"signature":"")");
}();
const std::string stop = named("content_block_stop", R"("index": 0)");

std::string chat_call(const std::string& call) {
  return frame(R"({"id":"c","choices":[{"index":0,"delta":{"tool_calls":[)" + call + "]}}]}");
}

}  // namespace

TEST_CASE("streams that official clients can read are forwarded byte for byte") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      const auto out = forwarded(protocol, bytes);
      CHECK(bytes.starts_with(out));
      CHECK(stream_fixtures::decode(protocol, {bytes}).raw == out);
    }
  }
}

TEST_CASE("thinking without signature gets a carrier before its end") {
  const auto out = forwarded(Protocol::anthropic_messages, start + unsigned_thinking + stop);
  const auto before = start + thinking +
                      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
                      "\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"";
  REQUIRE(out.starts_with(before));
  REQUIRE(out.ends_with("\"}}\n\n" + stop));
  const auto signature = out.substr(before.size(), out.find('"', before.size()) - before.size());
  const auto read = read_carrier(signature);
  REQUIRE(read.carrier);
  CHECK(read.carrier->kind == CarrierKind::unsigned_thinking);
  CHECK(read.carrier->provider == "deepseek");
  CHECK(read.carrier->model == "reasoner");
  CHECK(read.carrier->original.empty());
}

TEST_CASE("thinking gets no second signature") {
  const auto delta = [](const std::string& signature) {
    return named(
        "content_block_delta",
        R"("index": 0, "delta": {"type": "signature_delta", "signature": ")" + signature + "\"}");
  };
  const auto whole = start + thinking + delta("EqQB") + stop;
  CHECK(forwarded(Protocol::anthropic_messages, whole) == whole);
  // An empty one is none.
  CHECK(
      forwarded(Protocol::anthropic_messages, start + thinking + delta("") + stop).find("\"us1.") !=
      std::string::npos);
  const auto signed_at_once =
      start +
      named("content_block_start",
            R"("index":0,"content_block":{"type":"thinking","thinking":"t","signature":"s"})") +
      stop;
  CHECK(forwarded(Protocol::anthropic_messages, signed_at_once) == signed_at_once);
  const auto unsigned_at_once =
      start +
      named("content_block_start",
            R"("index":0,"content_block":{"type":"thinking","thinking":"t"})") +
      stop;
  CHECK(forwarded(Protocol::anthropic_messages, unsigned_at_once).find("\"us1.") !=
        std::string::npos);
  const auto redacted =
      start +
      named("content_block_start",
            R"("index":0,"content_block":{"type":"redacted_thinking","data":"d"})") +
      stop;
  CHECK(forwarded(Protocol::anthropic_messages, redacted) == redacted);
}

TEST_CASE("usage null in message_start, and in message_delta, becomes numbers") {
  CHECK(
      forwarded(Protocol::anthropic_messages,
                named("message_start", R"("message": {"id":"m","content":[],"usage": null})")) ==
      named("message_start",
            R"("message": {"id":"m","content":[],"usage": {"input_tokens":0,"output_tokens":0}})"));
  CHECK(
      forwarded(Protocol::anthropic_messages, named("message_start", R"("message": {"id":"m"})")) ==
      named("message_start",
            R"("message": {"id":"m","content":[],"usage":{"input_tokens":0,"output_tokens":0}})"));
  CHECK(
      forwarded(Protocol::anthropic_messages,
                named("message_delta", R"("delta": {"stop_reason":"end_turn"},"usage":null)")) ==
      named("message_delta", R"("delta": {"stop_reason":"end_turn"},"usage":{"output_tokens":0})"));
}

TEST_CASE("two calls at index 0 get an index each, with all of their fragments") {
  const auto first = chat_call(R"({"index":0,"id":"a","function":{"name":"f","arguments":""}})") +
                     chat_call(R"({"index":0,"function":{"arguments":"{}"}})");
  CHECK(forwarded(Protocol::openai_chat, first) == first);
  CHECK(forwarded(Protocol::openai_chat,
                  first +
                      chat_call(R"({"index":0,"id":"b","function":{"name":"g","arguments":""}})") +
                      chat_call(R"({ "index" : 0 ,"function":{"arguments":"{}"}})")) ==
        first + chat_call(R"({"index":1,"id":"b","function":{"name":"g","arguments":""}})") +
            chat_call(R"({ "index" : 1 ,"function":{"arguments":"{}"}})"));
  CHECK(forwarded(Protocol::openai_chat,
                  chat_call(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},)"
                            R"({"index":0,"id":"b","function":{"name":"g","arguments":"{}"}})")) ==
        chat_call(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},)"
                  R"({"index":1,"id":"b","function":{"name":"g","arguments":"{}"}})"));
  // An id that is repeated on every fragment is the same call.
  const auto repeated =
      chat_call(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}})") +
      chat_call(R"({"index":0,"id":"a","function":{"name":"f","arguments":"}"}})");
  CHECK(forwarded(Protocol::openai_chat, repeated) == repeated);
}

TEST_CASE("a completed response with empty output gets the items that were sent") {
  const auto items =
      named("response.created", R"("response":{"id":"r","output":[]})") +
      named("response.output_item.done",
            R"("output_index":1,"item":{"type":"function_call","name":"f","arguments":"{}"})") +
      named(
          "response.output_item.done",
          R"("output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"a"}]})");
  const auto completed = [](const std::string& output) {
    return named("response.completed",
                 R"("response":{"id":"r","status":"completed","output": )" + output + R"(,"x":1})");
  };
  CHECK(forwarded(Protocol::openai_responses, items + completed("[ ]")) ==
        items + completed(R"([{"type":"message","content":[{"type":"output_text","text":"a"}]},)"
                          R"({"type":"function_call","name":"f","arguments":"{}"}])"));
  const auto filled = items + completed(R"([{"type":"message"}])");
  CHECK(forwarded(Protocol::openai_responses, filled) == filled);
  const auto nothing =
      named("response.created", R"("response":{"id":"r","output":[]})") + completed("[]");
  CHECK(forwarded(Protocol::openai_responses, nothing) == nothing);
}

namespace {

std::string forwarded_by(const ReasoningOrigin& origin, Protocol protocol, const std::string& bytes,
                         bool to_its_end = true) {
  const auto mend = codec_for(protocol).stream_mend(origin);
  EventDecoder decoder(protocol);
  std::string out;
  decoder.feed(bytes);
  while (const Event* event = decoder.next()) {
    out += mend->bytes(*event);
  }
  return to_its_end ? out + mend->take_held() : out;
}

}  // namespace

TEST_CASE(
    "the end of a thinking block comes with what follows it: agents do not repeat a request of "
    "whose answer a block is complete") {
  ReasoningOrigin home("anthropic", "claude");
  home.home = true;
  const auto sealed =
      named("content_block_delta",
            R"("index": 0, "delta": {"type": "signature_delta", "signature": "s"})");
  const auto text =
      named("content_block_start", R"("index": 1, "content_block": {"type": "text", "text": ""})");
  const auto begun = start + thinking + sealed;
  CHECK(forwarded_by(home, Protocol::anthropic_messages, begun + stop, false) == begun);
  CHECK(forwarded_by(home, Protocol::anthropic_messages, begun + stop) == begun + stop);
  CHECK(forwarded_by(home, Protocol::anthropic_messages, begun + stop + text, false) ==
        begun + stop + text);
  const auto ping = named("ping", R"("x": 1)");
  CHECK(forwarded_by(home, Protocol::anthropic_messages, begun + stop + ping, false) ==
        begun + ping);
}

TEST_CASE("seals of another host in the client's protocol are carried, wherever they stand") {
  const ReasoningOrigin other("zai", "glm");
  const auto delta =
      named("content_block_delta",
            R"("index": 0, "delta": {"type": "signature_delta", "signature": "SEAL"})");
  const auto at_once = named(
      "content_block_start",
      R"("index": 0, "content_block": {"type": "thinking", "thinking": "t", "signature": "SEAL"})");
  const auto redacted =
      named("content_block_start",
            R"("index": 0, "content_block": {"type": "redacted_thinking", "data": "SEAL"})");
  for (const auto& frames : {thinking + delta, at_once, redacted}) {
    const auto got = forwarded_by(other, Protocol::anthropic_messages, start + frames + stop);
    CHECK(got.find("\"SEAL\"") == std::string::npos);
    CHECK(got.find("\"us1.") != std::string::npos);
    CHECK(got.find(".SEAL\"") != std::string::npos);
    CHECK(got.find("redacted") == std::string::npos);
  }
  const std::string item =
      R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"SEAL"})";
  const auto done = named("response.output_item.done", R"("output_index": 0, "item": )" + item);
  const auto completed = named(
      "response.completed",
      R"("response": {"id":"r","object":"response","status":"completed","output":[)" + item + "]}");
  const auto got = forwarded_by(other, Protocol::openai_responses, done + completed);
  CHECK(got.find("\"SEAL\"") == std::string::npos);
  CHECK(got.find(".SEAL\"}]}") != std::string::npos);
}

}  // namespace stream_mend_test
