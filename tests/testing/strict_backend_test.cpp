#include "understudy/testing/strict_backend.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "../growth.hpp"
#include "testing/strict_requests.hpp"

namespace strict_backend_tests {

using namespace understudy;
using namespace understudy::testing;
using strict_requests::headers;
using strict_requests::request;

namespace {

const StrictBackends& all() { return StrictBackends::embedded(); }

bool is_json(const std::string& text) {
  simdjson::dom::parser parser;
  return parser.parse(text).error() == simdjson::SUCCESS;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

/// `times` elements, with a number in place of '#'.
std::string list_of(std::string_view element, std::size_t times) {
  std::string out = "[";
  for (std::size_t i = 0; i < times; ++i) {
    out += i > 0 ? "," : "";
    for (const char c : element) {
      c == '#' ? out += std::to_string(i) : out += c;
    }
  }
  return out + "]";
}

std::string rules_of(const Verdict& verdict) {
  std::string out;
  for (const auto& one : verdict.broken) {
    out += one.rule_id + " (" + one.message + ") ";
  }
  return out;
}

}  // namespace

TEST_CASE(
    "strict backends: all 27 are there, and each accepts the plainest request of its protocol") {
  CHECK(all().ids().size() == 27);
  for (const auto id : all().ids()) {
    const auto& backend = all().backend(id);
    const auto body = request(backend);
    const auto verdict = backend.examine(headers(), body, Strictness::everything);
    CHECK_MESSAGE(!verdict.refusal, id, ": ", rules_of(verdict), body);
    CHECK_MESSAGE(verdict.broken.empty(), id, ": ", rules_of(verdict));
    CHECK(!backend.path().empty());
  }
  CHECK_THROWS_AS(all().backend("nobody"), std::out_of_range);
}

namespace {

/// A kind of check, a rule of that kind, a request that breaks it and one that does not.
struct Row {
  std::string_view kind;
  std::string_view backend;
  std::string_view rule;
  std::string refused;
  std::string accepted;
  std::string_view refused_betas = {};
  std::string_view accepted_betas = {};
};

const std::string ask = R"({"role":"user","content":"hi"})";
const std::string schema = R"({"type":"object","properties":{}})";

std::string custom_tool(std::string_view name, std::string_view parameters = schema) {
  return R"({"name":")" + std::string(name) + R"(","input_schema":)" + std::string(parameters) +
         "}";
}
std::string chat_tool(std::string_view name, std::string_view parameters = schema) {
  return R"({"type":"function","function":{"name":")" + std::string(name) + R"(","parameters":)" +
         std::string(parameters) + "}}";
}
std::string flat_tool(std::string_view name, std::string_view parameters = schema) {
  return R"({"type":"function","name":")" + std::string(name) + R"(","parameters":)" +
         std::string(parameters) + "}";
}
std::string messages(const std::string& list) { return "\"messages\":[" + list + "]"; }
std::string input(const std::string& list) { return "\"input\":[" + list + "]"; }
std::string tools(const std::string& list) { return "\"tools\":[" + list + "]"; }
std::string sealed(std::string_view backend, std::string_view model) {
  return '"' + all().backend(backend).seal(model) + '"';
}

const std::string item = R"({"type":"message","role":"user","content":"hi"})";
const std::string answered = R"({"type":"message","role":"assistant","content":"yes"},)" + item;
const std::string thought =
    R"({"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":)";
const std::string budgeted =
    R"("max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000},)";
const std::string results =
    R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"1"}]})";
/// A call of Messages, behind thinking if there is a signature.
std::string loop(const std::string& signature) {
  const auto thinking =
      signature.empty() ? ""
                        : R"({"type":"thinking","thinking":"a","signature":)" + signature + "},";
  return R"({"role":"assistant","content":[)" + thinking +
         R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}}]})";
}
const std::string call = R"({"role":"assistant","tool_calls":[{"id":"call00001","type":"function",)"
                         R"("function":{"name":"f","arguments":"{}"})";
const std::string result = R"({"role":"tool","tool_call_id":"call00001","content":"1"})";

