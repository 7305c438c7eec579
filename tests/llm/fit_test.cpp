#include "understudy/llm/fit.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "../growth.hpp"
#include "client_request.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace fit_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

FitTarget target_of(std::string_view preset, Protocol protocol, std::string model) {
  FitTarget target(protocol, std::string(preset), std::move(model));
  target.back_end = Catalog::built_in().back_end(preset, protocol);
  REQUIRE(target.back_end != nullptr);
  return target;
}

bool has(const Fitted& fitted, std::string_view text) {
  return fitted.body.find(text) != std::string::npos;
}

bool lost(const Fitted& fitted, Loss::Kind kind, std::string_view what) {
  return std::any_of(fitted.losses.begin(), fitted.losses.end(),
                     [&](const Loss& loss) { return loss.kind == kind && loss.what == what; });
}

constexpr auto messages = Protocol::anthropic_messages;
constexpr auto chat = Protocol::openai_chat;
constexpr auto responses = Protocol::openai_responses;

}  // namespace

TEST_CASE("to the owner of the protocol, for the client's own model, the bytes are kept") {
  const std::string body =
      R"({ "model": "claude-opus-5-5", "max_tokens": 999999 , "messages": [{"role":"user","content":"Hi"}],)"
      R"( "temperature": 0.20, "unheard_of": {"a": 1e3}, "stream": true})";
  const auto fitted =
      fit(client_request(messages, body), target_of("anthropic", messages, "claude-opus-5-5"));
  CHECK(fitted.body == body);
  CHECK(fitted.losses.empty());
}

TEST_CASE("another model of the same maker: unknown members pass, known rules edit") {
  const auto fitted = fit(
      client_request(messages, R"({"model":"claude-opus-5-5","max_tokens":128000,"stream":true,)"
                               R"("thinking":{"type":"adaptive"},"output_config":{"effort":"max"},)"
                               R"("unheard_of":1,"messages":[{"role":"user","content":"Hi"},)"
                               R"({"role":"system","content":"12 tokens"}]})"),
      target_of("anthropic", messages, "claude-sonnet-4-5"));
  CHECK(has(fitted, R"("unheard_of":1)"));
  CHECK(has(fitted, R"("max_tokens":64000)"));
  CHECK(has(fitted, R"("thinking":{"type":"enabled","budget_tokens":60000})"));
  CHECK_FALSE(has(fitted, "effort"));
  CHECK_FALSE(has(fitted, R"("role":"system")"));
  CHECK(lost(fitted, Loss::Kind::changed, "thinking"));
}

TEST_CASE("Claude Code's request at the Codex back end: no limits, no sampling, instructions") {
  const auto fitted =
      fit(client_request(
              messages,
              R"({"model":"claude-opus-5-5","max_tokens":128000,"stream":true,)"
              R"("system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=1;"},)"
              R"({"type":"text","text":"You are an agent."}],"metadata":{"user_id":"u"},)"
              R"("temperature":0.5,"messages":[{"role":"user","content":"Hi"}]})"),
          target_of("codex", responses, "gpt-5.6-sol"));
  CHECK_FALSE(has(fitted, "max_output_tokens"));
  CHECK_FALSE(has(fitted, "temperature"));
  CHECK_FALSE(has(fitted, "safety_identifier"));
  CHECK_FALSE(has(fitted, "x-anthropic-billing-header"));
  CHECK(has(fitted, R"("instructions":"You are an agent.")"));
  CHECK(has(fitted, R"("store":false)"));
  CHECK(has(fitted, R"("stream":true)"));
  CHECK(lost(fitted, Loss::Kind::dropped, "max_output_tokens"));
  CHECK(lost(fitted, Loss::Kind::dropped, "temperature"));
}

