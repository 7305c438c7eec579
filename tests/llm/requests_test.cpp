// Requests in both directions: what a client sent is understood, and written again says the same.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <fstream>
#include <iterator>

#include "understudy/llm/codec.hpp"

namespace requests_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

std::string sample(const std::string& path) {
  std::ifstream file(std::string(UNDERSTUDY_TEST_DATA "/../fuzz/corpus/") + path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string written(Protocol protocol, const Request& request) {
  std::string out;
  codec_for(protocol).write_request(request, out);
  simdjson::dom::parser parser;
  REQUIRE_MESSAGE(parser.parse(out).error() == simdjson::SUCCESS, out);
  return out;
}

Request read(Protocol protocol, std::string_view body) {
  auto request = codec_for(protocol).read_request(body);
  REQUIRE_MESSAGE(request.has_value(), (request.has_error() ? request.error().message : ""));
  return std::move(*request);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <class P>
const P& part(const Request& request, std::size_t message, std::size_t index) {
  return std::get<P>(request.messages.at(message).parts.at(index));
}

}  // namespace

TEST_CASE("Anthropic's request is understood whole") {
  const auto body = sample("request_anthropic_messages/full");
  const auto request = read(Protocol::anthropic_messages, body);
  CHECK(request.model == "claude-sonnet-5");
  CHECK(request.max_tokens == 1024);
  CHECK(request.stream);
  CHECK(request.body == body);
  CHECK(request.origin == Protocol::anthropic_messages);
  REQUIRE(request.system.size() == 1);
  CHECK(request.system[0].text == "Be brief.");
  CHECK(request.system[0].extra.at(0).second == R"({"type":"ephemeral","ttl":"5m"})");
  REQUIRE(request.messages.size() == 3);
  CHECK(part<TextPart>(request, 0, 0).text == "Level?");
  const auto& thought = part<ReasoningPart>(request, 1, 0);
  CHECK(thought.text == "hm");
  CHECK(thought.seal == "c2ln");
  CHECK(thought.origin.protocol == Protocol::anthropic_messages);
  CHECK(part<ReasoningPart>(request, 1, 1).seal == "b3Bh");
  const auto& call = part<ToolCallPart>(request, 1, 3);
  CHECK(call.id == "toolu_01Abc");
  CHECK(call.arguments == R"({"tank":"north","n":1.50})");
  const auto& result = part<ToolResultPart>(request, 2, 0);
  CHECK(std::get<TextPart>(result.content.at(0)).text == "71 %");
  CHECK(std::get<ImagePart>(result.content.at(1)).media_type == "image/png");
  CHECK(part<ImagePart>(request, 2, 1).url == "https://example.com/a.png");
  CHECK(part<OpaquePart>(request, 2, 2).type == "document");
  CHECK(request.tools.at(0).strict == false);
  CHECK(contains(request.tools.at(1).provider_tool, "web_search_20250305"));
  CHECK(request.tool_choice.mode == ToolChoice::Mode::automatic);
  CHECK(request.parallel_tool_calls == false);
  CHECK(request.thinking.mode == Thinking::Mode::adaptive);
  CHECK(request.thinking.effort == "medium");
  CHECK(request.output->schema == R"({"type":"object"})");
  CHECK(request.stop == std::vector<std::string>{"###"});
  CHECK(request.sampling.temperature == 1.0);
  CHECK(request.sampling.top_k == 40);
  CHECK(request.user == "opaque");
  CHECK(request.extra.at(0) == std::pair<std::string, std::string>("service_tier", "\"auto\""));
}

TEST_CASE("Chat's request is understood whole") {
  const auto request = read(Protocol::openai_chat, sample("request_openai_chat/full"));
  CHECK(request.stream);
  CHECK(request.stream_usage);
  CHECK(request.system.at(0).text == "Be brief.");
  REQUIRE(request.messages.size() == 5);
  CHECK(part<ImagePart>(request, 0, 1).base64 == "aWE=");
  CHECK(part<ImagePart>(request, 0, 1).detail == "auto");
  CHECK(part<OpaquePart>(request, 0, 2).type == "file");
  CHECK(part<ReasoningPart>(request, 1, 0).text == "hm");
  CHECK(part<ToolCallPart>(request, 1, 1).arguments == R"({"tank":"north"})");
  CHECK(request.messages[2].role == Role::user);
  CHECK(part<ToolResultPart>(request, 2, 0).call_id == "call_1");
  CHECK(request.messages[3].role == Role::system);
  CHECK(part<TextPart>(request, 4, 0).text == "It is 71 %.");
  CHECK(request.tool_choice.mode == ToolChoice::Mode::named);
  CHECK(request.tool_choice.name == "read_level");
  CHECK(request.parallel_tool_calls == false);
  CHECK(request.max_tokens == 1024);
  CHECK(request.thinking.effort == "medium");
  CHECK(request.output->name == "out");
  CHECK(request.output->strict == true);
  CHECK(request.sampling.seed == 1);
  CHECK(request.user == "u");
  CHECK(request.extra.size() == 4);  // verbosity, n, store, prompt_cache_key
}

TEST_CASE("Responses' request is understood whole") {
  const auto request = read(Protocol::openai_responses, sample("request_openai_responses/full"));
  REQUIRE(request.system.size() == 2);
  CHECK(request.system[0].text == "Be brief.");
  CHECK(request.system[1].text == "Metric units.");
  REQUIRE(request.messages.size() == 6);
  CHECK(part<TextPart>(request, 0, 0).text == "Level?");
  CHECK(part<ImagePart>(request, 0, 1).base64 == "aGk=");
  CHECK(part<ImagePart>(request, 0, 1).detail == "low");
  CHECK(part<OpaquePart>(request, 0, 2).type == "input_file");
  CHECK(part<ReasoningPart>(request, 1, 0).text == "hm");
  CHECK(part<ReasoningPart>(request, 1, 0).seal == "gAAAA");
  CHECK(part<TextPart>(request, 1, 1).text == "I look.");
  CHECK(part<ToolCallPart>(request, 1, 2).id == "call_1");
  CHECK(part<ToolCallPart>(request, 1, 2).arguments == "{\"tank\": 1.50}");
  CHECK(part<ToolResultPart>(request, 2, 0).call_id == "call_1");
  CHECK(part<ToolResultPart>(request, 2, 1).content.size() == 2);
  CHECK(part<OpaquePart>(request, 3, 0).type == "web_search_call");
  CHECK(request.messages[4].role == Role::system);
  CHECK(request.tools.at(0).strict == true);
  CHECK_FALSE(request.tools.at(1).provider_tool.empty());
  CHECK(request.tool_choice.name == "read_level");
  CHECK(request.parallel_tool_calls == false);
  CHECK(request.max_tokens == 1024);
  CHECK(request.thinking.effort == "medium");
  CHECK(request.thinking.display == "auto");
  REQUIRE(request.output.has_value());
  CHECK(request.output->name == "out");
  CHECK(request.user == "u");
  CHECK(request.extra.size() == 5);  // store, include, text, prompt_cache_key, truncation
  const auto out = written(Protocol::openai_responses, request);
  CHECK(contains(out, R"("id":"msg_1","status":"completed","phase":"commentary")"));
  CHECK(contains(out, R"("verbosity":"low")"));
  CHECK(contains(out, R"({"type":"web_search_call","id":"ws_1","status":"completed"})"));
}

TEST_CASE("written and read again, a request says the same") {
  for (const auto& [protocol, path] :
       {std::pair(Protocol::anthropic_messages, "request_anthropic_messages/full"),
        std::pair(Protocol::openai_chat, "request_openai_chat/full"),
        std::pair(Protocol::openai_responses, "request_openai_responses/full")}) {
    const auto once = written(protocol, read(protocol, sample(path)));
    CHECK(written(protocol, read(protocol, once)) == once);
    CHECK(contains(once, "cache"));  // cache_control, prompt_cache_key: the caller's extra fields
  }
}

// Each was once written, read and written again as something else.
TEST_CASE(
    "what is written is read as what was meant, whatever the client left empty or out of place") {
  struct Case {
    Protocol protocol;
    std::string_view members;  // beside the model
    std::string_view wanted;   // in what is written
  };
  constexpr auto anthropic = Protocol::anthropic_messages;
  constexpr auto chat = Protocol::openai_chat;
  constexpr auto responses = Protocol::openai_responses;
  const Case cases[] = {
      {anthropic, R"("max_tokens":1,"messages":[],"system":"")", R"("messages":[])"},
      {anthropic, R"("max\u005ftokens":7,"messages":[],"k\u00e4se":1)", R"("max_tokens":7)"},
      {chat, R"("messages":[{"role":"user"},{"role":"system","content":"s","name":"n"}])",
       R"([{"role":"user","content":[]},{"role":"system","content":"s","name":"n"}])"},
      {chat,
       R"("messages":[{"role":"user","content":[{"type":"text","text":"q"}],)"
       R"("tool_calls":[{"id":"i","function":{"name":"f","arguments":""}}]}])",
       R"([{"role":"user","content":"q"}])"},
      {chat,
       R"("messages":[],"tools":[{"type":"function","function":{"name":"f"}}],)"
       R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}})",
       R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}})"},
      {chat,
       R"("messages":[{"role":"tool","tool_call_id":"i","content":[{"type":"image_url",)"
       R"("image_url":{"url":"https://example.com/a.png"}}]}])",
       R"({"role":"user","content":[{"type":"image_url")"},
      {chat,
       R"("messages":[{"role":"assistant","tool_calls":[{"type":"custom","id":"i","custom":)"
       R"({"name":"f","input":"x = 1"}},{"id":"j","function":{"name":"g","arguments":""}}]},)"
       R"({"role":"user","content":"q","tool_calls":[{"type":"custom","id":"k"}]}])",
       R"("tool_calls":[{"type":"custom","id":"i","custom":{"name":"f","input":"x = 1"}},)"
       R"({"id":"j","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
       R"({"role":"user","content":"q"}])"},
      {chat, R"("messages":[{"role":"user","content":[{"type":"refusal","text":"q","k":1}]}])",
       R"([{"type":"text","text":"q","k":1}])"},
      {responses,
       R"("input":[{"role":"user","content":[]},{"role":"developer","content":"d","id":"msg_1"}])",
       R"("content":[]},{"type":"message","role":"developer")"},
      {responses, R"("input":[{"role":"system","content":"b"}],"instructions":"a")",
       R"("instructions":"a\n\nb")"},
  };
  for (const auto& [protocol, members, wanted] : cases) {
    CAPTURE(members);
    const auto once =
        written(protocol, read(protocol, R"({"model":"m",)" + std::string(members) + "}"));
    CHECK_MESSAGE(contains(once, wanted), once);
    CHECK(written(protocol, read(protocol, once)) == once);
  }
}