std::vector<Row> rows() {
  const auto seal = sealed("anthropic", "claude-opus-5-5");
  const auto codex_seal = sealed("codex", "gpt-5.6-sol");
  return {
      {"top_allow", "codex", "cx.top", R"("max_output_tokens":100)", R"("text":{})"},
      {"top_allow", "mistral", "mi.top", R"("seed":1)", R"("random_seed":1)"},
      {"top_refuse", "openai-chat", "oc.stop", R"("stop":["a"])",
       R"("model":"gpt-4.1","stop":["a"])"},
      {"top_refuse", "openai-responses", "or.include",
       R"("model":"gpt-4.1","include":["reasoning.encrypted_content"])",
       R"("include":["reasoning.encrypted_content"])"},
      {"top_refuse", "kimi", "k.both", R"("thinking":{"type":"enabled"},"reasoning_effort":"low")",
       R"("thinking":{"type":"enabled"})"},
      {"top_refuse", "xai", "x.params", R"("presence_penalty":0)", R"("seed":0)"},
      {"require", "anthropic", "a.required", R"("max_tokens":null)", R"("max_tokens":1)"},
      {"require", "codex", "cx.instructions", R"("instructions":"")",
       R"("instructions":"",)" + input(R"({"type":"message","role":"developer","content":"a"})")},
      {"equals", "codex", "cx.stream", R"("stream":false)", R"("stream":true)"},
      {"equals", "codex", "cx.store", R"("store":true)", R"("store":false)"},
      {"header_beta", "anthropic", "a.beta", "", "", "effort-2025-11-24, new-thing-2031-01-01",
       "effort-2025-11-24"},
      {"gated", "anthropic", "a.context_management", R"("context_management":{"edits":[]})",
       R"("context_management":{"edits":[]})", "effort-2025-11-24",
       "effort-2025-11-24,context-management-2025-06-27"},
      {"gated", "anthropic", "a.defer_loading",
       tools(R"({"name":"f","input_schema":)" + schema + R"(,"defer_loading":true})"),
       tools(R"({"name":"f","input_schema":)" + schema + R"(,"defer_loading":true})"), "",
       "advanced-tool-use-2025-11-20"},
      {"max_len", "openai-responses", "o.len.user", R"("user":")" + std::string(65, 'u') + '"',
       R"("user":")" + repeated("\u00fc", 64) + '"'},
      {"max_len", "zai", "z.user", R"("user_id":"short")", R"("user_id":"longer")"},
      {"max_len", "openai-chat", "oc.tool_id",
       messages(ask + R"(,{"role":"assistant","tool_calls":[{"id":")" + std::string(41, 'c') +
                R"("}]},{"role":"tool","tool_call_id":")" + std::string(41, 'c') + R"("})"),
       messages(ask + R"(,{"role":"assistant","tool_calls":[{"id":")" + std::string(40, 'c') +
                R"("}]},{"role":"tool","tool_call_id":")" + std::string(40, 'c') + R"("})")},
      {"pattern", "anthropic", "a.tool_name", tools(custom_tool("a.b")), tools(custom_tool("a_b"))},
      {"pattern", "anthropic", "a.server_tool_id",
       messages(ask +
                R"(,{"role":"assistant","content":[{"type":"server_tool_use","id":"toolu_1"}]},)" +
                ask),
       messages(
           ask +
           R"(,{"role":"assistant","content":[{"type":"server_tool_use","id":"srvtoolu_1"}]},)" +
           ask)},
      {"pattern", "mistral", "mi.id",
       messages(
           ask + "," +
           R"({"role":"assistant","tool_calls":[{"id":"call_1"}]},{"role":"tool","tool_call_id":"call_1"})"),
       messages(ask + "," + call + "}]}," + result)},
      {"max_items", "openai-chat", "oc.tool_count",
       R"("reasoning_effort":"none","tools":)" + list_of(chat_tool("f#"), 129),
       R"("reasoning_effort":"none","tools":)" + list_of(chat_tool("f#"), 128)},
      {"number", "openai-responses", "or.min_output", R"("max_output_tokens":15)",
       R"("max_output_tokens":16)"},
      {"number", "vllm", "v.max", R"("max_tokens":111073)", R"("max_tokens":111072)"},
      {"number", "mistral", "mi.temp", R"("temperature":1.51)", R"("temperature":1.5)"},
      {"one_of", "deepseek", "d.format", R"("response_format":{"type":"json_schema"})",
       R"("response_format":{"type":"json_object"})"},
      {"one_of", "zai", "z.choice", R"("tool_choice":{"type":"function"})",
       R"("tool_choice":"auto")"},
      {"role", "deepseek", "d.roles", messages(R"({"role":"developer","content":"a"},)" + ask),
       messages(R"({"role":"system","content":"a"},)" + ask)},
      {"role", "codex", "cx.system", input(R"({"role":"system","content":"a"},)" + item),
       input(R"({"role":"developer","content":"a"},)" + item)},
      {"model_max_output", "anthropic-4-5", "a.max_output", R"("max_tokens":64001)",
       R"("max_tokens":64000)"},
      {"model_max_output", "openai-chat", "oc.max_output", R"("max_completion_tokens":128001)",
       R"("max_completion_tokens":128000)"},
      {"model_sampling", "anthropic", "a.sampling", R"("temperature":1)",
       R"("model":"claude-sonnet-4-5","temperature":0.5)"},
      {"model_sampling", "anthropic-4-5", "a.sampling", R"("temperature":0.5,"top_p":0.5)",
       R"("top_p":0.5)"},
      {"model_sampling", "anthropic-4-5", "a.sampling",
       R"("temperature":0.5,"thinking":{"type":"enabled","budget_tokens":1024})",
       R"("temperature":1,"thinking":{"type":"enabled","budget_tokens":1024})"},
      {"model_sampling", "anthropic", "a.sampling",
       R"("model":"claude-sonnet-5","temperature":0.9)",
       R"("model":"claude-sonnet-5","temperature":1)"},
      {"model_sampling", "openai-chat", "oc.sampling", R"("temperature":0.5)",
       R"("temperature":0.5,"reasoning_effort":"none")"},
      {"model_sampling", "openai-chat", "oc.sampling", R"("model":"gpt-5-mini","logprobs":true)",
       R"("model":"gpt-5-mini","logprobs":false)"},
      {"model_effort", "anthropic-4-5", "a.effort", R"("output_config":{"effort":"low"})",
       R"("output_config":{"format":null})"},
      {"model_effort", "openai-responses", "or.effort", R"("reasoning":{"effort":"none"})",
       R"("reasoning":{"effort":"max"})"},
      {"model_effort", "openai-chat", "oc.effort", R"("reasoning_effort":"max")",
       R"("reasoning_effort":"xhigh")"},
      {"model_thinking", "anthropic", "a.thinking", R"("thinking":{"type":"enabled"})",
       R"("thinking":{"type":"adaptive"})"},
      {"model_thinking", "anthropic", "a.thinking",
       R"("model":"claude-opus-5","thinking":{"type":"disabled"},"output_config":{"effort":"max"})",
       R"("model":"claude-opus-5","thinking":{"type":"disabled"},"output_config":{"effort":"high"})"},
      {"model_forced_tool", "anthropic", "a.forced_tool",
       tools(custom_tool("f")) + R"(,"tool_choice":{"type":"any"})",
       tools(custom_tool("f")) + R"(,"tool_choice":{"type":"auto"})"},
      {"model_forced_tool", "deepseek", "d.forced",
       tools(chat_tool("f")) + R"(,"tool_choice":"required")",
       tools(chat_tool("f")) + R"(,"tool_choice":"required","thinking":{"type":"disabled"})"},
      {"model_prefill", "anthropic", "a.prefill",
       messages(ask + R"(,{"role":"assistant","content":"I"})"),
       R"("model":"claude-sonnet-4-5",)" +
           messages(ask + R"(,{"role":"assistant","content":"I"})")},
      {"model_tools_on_chat", "openai-chat", "oc.tools", tools(chat_tool("f")),
       tools(chat_tool("f")) + R"(,"reasoning_effort":"none")"},
      {"model_tools_on_chat", "openai-chat", "oc.tools",
       R"("model":"gpt-5.4","reasoning_effort":"low",)" + tools(chat_tool("f")),
       R"("model":"gpt-5.4",)" + tools(chat_tool("f"))},
      {"model_mid_system", "anthropic-4-5", "a.mid_system",
       messages(ask + R"(,{"role":"system","content":"a"})"),
       R"("model":"claude-opus-5-5",)" + messages(ask + R"(,{"role":"system","content":"a"})")},
      {"pairing", "anthropic", "a.pairing",
       messages(
           ask +
           R"(,{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},)" +
           ask),
       messages(
           ask +
           R"(,{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},)"
           R"({"role":"system","content":"a"},)"
           R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"1"},{"type":"text","text":"hi"}]})")},
      {"pairing", "anthropic", "a.pairing",
       messages(
           R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"1"}]})"),
       messages(R"({"role":"user","content":[{"type":"text","text":"1"}]})")},
      {"pairing", "openai-chat", "oc.pairing",
       messages(ask + "," + call + "}]}," + ask + "," + result),
       messages(ask + "," + call + "}]}," + result + "," + ask)},
      {"pairing", "openai-chat", "oc.pairing", messages(ask + "," + result), messages(ask)},
      {"pairing", "openai-responses", "or.pairing",
       input(R"({"type":"function_call","call_id":"a","name":"f","arguments":"{}"},)" + item),
       input(R"({"type":"function_call","call_id":"a","name":"f","arguments":"{}"},)" + item +
             R"(,{"type":"function_call_output","call_id":"a","output":"1"})")},
      {"pairing", "openai-responses", "or.pairing",
       input(R"({"type":"custom_tool_call_output","call_id":"a","output":"1"})"),
       input(R"({"type":"custom_tool_call_output","call_id":"a","output":"1"})") +
           R"(,"previous_response_id":"resp_1")"},
      {"tool_shape", "anthropic", "a.tool_shape", tools(R"({"type":"function","name":"f"})"),
       tools(R"({"type":"web_search_20250305","name":"web_search"})")},
      {"tool_shape", "openai-chat", "oc.tool_shape",
       R"("reasoning_effort":"none","tools":[{"type":"function","name":"f"}])",
       R"("reasoning_effort":"none","tools":[{"type":"custom","custom":{"name":"f"}}])"},
      {"tool_shape", "minimax", "m.params", tools(chat_tool("f", "{}")), tools(chat_tool("f"))},
      {"tool_shape", "codex", "or.tool_shape", tools(R"({"type":"telepathy"})"),
       tools(R"({"type":"namespace","name":"n","tools":[)" + flat_tool("f") + "]}")},
      {"schema_root", "anthropic", "a.schema_root",
       tools(custom_tool("f", R"({"type":"object","anyOf":[]})")),
       tools(custom_tool("f", R"({"type":"object","properties":{"a":{"anyOf":[]}}})"))},
      {"schema_root", "codex", "or.schema_root",
       tools(R"({"type":"namespace","name":"n","tools":[)" + flat_tool("f", "{}") + "]}"),
       tools(R"({"type":"namespace","name":"n","tools":[)" + flat_tool("f") + "]}")},
      {"schema_keys", "anthropic", "a.schema_keys",
       tools(custom_tool(
           "f", R"({"type":"object","properties":{"a":{"items":{"properties":{"b c":{}}}}}})")),
       tools(custom_tool(
           "f", R"({"type":"object","properties":{"a":{"default":{"properties":{"b c":{}}}}}})"))},
      {"schema_keywords", "kimi", "k.schema",
       tools(chat_tool("fun", R"({"type":"object","properties":{"a":{"enum":["b"]}}})")),
       tools(chat_tool("fun",
                       R"({"type":"object","properties":{"a":{"type":"string","enum":["b"]}}})"))},
      {"schema_keywords", "kimi", "k.schema",
       tools(
           chat_tool("fun", R"({"type":"object","properties":{"a":{"$ref":"#/definitions/b"}}})")),
       tools(chat_tool("fun", R"({"type":"object","properties":{"a":{"$ref":"#/$defs/b"}}})"))},
      {"schema_keywords", "llama.cpp", "l.schema",
       tools(chat_tool(
           "f", R"({"type":"object","properties":{"a":{"type":"string","pattern":"[a-z]+"}}})")),
       tools(chat_tool(
           "f", R"({"type":"object","properties":{"a":{"type":"string","pattern":"^[a-z]+$"}}})"))},
      {"tool_unique", "anthropic", "a.tool_unique",
       tools(custom_tool("f") + "," + custom_tool("f")),
       tools(custom_tool("f") + "," + custom_tool("F"))},
      {"block_types", "deepseek", "d.blocks",
       messages(R"({"role":"user","content":[{"type":"image_url"}]})"),
       messages(R"({"role":"user","content":[{"type":"text","text":"a"}]})")},
      {"no_image_in_tool_result", "openai-chat", "oc.image_tool",
       messages(
           ask + "," + call +
           R"(}]},{"role":"tool","tool_call_id":"call00001","content":[{"type":"image_url"}]})"),
       messages(
           ask + "," + call +
           R"(}]},{"role":"tool","tool_call_id":"call00001","content":[{"type":"text","text":"a"}]})")},
      {"empty_text", "anthropic", "a.empty_text",
       messages(R"({"role":"user","content":[{"type":"text","text":""}]})"),
       messages(R"({"role":"user","content":[{"type":"text","text":"a"}]})")},
      {"empty_text", "zai", "z.empty", messages(R"({"role":"user","content":""})"),
       messages(
           ask +
           R"(,{"role":"assistant","content":"","tool_calls":[{"id":"a"}]},{"role":"tool","tool_call_id":"a","content":"b"})")},
      {"cache_breakpoints", "anthropic", "a.cache",
       "\"system\":" +
           list_of(R"({"type":"text","text":"#","cache_control":{"type":"ephemeral"}})", 5),
       "\"system\":" +
           list_of(R"({"type":"text","text":"#","cache_control":{"type":"ephemeral"}})", 4)},
      {"reserved_text", "bedrock-mantle-anthropic", "bm.billing",
       R"("system":[{"type":"text","text":"x-anthropic-billing-header: a"}])",
       R"("system":[{"type":"text","text":"billing"}])"},
      {"signature", "anthropic", "a.signature",
       messages(ask + "," + thought + "\"foreign\"}]}," + ask),
       messages(ask + "," + thought + seal + "}]}," + ask)},
      {"signature", "anthropic", "a.signature", messages(ask + "," + thought + "\"\"}]}," + ask),
       messages(ask + "," + thought + sealed("vertex-anthropic", "claude-opus-5-5") + "}]}," +
                ask)},
      {"loop_begins_with_thinking", "anthropic-4-5", "a.loop_thinking",
       budgeted + messages(ask + "," + loop({}) + "," + results),
       budgeted + messages(ask + "," + loop(sealed("anthropic-4-5", "claude-sonnet-4-5")) + "," +
                           results)},
      {"loop_begins_with_thinking", "anthropic-4-5", "a.loop_thinking",
       budgeted + messages(ask + "," + loop({}) + "," + results + "," + loop({}) + "," + results),
       budgeted + messages(ask + "," + loop({}) + "," + results + "," + ask)},
      {"encrypted", "codex", "or.encrypted",
       input(R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"},)" +
             answered),
       input(R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":)" + codex_seal +
             "}," + answered)},
      {"encrypted", "codex", "or.encrypted",
       input(R"({"type":"compaction","encrypted_content":)" +
             sealed("openai-responses", "gpt-5.6-sol") + "}," + item),
       input(R"({"type":"compaction","encrypted_content":)" + codex_seal + "}," + item)},
      {"reasoning_followed", "codex", "or.reasoning_store",
       input(R"({"type":"reasoning","id":"rs_1","summary":[]},)" + answered),
       input(R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":)" + codex_seal +
             "}," + answered)},
      {"reasoning_followed", "codex", "or.reasoning_store",
       input(R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":)" + codex_seal +
             "}," + item),
       input(R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":)" + codex_seal +
             "}," + answered)},
      {"item_ids", "openai-responses", "or.item_ids",
       input(R"({"type":"message","role":"user","id":"item_1","content":"hi"})"),
       input(R"({"type":"message","role":"user","id":"msg_1","content":"hi"})")},
      {"needs_reasoning_content", "deepseek", "d.reasoning",
       messages(ask + "," + call + "}]}," + result),
       messages(ask + "," + call + R"(}],"reasoning_content":""},)" + result)},
      {"needs_reasoning_content", "kimi", "k.reasoning",
       messages(ask + "," + call + "}]}," + result),
       R"("thinking":{"type":"disabled"},)" + messages(ask + "," + call + "}]}," + result)},
      {"needs_signature", "gemini", "g.signature", messages(ask + "," + call + "}]}," + result),
       messages(
           ask + "," + call +
           R"(,"extra_content":{"google":{"thought_signature":"skip_thought_signature_validator"}}}]},)" +
           result)},
      {"needs_signature", "gemini", "g.signature", messages(ask + "," + call + "}]}," + result),
       messages(ask + "," + call + "}]}," + result + "," + ask)},
      {"msg_refuse", "groq", "gr.msg",
       messages(R"({"role":"assistant","content":"a","reasoning_content":"b"},)" + ask),
       messages(R"({"role":"assistant","content":"a","reasoning":"b"},)" + ask)},
      {"msg_refuse", "mistral", "mi.msg", messages(R"({"role":"user","content":"a","name":"b"})"),
       messages(ask)},
      {"role_order", "vllm", "v.order",
       messages(ask + R"(,{"role":"system","content":"a"},)" + ask),
       messages(R"({"role":"system","content":"a"},)" + ask)},
      {"role_order", "minimax", "m.order",
       messages(R"({"role":"system","content":"a"},{"role":"system","content":"a"},)" + ask),
       messages(R"({"role":"system","content":"a"},)" + ask)},
      {"role_order", "mistral", "mi.order",
       messages(ask + "," + call + "}]}," + result + "," + ask),
       messages(ask + "," + call + "}]}," + result)},
      {"role_order", "mistral", "mi.order",
       messages(ask + R"(,{"role":"assistant","content":"a"})"),
       messages(ask + R"(,{"role":"assistant","content":"a","prefix":true})")},
      {"stop_count", "openai-chat", "oc.stop_count",
       R"("model":"gpt-4.1","stop":["a","b","c","d","e"])",
       R"("model":"gpt-4.1","stop":["a","b","c","d"])"},
      {"context_window", "openai-chat", "oc.context",
       R"("model":"gpt-4-turbo",)" +
           messages(R"({"role":"user","content":")" + std::string(1'100'000, 'a') + "\"}"),
       R"("model":"gpt-4-turbo",)" +
           messages(R"({"role":"user","content":")" + std::string(1'000'000, 'a') + "\"}")},
      {"temperature_by_thinking", "kimi", "k.temp", R"("temperature":0.6)",
       R"("temperature":0.6,"thinking":{"type":"disabled"})"},
      {"choice_with_thinking", "kimi", "k.choice", R"("tool_choice":"required")",
       R"("tool_choice":"required","thinking":{"type":"disabled"})"},
      {"choice_with_thinking", "kimi", "k.choice",
       R"("model":"kimi-k3","tool_choice":{"type":"function"})",
       R"("model":"kimi-k3","tool_choice":"required")"},
      {"choice_string", "lmstudio", "lm.choice", R"("tool_choice":{"type":"function"})",
       R"("tool_choice":"required")"},
      {"content_null", "lmstudio", "lm.content_null",
       messages(R"({"role":"assistant","content":null},)" + ask),
       messages(R"({"role":"assistant","content":""},)" + ask)},
      {"input_list", "codex", "cx.input", R"("input":"hi")", input(item)},
      {"schema_properties", "lmstudio", "lm.properties",
       tools(chat_tool("f", R"({"type":"object"})")), tools(chat_tool("f"))},
  };
}

}  // namespace

TEST_CASE(
    "strict backends: each kind of check refuses a request and accepts one that hardly differs") {
  std::set<std::string_view> tested = {"header_require", "binding"};  // below
  for (const auto& row : rows()) {
    CAPTURE(row.kind);
    CAPTURE(row.rule);
    const auto& backend = all().backend(row.backend);
    tested.insert(row.kind);
    const auto body = request(backend, row.refused);
    const auto refused = backend.examine(headers(row.refused_betas), body, Strictness::everything);
    REQUIRE_MESSAGE(refused.refusal, body.substr(0, 2000));
    CHECK_MESSAGE(refused.refusal->rule_id == row.rule, rules_of(refused), body.substr(0, 2000));
    CHECK(is_json(refused.refusal->body));
    CHECK(refused.refusal->status >= 400);
    CHECK(!refused.refusal->message.empty());
    CHECK_MESSAGE(refused.refusal->message.find("{value}") == std::string::npos,
                  refused.refusal->message);
    const auto good = request(backend, row.accepted);
    const auto accepted =
        backend.examine(headers(row.accepted_betas), good, Strictness::everything);
    CHECK_MESSAGE(!accepted.refusal, rules_of(accepted), good.substr(0, 2000));
  }
  for (const auto kind : all().check_kinds()) {
    CHECK_MESSAGE(tested.contains(kind), "no test of ", kind);
    CHECK_MESSAGE(StrictBackends::implements(kind), kind);
  }
  CHECK(!StrictBackends::implements("telepathy"));
}

TEST_CASE("strict backends: required headers, and credentials") {
  HttpFields none;
  const auto& codex = all().backend("codex");
  CHECK(!codex.judge(none, request(codex)));  // unchecked
  const auto refusal = codex.judge(none, request(codex), Strictness::everything);
  REQUIRE(refusal);
  CHECK(refusal->status == 401);
  CHECK(refusal->rule_id == "cx.account");
  CHECK(refusal->body == R"({"detail":"Missing ChatGPT-Account-ID"})");

  CHECK(codex.authorize(none)->status == 401);
  CHECK(!codex.authorize(headers()));
  CHECK(!all().backend("ollama").authorize(none));
  HttpFields key;
  key.add("x-api-key", "key-1");
  const auto& anthropic = all().backend("anthropic");
  CHECK(!anthropic.authorize(key));
  CHECK(all().backend("openai-chat").authorize(key));
  key.add("authorization", "Bearer key-1");
  CHECK(anthropic.authorize(key)->status == 401);         // both at once
  CHECK(!all().backend("zai-anthropic").authorize(key));  // where that is taken
  HttpFields token;
  token.add("authorization", "Bearer sk-ant-oat01-a");
  CHECK(anthropic.authorize(token));
  token.add("anthropic-beta", "effort-2025-11-24,oauth-2025-04-20");
  CHECK(!anthropic.authorize(token));
}

TEST_CASE("strict backends: documented rules refuse, the others warn") {
  const auto& zai = all().backend("zai");
  const auto body = request(zai, R"("tool_choice":"none")");
  const auto verdict = zai.examine(headers(), body);
  CHECK(!verdict.refusal);
  REQUIRE(verdict.broken.size() == 1);
  CHECK(verdict.broken[0].rule_id == "z.choice");
  CHECK(zai.judge(headers(), body, Strictness::everything)->rule_id == "z.choice");
  // Facts of a deployment warn, however well they are known.
  const auto& vllm = all().backend("vllm");
  const auto late = request(vllm, messages(ask + R"(,{"role":"system","content":"a"},)" + ask));
  CHECK(!vllm.judge(headers(), late));
  CHECK(vllm.judge(headers(), late, Strictness::everything)->rule_id == "v.order");
}

TEST_CASE("strict backends: refusals in the back ends' own words") {
  struct Exact {
    std::string_view backend;
    std::string_view extra;
    std::string_view body;
  };
  const Exact exact[] = {
      {"codex", R"("reasoning":{"effort":"ultra"})",
       R"({"error":{"message":"Unsupported value: 'ultra' is not supported with the 'gpt-5.6-sol' model. Supported values are: 'none', 'low', 'medium', 'high', 'xhigh', and 'max'.","type":"invalid_request_error","param":"reasoning.effort","code":"unsupported_value"}})"},
      {"gemini", R"("seed2":1)",
       R"([{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"seed2\": Cannot find field.","status":"INVALID_ARGUMENT"}}])"},
      {"mistral", R"("seed":1)",
       R"({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":null}]},"type":"invalid_request_error","param":null,"code":null})"},
      {"xai", R"("presence_penalty":0)",
       R"({"code":"Client specified an invalid argument","error":"Model grok-4.6 does not support parameter presencePenalty."})"},
      {"zai", R"("temperature":2)",
       R"({"error":{"code":"1210","message":"Invalid API parameter, please check the documentation.temperature"}})"},
      {"openai-responses",
       R"("input":[{"type":"message","role":"user","content":"a"},{"type":"function_call","call_id":"0123456789012345678901234567890123456789012345678901234567890123x"}])",
       R"({"error":{"message":"Invalid 'input[1].call_id': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.","type":"invalid_request_error","param":"input[1].call_id","code":"string_above_max_length"}})"},
      {"bedrock-mantle-anthropic", R"("seed":1)",
       R"({"type":"error","error":{"type":"invalid_request_error","message":"seed: Extra inputs are not permitted"}})"},
  };
  for (const auto& row : exact) {
    const auto& backend = all().backend(row.backend);
    const auto refusal = backend.judge(headers(), request(backend, row.extra));
    REQUIRE_MESSAGE(refusal, row.backend);
    CHECK(refusal->body == row.body);
    CHECK(refusal->content_type == "application/json");
  }
  const auto& anthropic = all().backend("anthropic");
  const auto refusal = anthropic.judge(headers(), request(anthropic, R"("top_k":1)"));
  REQUIRE(refusal);
  CHECK(refusal->headers.find("x-should-retry") == "false");
  CHECK(refusal->body.find(*refusal->headers.find("request-id")) != std::string::npos);
  CHECK(refusal->message == "`top_k` is deprecated for this model.");
  // What the client sent is clipped, and is not taken for a placeholder.
  const auto& openai = all().backend("openai-chat");
  const auto braces = openai.judge(headers(), request(openai, R"("{value}{param}":1)"));
  REQUIRE(braces);
  CHECK(braces->message == "Unknown parameter: '{value}{param}'.");
  const auto large =
      openai.judge(headers(), request(openai, '"' + std::string(100'000, 'x') + "\":1"));
  REQUIRE(large);
  CHECK(large->body.size() < 2000);
}

TEST_CASE("strict backends: error bodies of all forms are JSON and contain the message") {
  CHECK(all().error_shapes().size() == 16);
  for (const auto shape : all().error_shapes()) {
    const auto body = all().error_body(shape, "a \"quoted\"\nmessage");
    CHECK_MESSAGE(is_json(body), shape);
    CHECK_MESSAGE(body.find(R"(a \"quoted\"\nmessage)") != std::string::npos, shape, body);
  }
}

TEST_CASE("strict backends: any bytes") {
  const auto& backend = all().backend("openai-chat");
  const std::string bodies[] = {"",
                                "[]",
                                "null",
                                "{",
                                R"({"messages":[{)",
                                "{\"a\":\"\xff\"}",
                                std::string(100'000, '['),
                                std::string("\0\0", 2)};
  for (const auto& body : bodies) {
    const auto refusal = backend.judge(headers(), body);
    REQUIRE(refusal);
    CHECK(refusal->rule_id == "json");
    CHECK(is_json(refusal->body));
  }
  // Members of the wrong types break rules or none, and nothing else.
  const std::string values[] = {
      "null",
      "true",
      "1e300",
      "-1",
      R"("a")",
      "[]",
      "{}",
      "[null]",
      "[[1]]",
      R"([{"content":1,"tool_calls":{},"role":[]}])",
      R"([{"content":[1,{"type":{}}],"tool_calls":[1],"role":"assistant"}])",
      R"({"type":[],"function":1})",
      R"([{"type":"function","function":[]}])"};
  for (const auto id : all().ids()) {
    const auto& one = all().backend(id);
    for (const auto* name :
         {"model", "messages", "input", "tools", "system", "instructions", "thinking", "reasoning",
          "tool_choice", "max_tokens", "stream", "include", "n", "output_config"}) {
      for (const auto& value : values) {
        const auto body = request(one, '"' + std::string(name) + "\":" + value);
        const auto verdict = one.examine(headers(), body, Strictness::everything);
        CHECK((!verdict.refusal || is_json(verdict.refusal->body)));
        for (const auto& part : one.answer(headers(), body).parts) {
          CHECK(!part.empty());
        }
      }
    }
  }
  const auto& anthropic = all().backend("anthropic");
  CHECK(anthropic.judge(headers(), std::string(33'554'433, ' '))->status == 413);
}

TEST_CASE("strict backends: model names are normalized") {
  CHECK(all().normalized(" US.Anthropic.Claude-Sonnet-4-5-20250929-v1:0 ") == "claude-sonnet-4-5");
  CHECK(all().normalized("anthropic/claude-opus-4.5:free") == "claude-opus-4-5");
  CHECK(all().normalized("claude-4.5-sonnet[1m]") == "claude-sonnet-4-5");
  CHECK(all().normalized("ft:gpt-4.1-2025-04-14:org::id") == "gpt-4-1");
  CHECK(all().normalized("gpt-5.6-sol") == "gpt-5-6-sol");
  const std::string long_name(5000, 'g');
  CHECK(all().normalized(long_name) == long_name);
  const auto& openai = all().backend("openai-chat");
  CHECK(
      !openai.judge(headers(), request(openai, R"("model":")" + long_name + R"(","stop":["a"])")));
}

TEST_CASE("strict backends: the cost of judging is near-linear") {
  const auto& anthropic = all().backend("anthropic");
  const auto& chat = all().backend("openai-chat");
  const auto& codex = all().backend("codex");
  struct Big {
    const StrictBackend& backend;
    std::string prefix;
    std::string element;
  };
  const Big bodies[] = {
      {anthropic, R"("model":"claude-opus-5-5","messages":)",
       R"({"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":)" +
           sealed("anthropic", "claude-opus-5-5") +
           R"(},{"type":"tool_use","id":"t#","name":"f","input":{}}]},)"
           R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t#","content":"1"}]})"},
      {chat, R"("reasoning_effort":"none","messages":)",
       R"({"role":"assistant","tool_calls":[{"id":"c#"}]},{"role":"tool","tool_call_id":"c#","content":"a"})"},
      {codex, R"("input":)",
       R"({"type":"reasoning","summary":[],"encrypted_content":)" + sealed("codex", "gpt-5.6-sol") +
           R"(},{"type":"function_call","call_id":"c#","name":"f","arguments":"{}"},)"
           R"({"type":"function_call_output","call_id":"c#","output":"a"})"},
      {anthropic, R"("tools":)",
       R"({"name":"f#","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}})"},
  };
  for (const auto& big : bodies) {
    const auto prepare = [&](std::size_t bytes) {
      const auto body =
          request(big.backend, big.prefix + list_of(big.element, bytes / big.element.size()));
      return [body, &big] {
        const auto verdict = big.backend.examine(headers(), body, Strictness::everything);
        if (!verdict.broken.empty() && verdict.broken[0].rule_id != "a.prefill") {
          throw std::runtime_error(rules_of(verdict));
        }
      };
    };
    const auto small = growth::of(prepare, std::size_t{1} << 20U);
    CHECK_MESSAGE(small.ratio() <= growth::linear, big.element.substr(0, 60), ": ", small);
    const auto large = growth::of(prepare, std::size_t{1} << 21U);  // and 4 MiB
    CHECK_MESSAGE(large.ratio() <= growth::linear, big.element.substr(0, 60), ": ", large);
  }
}

}  // namespace strict_backend_tests
