// Errors in every form that providers use, in the three protocols, streamed and whole.
#include <doctest/doctest.h>

#include "stream_fixtures.hpp"
#include "understudy/llm/protocol.hpp"

namespace error_forms_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::bytewise;
using stream_fixtures::decode;
using stream_fixtures::Decoded;

namespace {

struct Form {
  std::string json;
  std::string said;
};

/// Each with its source.
const Form forms[] = {
    // OpenAI and most others
    {R"({"error":{"message":"words","type":"t","code":"c"}})", "error t c words"},
    // Ollama
    {R"({"error":"words"})", "error   words"},
    // FastAPI, and the ChatGPT back end
    {R"({"detail":"words"})", "error   words"},
    {R"({"detail":[{"loc":["body","tools"],"msg":"words","type":"missing"},{"msg":"more"}]})",
     "error   words"},
    {R"({"detail":{"error":{"message":"words","code":"c"}}})", "error  c words"},
    // gateways of Chinese providers
    {R"({"code":1305,"msg":"words"})", "error  1305 words"},
    {R"({"code":"InvalidParameter","message":"words","request_id":"r"})",
     "error  InvalidParameter words"},
    // DeepInfra: NousResearch/hermes-agent#65643
    {R"({"id":"x","choices":null,"error_type":"BadRequestError","error_message":"words"})",
     "error BadRequestError  words"},
    // Cloudflare
    {R"({"errors":[{"message":"words","code":5021},{"message":"more"}],"success":false,"result":{},"messages":[]})",
     "error  5021 words"},
    {R"({"errors":["words"]})", "error   words"},
    // Gemini's OpenAI endpoint
    {R"([{"error":{"code":429,"message":"words","status":"RESOURCE_EXHAUSTED"}}])",
     "error  429 words"},
    {R"({"success":false,"message":"words"})", "error   words"},
    {R"({"status":"error","message":"words"})", "error   words"},
    // MiniMax
    {R"({"base_resp":{"status_code":1008,"status_msg":"words"}})", "error base_resp 1008 words"},
    // Mistral's 422
    {R"({"object":"error","message":{"detail":[{"type":"missing","msg":"words"}]},"type":"invalid_request_error"})",
     "error invalid_request_error  words"},
    // Anthropic's, also behind another API
    {R"({"type":"error","error":{"type":"overloaded_error","message":"words"}})",
     "error overloaded_error  words"},
};

std::string error_of(const Decoded& decoded) {
  for (const auto& event : decoded.events) {
    if (event.starts_with("error ")) {
      return event;
    }
  }
  return "none";
}

std::string begun(Protocol protocol) {
  switch (protocol) {
    case Protocol::anthropic_messages:
      return "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\","
             "\"model\":\"m\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_"
             "delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n";
    case Protocol::openai_chat:
      return "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    case Protocol::openai_responses:
      return "data: "
             "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,"
             "\"delta\":\"a\"}\n\n";
  }
  return "";
}

std::string pretty(const std::string& json) {
  std::string lines;
  bool quoted = false;
  for (const char c : json) {
    quoted = quoted != (c == '"');
    lines += c;
    lines += !quoted && (c == ',' || c == '{') ? "\n  " : "";
  }
  return lines;
}

}  // namespace

TEST_CASE(
    "a provider's words are read in every form, as data, as a field, bare, and pretty-printed") {
  for (const auto protocol : protocols) {
    for (const auto& [json, said] : forms) {
      CAPTURE(json);
      for (const auto& before : {std::string(), begun(protocol)}) {
        for (const auto& bytes :
             {before + "data: " + json + "\n\n", before + "error: " + json + "\n\ndata: [DONE]\n\n",
              before + "event: error\ndata: " + json + "\n\n", before + json, before + json + "\n",
              before + pretty(json) + "\n\n"}) {
          CAPTURE(bytes);
          const auto decoded = decode(protocol, {bytes});
          CHECK(decoded.ending == Ending::failed);
          CHECK(error_of(decoded) == said);
          CHECK(decoded.undecodable == 0);
          CHECK(bytes.starts_with(decoded.raw));
          CHECK(decode(protocol, bytewise(bytes)).events == decoded.events);
        }
      }
    }
  }
}

TEST_CASE("a whole body is an error in every form") {
  for (const auto protocol : protocols) {
    for (const auto& [json, said] : forms) {
      for (const auto& body : {json, " \n" + pretty(json)}) {
        CAPTURE(body);
        const auto decoded = decode(protocol, {body}, BodyShape::whole);
        CHECK(decoded.ending == Ending::failed);
        CHECK(error_of(decoded) == said);
        CHECK(decoded.undecodable == 0);
      }
    }
  }
}

TEST_CASE("text in a field `error` is the message") {
  for (const auto protocol : protocols) {
    CHECK(error_of(decode(protocol, {"error: upstream timed out\n\n"})) ==
          "error   upstream timed out");
    CHECK(error_of(decode(protocol, {"error: \"upstream timed out\"\n\n"})) ==
          "error   upstream timed out");
    CHECK(error_of(decode(protocol, {"event: error\ndata: upstream timed out\n\n"})) ==
          "error   upstream timed out");
  }
}

TEST_CASE("JSON without `data:` that says no error is reported, and is not an answer") {
  for (const auto protocol : protocols) {
    for (const std::string json :
         {R"({"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]})",
          R"({"type":"message_start","message":{"id":"m","type":"message"}})", "{", "[{", "{}"}) {
      CAPTURE(json);
      const auto decoded = decode(protocol, {json + "\n\n"});
      CHECK(decoded.events == std::vector<std::string>{"undecodable"});
      CHECK(decoded.undecodable == 1);
    }
  }
}

}  // namespace error_forms_test