TEST_CASE("what another protocol's client sent is written without what only its own knows") {
  const auto from_chat = written(Protocol::anthropic_messages,
                                 read(Protocol::openai_chat, sample("request_openai_chat/full")));
  CHECK(contains(
      from_chat,
      R"({"type":"tool_use","id":"call_1","name":"read_level","input":{"tank":"north"}})"));
  CHECK(contains(
      from_chat,
      R"("tool_choice":{"type":"tool","name":"read_level","disable_parallel_tool_use":true})"));
  CHECK(
      contains(from_chat, R"("source":{"type":"base64","media_type":"image/png","data":"aWE="})"));
  CHECK_FALSE(contains(from_chat, "hm"));
  CHECK_FALSE(contains(from_chat, "verbosity"));
  CHECK_FALSE(contains(from_chat, "file_id"));
  const auto from_anthropic =
      written(Protocol::openai_chat,
              read(Protocol::anthropic_messages, sample("request_anthropic_messages/full")));
  CHECK(
      contains(from_anthropic, R"({"role":"tool","tool_call_id":"toolu_01Abc","content":"71 %"})"));
  CHECK(contains(from_anthropic, R"("arguments":"{\"tank\":\"north\",\"n\":1.50}")"));
  CHECK(contains(from_anthropic,
                 R"("url":"data:image/png;base64,aWE=")"));  // out of the tool's result
  CHECK_FALSE(contains(from_anthropic, "c2ln"));
  CHECK_FALSE(contains(from_anthropic, "cache_control"));
  CHECK_FALSE(contains(from_anthropic, "web_search"));
}

TEST_CASE("a request of one's own") {
  Request request("claude-sonnet-5");
  request.messages.emplace_back(Role::user, "Hi \"there\"");
  request.thinking.mode = Thinking::Mode::budget;
  request.thinking.budget_tokens = 2048;
  CHECK(
      written(Protocol::anthropic_messages, request) ==
      R"({"model":"claude-sonnet-5","max_tokens":8192,"stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"Hi \"there\""}]}],"thinking":{"type":"enabled","budget_tokens":2048}})");
  request.max_tokens = 5;
  CHECK(
      written(Protocol::openai_chat, request) ==
      R"({"model":"claude-sonnet-5","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi \"there\""}],"max_tokens":5})");
  request.model = "gpt-5.4";
  request.stream = false;
  CHECK(contains(written(Protocol::openai_chat, request), R"("max_completion_tokens":5)"));
  CHECK(estimated_tokens(request) == 2);
}