TEST_CASE("tools at Chat with a model that takes them only without effort") {
  const auto fitted =
      fit(client_request(messages,
                         R"({"model":"m","max_tokens":300000,"messages":[)"
                         R"({"role":"user","content":"Hi"}],"output_config":{"effort":"high"},)"
                         R"("tools":[{"name":"t","input_schema":{"type":"object"}}]})"),
          target_of("openai", chat, "gpt-5.6-sol"));
  CHECK(has(fitted, R"("reasoning_effort":"none")"));
  CHECK(has(fitted, R"("max_completion_tokens":128000)"));
  CHECK(lost(fitted, Loss::Kind::changed, "effort"));
}

TEST_CASE(
    "a deployment with a name of its own has the facts of the model that the user says it is") {
  const auto request = client_request(
      messages, R"({"model":"m","max_tokens":300000,"messages":[{"role":"user","content":"Hi"}]})");
  auto target = target_of("azure", chat, "team-blue");
  CHECK(has(fit(request, target), R"("max_tokens":300000)"));
  target.family = "gpt-5.6-sol";
  const auto fitted = fit(request, target);
  CHECK(has(fitted, R"("max_completion_tokens":128000)"));
  CHECK(has(fitted, R"("model":"team-blue")"));
}

TEST_CASE("a limit below the least is raised, and one above the model's is cut") {
  const auto at = [](int limit) {
    return fit(client_request(chat, R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)"
                                    R"("max_tokens":)" +
                                        std::to_string(limit) + "}"),
               target_of("openai-codex", responses, "gpt-5.6-sol"))
        .body;
  };
  CHECK(at(1).find(R"("max_output_tokens":16)") != std::string::npos);
  CHECK(at(500000).find(R"("max_output_tokens":128000)") != std::string::npos);
  CHECK(at(1000).find(R"("max_output_tokens":1000)") != std::string::npos);
}

TEST_CASE("Mistral: names, ids and members within the Chat protocol") {
  const auto fitted = fit(
      client_request(
          chat,
          R"({"model":"gpt-5.6","seed":7,"store":false,"logit_bias":{"1":2},)"
          R"("max_completion_tokens":100,"messages":[{"role":"developer","content":"Be brief."},)"
          R"({"role":"user","content":"Hi","name":"ann"},{"role":"assistant","content":null,)"
          R"("reasoning_content":"hm","tool_calls":[{"id":"call_abcdefghijkl","type":"function",)"
          R"("function":{"name":"f","arguments":"{}"}}]},)"
          R"({"role":"tool","tool_call_id":"call_abcdefghijkl","content":"7"},)"
          R"({"role":"user","content":"And now?"}]})"),
      target_of("mistral", chat, "mistral-large-latest"));
  CHECK(has(fitted, R"("random_seed":7)"));
  CHECK(has(fitted, R"("max_tokens":100)"));
  CHECK_FALSE(has(fitted, "max_completion_tokens"));
  CHECK_FALSE(has(fitted, "logit_bias"));
  CHECK_FALSE(has(fitted, "\"store\""));
  CHECK_FALSE(has(fitted, "reasoning_content"));
  CHECK_FALSE(has(fitted, "\"ann\""));
  CHECK_FALSE(has(fitted, "developer"));
  CHECK_FALSE(has(fitted, "call_abcdefghijkl"));
  CHECK(has(fitted, R"("content":"7\n\nAnd now?")"));
  CHECK(lost(fitted, Loss::Kind::dropped, "logit_bias"));
  CHECK_FALSE(lost(fitted, Loss::Kind::dropped, "store"));
}

TEST_CASE("a member whose name has dots is dropped by that name") {
  const auto fitted = fit(
      client_request(
          chat, R"({"model":"m","a.b":1,"a":{"b":2},"messages":[{"role":"user","content":"Hi"}]})"),
      target_of("mistral", chat, "mistral-large-latest"));
  CHECK_FALSE(has(fitted, R"("a.b")"));
  CHECK_FALSE(has(fitted, R"("b":2)"));
  CHECK(lost(fitted, Loss::Kind::dropped, "a.b"));
}

