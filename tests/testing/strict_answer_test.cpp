// What the strict doubles answer, and what they make of it when it comes back.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <string>

#include "llm/strict_client.hpp"
#include "testing/strict_requests.hpp"
#include "understudy/testing/strict_backend.hpp"

namespace strict_answer_tests {

using namespace understudy;
using namespace understudy::testing;
using strict_requests::headers;
using strict_requests::request;
using Calls = StrictAnswerOptions::Calls;

namespace {

const StrictBackend& backend_of(std::string_view id) {
  return StrictBackends::embedded().backend(id);
}

llm::Protocol protocol_of(const StrictBackend& backend) {
  return backend.protocol() == "anthropic_messages" ? llm::Protocol::anthropic_messages
         : backend.protocol() == "openai_chat"      ? llm::Protocol::openai_chat
                                                    : llm::Protocol::openai_responses;
}

/// A member that makes the back end call the tool `look`.
std::string tool_of(const StrictBackend& backend) {
  const std::string schema =
      R"({"type":"object","properties":{"a":{"type":"string"},"n":{"type":"integer"}},"required":["a"]})";
  if (backend.protocol() == "anthropic_messages") {
    return R"("tools":[{"name":"look","input_schema":)" + schema + "}]";
  }
  if (backend.protocol() == "openai_responses") {
    return R"("tools":[{"type":"function","name":"look","description":"Looks.","strict":false,"parameters":)" +
           schema + "}]";
  }
  return R"("tools":[{"type":"function","function":{"name":"look","parameters":)" + schema + "}}]";
}

/// The JSON text at a pointer in a whole answer.
std::string part_of(const StrictAnswer& answer, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element found;
  const auto body = answer.body();
  REQUIRE(parser.parse(body).get(root) == simdjson::SUCCESS);
  REQUIRE_MESSAGE(root.at_pointer(pointer).get(found) == simdjson::SUCCESS, body);
  return simdjson::to_string(found);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from, " in ", text);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE(
    "strict answers: the strictest clients take them, with text and with a call, streamed and "
    "whole") {
  for (const auto id : StrictBackends::embedded().ids()) {
    const auto& backend = backend_of(id);
    for (const bool streamed : {true, false}) {
      for (const bool call : {true, false}) {
        if (id == "codex" && !streamed) {
          continue;  // it refuses that
        }
        CAPTURE(id);
        CAPTURE(streamed);
        CAPTURE(call);
        auto extra = std::string(R"("stream":)") + (streamed ? "true" : "false");
        if (backend.protocol() == "openai_chat") {
          extra += R"(,"stream_options":{"include_usage":true})";
        }
        if (backend.protocol() == "openai_responses") {
          extra += R"(,"include":["reasoning.encrypted_content"],)"
                   R"("reasoning":{"effort":"low","summary":"auto"})";
        }
        if (call) {
          extra += "," + tool_of(backend);
        }
        if (call && (id == "openai-chat" || id == "azure-chat")) {
          extra += R"(,"reasoning_effort":"none")";
        }
        const auto body = request(backend, extra);
        const auto refusal = backend.judge(headers(), body, Strictness::everything);
        REQUIRE_MESSAGE(!refusal, refusal->message);
        const auto answer = backend.answer(
            headers(), body, StrictAnswerOptions().with_calls(Calls::always).with_text("One two."));
        CHECK(answer.streamed == streamed);
        const auto verdict = streamed
                                 ? strict_client::read(protocol_of(backend), answer.body(), true)
                                 : strict_client::read_whole(protocol_of(backend), answer.body());
        CHECK_MESSAGE(verdict.complaint == "", answer.body());
        CHECK((!streamed || (verdict.complete && !verdict.failed)));
        const auto whole = answer.body();
        CHECK((whole.find("One two.") != std::string::npos || streamed || call));
        CHECK((whole.find("look") != std::string::npos) == call);
      }
    }
  }
}

TEST_CASE(
    "strict answers: thinking blocks are read by the maker's hosts, unchanged and in their "
    "conversation") {
  const auto& opus = backend_of("anthropic");
  const auto tools = tool_of(opus) + R"(,"thinking":{"type":"adaptive","display":"summarized"})";
  const std::string ask =
      R"({"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]})";
  const auto first = request(opus, tools + R"(,"system":"a","messages":[)" + ask + "]");
  const auto answer =
      opus.answer(headers(), first, StrictAnswerOptions().with_calls(Calls::always));
  const auto content = part_of(answer, "/content");
  CHECK(part_of(answer, "/stop_reason") == R"("tool_use")");
  CHECK(content.find(R"("input":{"a":"text"})") != std::string::npos);
  const auto call_id = part_of(answer, "/content/1/id");
  const auto result = R"({"role":"user","content":[{"type":"tool_result","tool_use_id":)" +
                      call_id + R"(,"content":"1"}]})";
  // The next turn: cache_control has moved, which is no change.
  const auto next = request(
      opus,
      tools +
          R"(,"system":"a","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":)" +
          content + "}," + result + "]");
  const auto judge = [&](const std::string& body, std::string_view betas = {}) {
    return opus.examine(headers(betas), body, Strictness::everything);
  };
  CHECK(!judge(next).refusal);
  CHECK(judge(next).dropped.empty());

  const auto moved = replaced(next, R"("system":"a")", R"("system":"b")");
  REQUIRE(judge(moved).refusal);
  CHECK(judge(moved).refusal->rule_id == "a.binding");
  CHECK(judge(moved).refusal->message.starts_with("messages.1.content.0: Invalid `signature`"));
  const auto drop = replaced(moved, R"("display":"summarized")",
                             R"("block_binding":{"prefix_mismatch_behavior":"drop_block"})");
  CHECK(judge(drop).refusal->rule_id == "a.block_binding");
  const auto dropped = judge(drop, "thinking-binding-controls-2026-08-01");
  CHECK(!dropped.refusal);
  CHECK(dropped.dropped == std::vector<std::string>{"1.0: bound to another conversation"});

  const auto edited = replaced(next, "Let me think", "Let us think");
  CHECK(judge(edited).refusal->rule_id == "a.signature");
  const auto altered = replaced(next, "sig_anthropic~", "sig_anthropic~x");
  CHECK(judge(altered).refusal->rule_id == "a.signature");

  // Another host of the maker reads it, one of another maker does not care, and another model drops it.
  const auto& vertex = backend_of("vertex-anthropic");
  const auto without_model = replaced(next, R"("model":"claude-opus-5-5",)",
                                      R"("anthropic_version":"vertex-2023-10-16",)");
  CHECK(!vertex.examine(headers(), without_model).refusal);
  const auto sonnet = judge(replaced(next, "claude-opus-5-5\"", "claude-sonnet-5-5\""));
  CHECK(!sonnet.refusal);
  CHECK(sonnet.dropped == std::vector<std::string>{"1.0: of a model that this one does not read"});

  // Bound to the account: dropped in silence.
  const auto of_sonnet = replaced(first, "claude-opus-5-5\"", "claude-sonnet-5-5\"");
  const auto sonnet_content = part_of(opus.answer(headers(), of_sonnet), "/content");
  const auto later = replaced(of_sonnet, "]}]",
                              R"(]},{"role":"assistant","content":)" + sonnet_content +
                                  R"(},{"role":"user","content":"and?"}])");
  CHECK(judge(later).dropped.empty());
  HttpFields other;
  other.add("x-api-key", "key-2");
  other.add("anthropic-version", "2023-06-01");
  const auto elsewhere = opus.examine(other, later, Strictness::everything);
  CHECK(!elsewhere.refusal);
  CHECK(elsewhere.dropped == std::vector<std::string>{"1.0: of another account"});
}