TEST_CASE("a prompt's size is of its text: bytes of images, documents and sounds do not count") {
  const std::string bytes(4000, 'A');
  const auto size = [](Protocol protocol, const std::string& parts) {
    return estimated_tokens(
        read(protocol, R"({"model":"m","messages":[{"role":"user","content":[)" + parts + "]}]}"));
  };
  constexpr auto anthropic = Protocol::anthropic_messages;
  constexpr auto chat = Protocol::openai_chat;
  const auto pdf =
      R"({"type":"document","source":{"type": "base64","media_type":"application/pdf",)"
      R"("data":")" +
      bytes + R"("}})";
  CHECK(size(anthropic, pdf) == 0);
  CHECK(size(anthropic, R"({"type":"tool_result","tool_use_id":"i","content":[)" + pdf + "]}") ==
        0);
  CHECK(size(anthropic, R"({"type":"document","source":{"type":"text","media_type":"text/plain",)"
                        R"("data":"say \"base64\" )" +
                            bytes + R"("}})") >= 1000);
  CHECK(size(chat, R"({"type":"file","file":{"filename":"a.pdf","file_data":")" + bytes +
                       R"("}},{"type":"input_audio","input_audio":{"format":"wav","data":")" +
                       bytes + R"("}})") == 0);
  CHECK(estimated_tokens(read(Protocol::openai_responses,
                              R"({"model":"m","input":[{"role":"user","content":[)"
                              R"({"type":"input_file","filename":"a","file_data":")" +
                                  bytes + R"("}]}]})")) == 0);
}