TEST_CASE("the end user is the same in every session") {
  const auto user_of = [](const std::string& session) {
    const auto fitted = fit(
        client_request(
            messages,
            R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],)"
            R"("metadata":{"user_id":"user_0123456789012345678901234567890123456789_account__session_)" +
                session + R"("}})"),
        target_of("openai-codex", responses, "gpt-5.6-sol"));
    const auto at = fitted.body.find(R"("safety_identifier":")");
    REQUIRE(at != std::string::npos);
    return fitted.body.substr(at + 21, 64);
  };
  CHECK(user_of("00000000-0000-4000-8000-000000000001") ==
        user_of("00000000-0000-4000-8000-000000000002"));
  CHECK(user_of("00000000-0000-4000-8000-000000000001").find("user_") == std::string::npos);
}

TEST_CASE("Claude Code's device and session reach no other maker, however long an id it takes") {
  const std::string session = "00000000-0000-4000-8000-000000000001";
  const auto request = client_request(
      messages,
      R"({"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],)"
      R"("metadata":{"user_id":"{\"device_id\":\"0123456789\",\"account_uuid\":\"\",\"session_id\":\")" +
          session + R"(\"}"}})");
  for (const auto& target :
       {target_of("deepseek", chat, "deepseek-v4-pro"), target_of("minimax", chat, "minimax-m3"),
        target_of("zai", messages, "glm-5.3")}) {
    const auto fitted = fit(request, target);
    CHECK_FALSE(has(fitted, session));
    CHECK_FALSE(has(fitted, "0123456789"));
    CHECK((has(fitted, R"("user":")") || has(fitted, R"("metadata":{"user_id":")")));
  }
  CHECK(has(fit(request, target_of("anthropic", messages, "claude-sonnet-4-5")), session));
}

TEST_CASE("Codex sends DeepSeek's reasoning back, without which DeepSeek refuses the next turn") {
  const std::string head =
      R"({"model":"gpt-5.5","store":false,"include":["reasoning.encrypted_content"],"input":[)";
  const auto first = client_request(responses, head + R"({"role":"user","content":"q"}]})");
  Answer answer;
  std::string stream;
  const auto encoder = codec_for(responses).encoder(first);
  CarriedSeals seals(first);
  seals.from(ReasoningOrigin("deepseek", "deepseek-v4-pro"), chat);
  for (const auto& event :
       {Event(Start("a", "deepseek-v4-pro")), Event(Reasoning(0, "Think.")),
        Event(ToolStart(1, "call_1", "f")), Event(ToolArguments(1, "{}")), Event(ToolEnd(1, true)),
        Event(Finish(FinishReason::tool_use, "tool_calls")), Event(End())}) {
    if (const auto* const seal = seals.missing(event)) {
      encoder->write(*seal, stream);
    }
    encoder->write(*seals.carried(event), stream);
    answer.add(event);
  }
  answer.protocol = chat;
  answer.origin = ReasoningOrigin("deepseek", "deepseek-v4-pro");
  carry_seals(answer, first);
  std::string whole;
  codec_for(responses).write_answer(answer, first, whole);
  for (const auto* const answered : {&stream, &whole}) {
    constexpr std::string_view member = R"("encrypted_content":")";
    const auto at = answered->find(member);
    REQUIRE(at != std::string::npos);
    const auto from = at + member.size();
    const auto seal = answered->substr(from, answered->find('"', from) - from);
    const auto next = client_request(
        responses,
        head +
            R"({"role":"user","content":"q"},{"type":"reasoning","summary":[{"type":"summary_text",)"
            R"("text":"Think."}],"encrypted_content":")" +
            seal +
            R"("},{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"},)"
            R"({"type":"function_call_output","call_id":"call_1","output":"7"}]})");
    CHECK(has(fit(next, target_of("deepseek", chat, "deepseek-v4-pro")),
              R"("reasoning_content":"Think.")"));
    for (const auto& target : {target_of("openai-codex", responses, "gpt-5.5"),
                               target_of("anthropic", messages, "claude-opus-5-5")}) {
      const auto fitted = fit(next, target);
      CHECK_FALSE(has(fitted, "us1."));
      CHECK_FALSE(has(fitted, "Think."));
    }
  }
  const auto unasked = client_request(responses, R"({"model":"m","input":"q"})");
  carry_seals(answer, unasked);
  std::string plain;
  codec_for(responses).write_answer(answer, unasked, plain);
  CHECK(plain.find("encrypted_content") == std::string::npos);
}