TEST_CASE("strict answers: encrypted reasoning comes back to the account that it was issued to") {
  const auto& codex = backend_of("codex");
  const auto members =
      tool_of(codex) + R"(,"include":["reasoning.encrypted_content"],"reasoning":{"effort":"low"})";
  const std::string ask = R"({"type":"message","role":"user","content":"CALL look now"})";
  const auto first = request(codex, members + R"(,"input":[)" + ask + "]");
  auto answer = codex.answer(headers(), first);
  const auto stream = answer.body();
  const auto last = answer.parts.back();
  answer.parts = {last.substr(last.find("data: ") + 6)};
  auto output = part_of(answer, "/response/output");
  CHECK(part_of(answer, "/response/output/0/type") == R"("reasoning")");
  CHECK(part_of(answer, "/response/output/1/name") == R"("look")");
  const auto call = part_of(answer, "/response/output/1/call_id");
  output = output.substr(1, output.size() - 2);
  const auto result = R"({"type":"function_call_output","call_id":)" + call + R"(,"output":"1"})";
  const auto next =
      request(codex, members + R"(,"input":[)" + ask + "," + output + "," + result + "]");
  CHECK(!codex.judge(headers(), next, Strictness::everything));

  HttpFields other;
  other.add("authorization", "Bearer key-1");
  other.add("chatgpt-account-id", "account-2");
  CHECK(codex.judge(other, next)->rule_id == "or.encrypted");
  CHECK(codex.judge(headers(), replaced(next, result, ask))->rule_id == "or.pairing");
  // A new token of the same account.
  HttpFields refreshed;
  refreshed.add("authorization", "Bearer key-9");
  refreshed.add("chatgpt-account-id", "account-1");
  CHECK(!codex.judge(refreshed, next));
  // Another host of the same maker.
  const auto& openai = backend_of("openai-responses");
  CHECK(openai.judge(headers(), replaced(next, "gpt-5.6-sol", "gpt-6.1-sol"))->rule_id ==
        "or.encrypted");
  // Not asked for, it is not there, and the item is lost unless it is stored.
  const auto plain = request(openai, R"("input":"hi","store":false)");
  const auto unsealed = part_of(openai.answer(headers(), plain), "/output");
  const auto kept =
      part_of(openai.answer(headers(), request(openai, R"("input":"hi")")), "/output");
  const auto again = [&](const std::string& items) {
    const auto inside = items.substr(1, items.size() - 2);
    return openai.judge(headers(), request(openai, R"("input":[)" + inside + "," + ask + "]"));
  };
  REQUIRE(again(unsealed));
  CHECK(again(unsealed)->status == 404);
  CHECK(!again(kept));
}