TEST_CASE("chat's output limit is called what the model takes, or what the caller called it") {
  const auto limit = [](const Request& request) {
    const auto out = written(Protocol::openai_chat, request);
    const bool old_word = contains(out, R"("max_tokens":5)");
    CHECK(old_word != contains(out, R"("max_completion_tokens":5)"));
    return old_word ? OutputLimit::max_tokens : OutputLimit::max_completion_tokens;
  };
  Request request("o3-mini");
  request.max_tokens = 5;
  CHECK(limit(request) == OutputLimit::max_completion_tokens);
  request.model = "openai/gpt-oss-120b";
  CHECK(limit(request) == OutputLimit::max_tokens);
  request.output_limit = OutputLimit::max_completion_tokens;
  CHECK(limit(request) == OutputLimit::max_completion_tokens);

  CHECK(limit(read(Protocol::openai_chat, R"({"model":"gpt-5.4","max_tokens":5,"messages":[]})")) ==
        OutputLimit::max_tokens);
  CHECK(limit(read(Protocol::openai_chat,
                   R"({"model":"mine","max_completion_tokens":5,"messages":[]})")) ==
        OutputLimit::max_completion_tokens);
}

TEST_CASE("arguments and schemas that are no JSON objects do not break the document") {
  Request request("m");
  request.messages.emplace_back(Role::assistant);
  request.messages[0].parts.emplace_back(ToolCallPart("t", "f", R"({"cut":)"));
  request.tools.emplace_back("f", "", R"("},{")");
  for (const auto protocol : {Protocol::anthropic_messages, Protocol::openai_chat}) {
    CHECK(contains(written(protocol, request), R"({"type":"object","properties":{}})"));
  }
}