TEST_CASE("Codex's tools in front of its prompt are no reason to add instructions") {
  const auto fitted =
      fit(client_request(responses,
                         R"({"model":"gpt-5.6-sol","store":false,"stream":true,"input":[)"
                         R"({"type":"additional_tools","role":"developer","tools":[]},)"
                         R"({"type":"message","role":"developer","content":"You are Codex."},)"
                         R"({"type":"message","role":"user","content":"q"}]})"),
          target_of("codex", responses, "gpt-5.6-sol"));
  CHECK_FALSE(has(fitted, "instructions"));
  const auto without = fit(
      client_request(responses, R"({"model":"gpt-5.6-sol","store":false,"stream":true,"input":[)"
                                R"({"type":"additional_tools","role":"developer","tools":[]},)"
                                R"({"type":"message","role":"user","content":"q"}]})"),
      target_of("codex", responses, "gpt-5.6-sol"));
  CHECK(has(without, "instructions"));
}

TEST_CASE("what the translation and a rule lose alike is named once") {
  const auto fitted =
      fit(client_request(
              messages,
              R"({"model":"m","max_tokens":9,"system":"s","messages":[)"
              R"({"role":"user","content":"Hi"},{"role":"system","content":"12 tokens"},)"
              R"({"role":"assistant","content":"Yes"},{"role":"system","content":"13 tokens"},)"
              R"({"role":"user","content":"And?"}]})"),
          target_of("minimax", chat, "minimax-m3"));
  auto names = fitted.losses;
  for (auto loss = names.begin(); loss != names.end(); ++loss) {
    CHECK(std::count(names.begin(), names.end(), *loss) == 1);
  }
}

TEST_CASE("the same request gives the same bytes") {
  const auto request = client_request(
      chat,
      R"({"model":"m","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":)"
      R"(null,"tool_calls":[{"id":"a-very-long-id-that-mistral-refuses","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":)"
      R"("a-very-long-id-that-mistral-refuses","content":"7"}]})");
  const auto target = target_of("mistral", chat, "mistral-large-latest");
  CHECK(fit(request, target).body == fit(request, target).body);
}

TEST_CASE("DeepSeek: a schema is asked for in words, a forced tool turns thinking off") {
  const auto format = fit(
      client_request(chat, R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)"
                           R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
                           R"("schema":{"type":"object"}}}})"),
      target_of("deepseek", chat, "deepseek-v4"));
  CHECK(has(format, R"("response_format":{"type":"json_object"})"));
  CHECK(has(format, R"(JSON Schema: {\"type\":\"object\"}")"));
  CHECK(lost(format, Loss::Kind::changed, "output"));
  const auto forced =
      fit(client_request(
              chat,
              R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)"
              R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"})"),
          target_of("deepseek", chat, "deepseek-v4"));
  CHECK(has(forced, R"("thinking":{"type":"disabled"})"));
  CHECK(has(forced, R"("tool_choice":"required")"));
}