TEST_CASE("strict answers: GPT-6.2 drops reasoning after an edit without an error") {
  const auto& openai = backend_of("openai-responses");
  const std::string members = R"("include":["reasoning.encrypted_content"],"instructions":"a")";
  const auto first = request(openai, members);
  auto output = part_of(openai.answer(headers(), first), "/output");
  output = output.substr(1, output.size() - 2);
  const std::string ask = R"({"type":"message","role":"user","content":"hi"})";
  const auto next =
      request(openai, members + R"(,"input":[)" + ask + "," + output + "," + ask + "]");
  CHECK(!openai.judge(headers(), next));
  CHECK(openai.examine(headers(), next).dropped.empty());
  const auto edited =
      openai.examine(headers(), replaced(next, R"("instructions":"a")", R"("instructions":"b")"));
  CHECK(!edited.refusal);
  CHECK(edited.dropped == std::vector<std::string>{"1.0: bound to another conversation"});
}

TEST_CASE("strict answers: reasoning_content and thought signatures come back as they were") {
  for (const auto* id : {"deepseek", "kimi", "gemini"}) {
    CAPTURE(id);
    const auto& backend = backend_of(id);
    const auto tools = tool_of(backend);
    const std::string ask = R"({"role":"user","content":"CALL look"})";
    const auto first = request(backend, tools + R"(,"messages":[)" + ask + "]");
    const auto answer = backend.answer(headers(), first);
    const auto message = part_of(answer, "/choices/0/message");
    const auto result = R"({"role":"tool","tool_call_id":)" +
                        part_of(answer, "/choices/0/message/tool_calls/0/id") +
                        R"(,"content":"1"})";
    const auto again = [&](const std::string& returned) {
      return backend.judge(
          headers(),
          request(backend, tools + R"(,"messages":[)" + ask + "," + returned + "," + result + "]"),
          Strictness::everything);
    };
    CHECK(!again(message));
    if (backend.id() == "gemini") {
      REQUIRE(again(replaced(message, "sig_gemini", "sig_gemino")));
      CHECK(again(replaced(message, "sig_gemini", "sig_gemino"))->rule_id == "g.signature");
    } else {
      // An empty string is taken for calls of another maker only.
      const auto emptied = replaced(message, "Let me think about this.", "");
      REQUIRE(again(emptied));
      CHECK(again(emptied)->message.find("reasoning_content") != std::string::npos);
    }
  }
}