TEST_CASE("what cannot be understood is named") {
  struct Case {
    Protocol protocol;
    std::string_view body;
    std::string_view message;
  };
  constexpr auto anthropic = Protocol::anthropic_messages;
  constexpr auto chat = Protocol::openai_chat;
  const Case cases[] = {
      {anthropic, "", "the body is not a JSON object"},
      {anthropic, "[]", "the body is not a JSON object"},
      {anthropic, "{}", "model: is missing"},
      {anthropic, R"({"model":1})", "model: must be a string"},
      {anthropic, R"({"model":"m","max_tokens":-1})",
       "max_tokens: must be a whole number, not negative"},
      {anthropic, R"({"model":"m","messages":{}})", "messages: must be an array"},
      {anthropic, R"({"model":"m","messages":[{"role":"tool"}]})",
       "messages.role: must be user, assistant or system"},
      {anthropic, R"({"model":"m","messages":[{"role":"user","content":[1]}]})",
       "messages.content: must be an object"},
      {anthropic, R"({"model":"m","messages":[{"role":"user","content":[{}]}]})",
       "messages.content.type: is missing"},
      {anthropic, R"({"model":"m","tool_choice":{"type":"some"}})",
       "tool_choice.type: must be auto, any, tool or none"},
      {chat, R"({"model":"m","messages":[{"role":"user","content":5}]})",
       "messages.content: must be an array"},
      {chat, R"({"model":"m","messages":[{"role":"nobody"}]})",
       "messages.role: must be system, developer, user, assistant or tool"},
      {chat, R"({"model":"m","temperature":"hot"})", "temperature: must be a number"},
      {chat, R"({"model":"m","stream":"yes"})", "stream: must be true or false"},
  };
  for (const auto& [protocol, body, message] : cases) {
    CAPTURE(body);
    const auto request = codec_for(protocol).read_request(body);
    REQUIRE(request.has_error());
    CHECK_MESSAGE(request.error().message.starts_with(message), request.error().message);
  }
  CHECK(
      codec_for(chat).read_request(R"({"model":"m","stop":null,"temperature":null})").has_value());
}

TEST_CASE("null is as good as nothing, but for what must be there") {
  const auto anthropic = read(
      Protocol::anthropic_messages,
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"tool_result",)"
      R"("tool_use_id":"i","is_error":null,"content":null}]}],"max_tokens":null,"system":null,)"
      R"("stream":null,"stop_sequences":null,"temperature":null,"metadata":null,"service_tier":null,)"
      R"("tools":[{"name":"f","description":null,"input_schema":{},"strict":null}],)"
      R"("tool_choice":{"type":"auto","name":null,"disable_parallel_tool_use":null},)"
      R"("thinking":{"type":"adaptive","budget_tokens":null,"display":null},)"
      R"("output_config":{"effort":null,"format":{"type":"json_schema","schema":null}}})");
  CHECK(anthropic.thinking.mode == Thinking::Mode::adaptive);
  CHECK(anthropic.thinking.effort.empty());
  CHECK(anthropic.tool_choice.mode == ToolChoice::Mode::automatic);
  CHECK(anthropic.output.has_value());
  CHECK(anthropic.extra.empty());
  const auto bare = read(Protocol::anthropic_messages,
                         R"({"model":"m","messages":[],"tools":null,"tool_choice":null,)"
                         R"("thinking":null,"output_config":null})");
  CHECK(bare.tools.empty());
  CHECK(bare.thinking.mode == Thinking::Mode::unset);
  const auto chat = read(Protocol::openai_chat,
                         R"({"model":"m","messages":[],"stream_options":{"include_usage":null},)"
                         R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
                         R"("description":null,"strict":null,"schema":null}}})");
  CHECK_FALSE(chat.stream_usage);
  REQUIRE(chat.output.has_value());
  CHECK(chat.output->schema.empty());
  for (const auto* body :
       {R"({"model":null,"messages":[]})", R"({"model":"m","messages":null})",
        R"({"model":"m","messages":[],"thinking":{"type":null}})",
        R"({"model":"m","messages":[],"tools":[{"name":"f","input_schema":null}]})"}) {
    CAPTURE(body);
    CHECK(codec_for(Protocol::anthropic_messages).read_request(body).has_error());
  }
}

TEST_CASE("chat: a whole number with a point, and an image by its address alone") {
  const auto request = read(Protocol::openai_chat,
                            R"({"model":"m","max_tokens":9.0 ,"messages":[{"role":"user",)"
                            R"("content":[{"type":"image_url","image_url":"https://a.test/a.png"},)"
                            R"({"type":"image_url","image_url":"data:image/png;base64,aGk="}]}]})");
  CHECK(request.max_tokens == 9);
  CHECK(part<ImagePart>(request, 0, 0).url == "https://a.test/a.png");
  CHECK(part<ImagePart>(request, 0, 1).base64 == "aGk=");
  for (const auto* number : {"9.5", "9.", ".0", "-9.0"}) {
    CAPTURE(number);
    CHECK(
        codec_for(Protocol::openai_chat)
            .read_request(R"({"model":"m","messages":[],"max_tokens":)" + std::string(number) + "}")
            .has_error());
  }
}

}  // namespace requests_test