TEST_CASE("Kimi refused a tool named `ls`, whose name is too short there") {
  const auto fitted = fit(
      client_request(messages,
                     R"({"model":"m","max_tokens":10,"messages":[{"role":"user","content":"Hi"}],)"
                     R"("tools":[{"name":"ls","input_schema":{"type":"object"}},)"
                     R"({"name":"3d","input_schema":{"type":"object"}}]})"),
      target_of("kimi", chat, "kimi-k2.6"));
  CHECK_FALSE(has(fitted, R"("name":"ls")"));
  REQUIRE(fitted.tools.size() == 2);  // restored in the answer
  for (const std::string_view prefix : {"ls_", "_3d"}) {
    const auto at = fitted.body.find("\"name\":\"" + std::string(prefix));
    REQUIRE(at != std::string::npos);
    const auto sent = fitted.body.substr(at + 8, fitted.body.find('"', at + 8) - at - 8);
    REQUIRE(fitted.tools.find(sent) != nullptr);
    CHECK(fitted.tools.find(sent)->name == (prefix == "ls_" ? "ls" : "3d"));
  }
}

TEST_CASE("Groq and Mistral refused the `refusal: null` with which SDKs send an answer back") {
  const auto request = client_request(
      chat,
      R"({"model":"m","messages":[{"role":"user","content":"Hi"},)"
      R"({"role":"assistant","content":"so","refusal":null},{"role":"user","content":"and"}]})");
  for (const char* const back_end : {"groq", "mistral"}) {
    const auto fitted = fit(request, target_of(back_end, chat, "some-model"));
    CHECK_FALSE(has(fitted, "refusal"));
    CHECK(fitted.losses.empty());
  }
}

TEST_CASE("Anthropic refused a tool with a property `$top`: it goes there under another name") {
  const auto fitted =
      fit(client_request(
              chat,
              R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":)"
              R"("function","function":{"name":"list","parameters":{"type":"object","properties":)"
              R"({"$top":{"type":"integer"},"all":{"type":"object","properties":{"a b":{}}},)"
              R"("w":{"enum":[{"properties":{"$v":1}}]}},"required":["all","$top"]}}}]})"),
          target_of("anthropic", messages, "claude-opus-5-5"));
  CAPTURE(fitted.body);
  CHECK(has(fitted, R"("required":["all",)"));
  CHECK_FALSE(has(fitted, "$top"));
  CHECK_FALSE(has(fitted, "a b"));
  CHECK(has(fitted, "$v"));  // a value
}

TEST_CASE("a server that is not known gets what all servers of the protocol take") {
  const auto request = client_request(
      messages, R"({"model":"m","max_tokens":10,"metadata":{"user_id":"u"},"top_k":3,"messages":[)"
                R"({"role":"user","content":"Hi"}]})");
  const auto fitted = fit(request, FitTarget(chat, "mine", "some-model"));
  CHECK_FALSE(has(fitted, "\"user\":\"u\""));
  CHECK(has(fitted, R"("max_tokens":10)"));
  const std::string own = R"({"model":"some-model","odd":1,"messages":[],"stream":true})";
  CHECK(fit(client_request(chat, own), FitTarget(chat, "mine", "some-model")).body == own);
}

TEST_CASE(
    "members that need a beta: sent with it where the host has it, left out and named elsewhere") {
  const auto request = client_request(
      messages, R"({"model":"claude-opus-5","max_tokens":10,"speed":"fast","messages":[)"
                R"({"role":"user","content":"Hi"}]})");
  const auto own = fit(request, target_of("anthropic", messages, "claude-opus-4-8"));
  CHECK(has(own, R"("speed":"fast")"));
  CHECK(own.betas == "fast-mode-2026-02-01");
  auto vertex = target_of("vertex", messages, "claude-opus-4-8");
  vertex.betas = "no-such-beta";
  const auto elsewhere = fit(request, vertex);
  CHECK_FALSE(has(elsewhere, "speed"));
  CHECK(elsewhere.betas.empty());
  CHECK(lost(elsewhere, Loss::Kind::dropped, "beta no-such-beta"));
}