TEST_CASE("strict answers: a compaction trigger leads to exactly one compaction item") {
  const auto& codex = backend_of("codex");
  const std::string ask = R"({"type":"message","role":"user","content":"hi"})";
  const auto body = request(codex, R"("input":[)" + ask + R"(,{"type":"compaction_trigger"}])");
  CHECK(!codex.judge(headers(), body));
  auto answer = codex.answer(headers(), body);
  const auto last = answer.parts.back();
  answer.parts = {last.substr(last.find("data: ") + 6)};
  CHECK(part_of(answer, "/response/output/0/type") == R"("compaction")");
  auto output = part_of(answer, "/response/output");
  output = output.substr(1, output.size() - 2);
  CHECK(!codex.judge(headers(), request(codex, R"("input":[)" + output + "," + ask + "]")));
}

TEST_CASE("strict answers: whether and what is called") {
  const auto& codex = backend_of("codex");
  const auto calls = [&](const std::string& extra, Calls how) {
    const auto body =
        codex.answer(headers(), request(codex, extra), StrictAnswerOptions().with_calls(how))
            .body();
    return body.find("_call\"") != std::string::npos ? body : std::string();
  };
  const auto asking = [](std::string_view text) {
    return R"("input":[{"type":"message","role":"user","content":[{"type":"input_text","text":")" +
           std::string(text) + R"("}]}])";
  };
  const auto function = tool_of(codex) + ",";
  CHECK(calls(function + asking("hi"), Calls::when_asked).empty());
  CHECK(calls(function + asking("CALL unknown"), Calls::when_asked).empty());
  CHECK(!calls(function + asking("please CALL look"), Calls::when_asked).empty());
  CHECK(calls(function + asking("CALL look"), Calls::never).empty());
  CHECK(!calls(function + asking("hi"), Calls::always).empty());
  CHECK(calls(asking("hi"), Calls::always).empty());
  CHECK(calls(function + R"("tool_choice":"none",)" + asking("hi"), Calls::always).empty());
  CHECK(!calls(function + R"("tool_choice":"required",)" + asking("hi"), Calls::never).empty());
  CHECK(calls(function +
                  R"("input":[{"type":"function_call_output","call_id":"a","output":"CALL look"}])",
              Calls::always)
            .empty());
  const auto spaced = calls(
      R"("tools":[{"type":"namespace","name":"n","tools":[{"type":"function","name":"look"}]}],)" +
          asking("CALL look"),
      Calls::when_asked);
  CHECK(spaced.find(R"("namespace":"n")") != std::string::npos);
  const auto custom = calls(R"("tools":[{"type":"custom","name":"patch"}],)" + asking("CALL patch"),
                            Calls::when_asked);
  CHECK(custom.find(R"("type":"custom_tool_call","id":"ctc_)") != std::string::npos);
}

TEST_CASE("strict answers: the arguments of a call, of one tool and of all others") {
  const auto& codex = backend_of("codex");
  const auto options = StrictAnswerOptions()
                           .with_arguments(R"({"of":"all"})")
                           .with_arguments_of("look", R"({"of":"look"})");
  const auto body_of_call = [&](const std::string& name) {
    const auto body = request(
        codex,
        R"("tools":[{"type":"function","name":"look"},{"type":"function","name":"go"}],)"
        R"("input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"CALL )" +
            name + R"("}]}])");
    return codex.answer(headers(), body, options).body();
  };
  CHECK(body_of_call("look").find(R"({\"of\":\"look\"})") != std::string::npos);
  CHECK(body_of_call("look").find(R"({\"of\":\"all\"})") == std::string::npos);
  CHECK(body_of_call("go").find(R"({\"of\":\"all\"})") != std::string::npos);
}

}  // namespace strict_answer_tests