TEST_CASE("the prompt of a client whose protocol caches by itself is cached by Anthropic too") {
  const auto target = target_of("anthropic", messages, "claude-opus-5-5");
  const auto plain = fit(
      client_request(chat, R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})"), target);
  CHECK(has(plain, R"("cache_control":{"type":"ephemeral"})"));
  const auto marked =
      fit(client_request(chat,
                         R"({"model":"m","messages":[{"role":"system","content":[{"type":"text",)"
                         R"("text":"Be brief.","cache_control":{"type":"ephemeral","ttl":"1h"}}]},)"
                         R"({"role":"user","content":"Hi"}]})"),
          target);
  CHECK(has(marked, R"("text":"Be brief.","cache_control":{"type":"ephemeral","ttl":"1h"})"));
  CHECK_FALSE(has(marked, R"("cache_control":{"type":"ephemeral"})"));
  CHECK_FALSE(lost(marked, Loss::Kind::dropped, "field cache_control"));
}

TEST_CASE("fitting takes linear time") {
  const auto conversation = [](std::size_t bytes) {
    std::string body = R"({"model":"m","max_tokens":100,"messages":[)";
    for (std::size_t i = 0; body.size() < bytes; ++i) {
      const auto id = "toolu_" + std::to_string(i);
      body +=
          R"({"role":"user","content":"Read the file."},{"role":"assistant","content":[)"
          R"({"type":"tool_use","id":")" +
          id + R"(","name":"Read","input":{"path":"/a"}}]},{"role":"user","content":[{"type":)" +
          R"("tool_result","tool_use_id":")" + id + R"(","content":"some text of the file"}]},)";
    }
    body += R"({"role":"user","content":"Go on."}]})";
    return [request = client_request(messages, body),
            target = target_of("vertex", messages, "claude-sonnet-4-5")] { fit(request, target); };
  };
  // Properties whose names are refused, each of them required.
  const auto properties = [](std::size_t bytes) {
    std::string all;
    std::string required;
    for (std::size_t i = 0; all.size() + required.size() < bytes; ++i) {
      const auto name = "\"$" + std::to_string(i) + "\"";
      all.append(i > 0 ? "," : "").append(name).append(":{}");
      required.append(i > 0 ? "," : "").append(name);
    }
    const auto body =
        R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":)"
        R"("function","function":{"name":"f","parameters":{"type":"object",)"
        R"("properties":{)" +
        all + R"(},"required":[)" + required + "]}}}]}";
    return [request = client_request(chat, body),
            target = target_of("anthropic", messages, "claude-opus-5-5")] { fit(request, target); };
  };
  const auto turns = growth::of(conversation, std::size_t{256} * 1024);
  CHECK_MESSAGE(turns.ratio() <= growth::linear, turns);
  const auto schema = growth::of(properties, std::size_t{128} * 1024);
  CHECK_MESSAGE(schema.ratio() <= growth::linear, schema);
}

TEST_CASE("an identifier that names a session never goes to another maker, and hashes are salted") {
  const auto user_at = [](std::string_view preset, Protocol protocol, std::string salt) {
    auto target = target_of(preset, protocol, "some-model");
    target.user_salt = std::move(salt);
    const auto fitted = fit(
        client_request(messages,
                       R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],)"
                       R"("metadata":{"user_id":"{\"device_id\":\"d\",\"session_id\":\"s\"}"}})"),
        target);
    CHECK_FALSE(has(fitted, "session"));
    CHECK_FALSE(has(fitted, "device"));
    const auto at = fitted.body.find(R"("user":")");
    return at == std::string::npos ? std::string() : fitted.body.substr(at + 8, 64);
  };
  const auto user = user_at("groq", chat, "ours");
  CHECK(user.size() == 64);
  CHECK(user == user_at("groq", chat, "ours"));
  CHECK(user != user_at("groq", chat, "another's"));
}

TEST_CASE("Vertex: the model is not in the body, the version is") {
  const auto fitted =
      fit(client_request(messages, R"({"model":"claude-opus-4-7","max_tokens":9,"stream":true,)"
                                   R"("messages":[{"role":"user","content":"Hi"}]})"),
          target_of("vertex", messages, "claude-opus-4-7"));
  CHECK_FALSE(has(fitted, R"("model")"));
  CHECK(has(fitted, R"("anthropic_version":"vertex-2023-10-16")"));
  CHECK(has(fitted, R"("stream":true)"));
  CHECK(fitted.losses.empty());
}

TEST_CASE("several answers that another protocol does not have are a loss, and one is none") {
  const auto losses = [](const char* members) {
    return fit(
        client_request(chat,
                       std::string(R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)") +
                           members + "}"),
        target_of("anthropic", messages, "claude-opus-4-7"));
  };
  CHECK(lost(losses(R"("n":3)"), Loss::Kind::dropped, "n"));
  CHECK(lost(losses(R"("logprobs":true,"top_logprobs":2)"), Loss::Kind::dropped, "logprobs"));
  const auto none = losses(R"("n":1,"logprobs":false)");
  CHECK_FALSE(lost(none, Loss::Kind::dropped, "n"));
  CHECK_FALSE(lost(none, Loss::Kind::dropped, "logprobs"));
}

TEST_CASE("images in tool messages of a Chat client follow the results, where they are refused") {
  const std::string image =
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}})";
  const auto fitted = fit(
      client_request(
          chat, R"({"model":"m","messages":[{"role":"user","content":"Hi"},)"
                R"({"role":"assistant","content":null,"tool_calls":[)"
                R"({"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},)"
                R"({"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
                R"({"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"one"},)" +
                    image + R"(]},{"role":"tool","tool_call_id":"b","content":[)" + image +
                    R"(]},{"role":"user","content":"And now?"}]})"),
      target_of("openai", chat, "gpt-4o"));
  CAPTURE(fitted.body);
  CHECK(
      has(fitted, R"({"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"one"}]},)"
                  R"({"role":"tool","tool_call_id":"b","content":[{"type":"text",)"
                  R"("text":"[the image is in the next message]"}]},{"role":"user","content":[)" +
                      image + "," + image + R"(]},{"role":"user","content":"And now?"}])"));
  CHECK(fitted.losses.empty());
}

TEST_CASE(
    "Claude 4.5 goes on with a loop of calls that another member has begun: it does not think "
    "there") {
  const auto seal = *write_carrier(
      Carrier(CarrierKind::encrypted, ReasoningOrigin("codex", "gpt-5.6-sol"), "gAAA"));
  const auto body = [&](const std::string& thinking, const std::string& signature,
                        const std::string& last) {
    return R"({"model":"claude-sonnet-4-5","max_tokens":9000,"thinking":)" + thinking +
           R"(,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)" +
           R"({"type":"thinking","thinking":"t","signature":")" + signature +
           R"("},{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},)" + last + "]}";
  };
  const std::string enabled = R"({"type":"enabled","budget_tokens":4000})";
  const std::string result =
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"7"}]})";
  auto target = target_of("anthropic", messages, "claude-sonnet-4-5");
  target.maker = "anthropic";
  const auto fitted_for = [&](const std::string& text) {
    auto request = client_request(messages, text);
    request.home = ReasoningOrigin("anthropic", "claude-sonnet-4-5");
    request.home->maker = "anthropic";
    return fit(request, target);
  };
  const auto foreign = fitted_for(body(enabled, seal, result));
  CHECK(has(foreign, R"("thinking":{"type":"disabled"})"));
  CHECK_FALSE(has(foreign, "us1."));
  // Its own loop, and the next question, think as the client wishes.
  CHECK(has(fitted_for(body(enabled, "EqQB", result)), enabled));
  CHECK(has(fitted_for(body(
                enabled, seal,
                result + R"(,{"role":"assistant","content":"a"},{"role":"user","content":"r"})")),
            enabled));
  CHECK(has(fitted_for(body(R"({"type":"disabled"})", seal, result)), R"({"type":"disabled"})"));
}

}  // namespace fit_test
