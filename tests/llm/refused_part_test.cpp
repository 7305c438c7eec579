#include "understudy/llm/refused_part.hpp"

#include <doctest/doctest.h>

#include <string>

namespace refused_part_test {

using namespace understudy::llm;
using Kind = RefusedPart::Kind;

TEST_CASE("the part that a refusal names, in every form of error") {
  struct Row {
    const char* body;
    Kind kind;
    const char* mend;
    int status = 400;
  };
  const Row rows[] = {
      {R"({"type":"error","error":{"type":"invalid_request_error","message":"odd: Extra inputs are not permitted"}})",
       Kind::parameter, "drop:odd"},
      {R"({"type":"error","error":{"type":"invalid_request_error","message":"tools.0.custom.defer_loading: Extra inputs are not permitted"}})",
       Kind::parameter, "drop:tools[].defer_loading"},
      {R"({"type":"error","error":{"message":"`temperature` is deprecated for this model."}})",
       Kind::parameter, "drop:temperature"},
      {R"({"error":{"message":"Unknown parameter: 'odd'.","type":"invalid_request_error","param":"odd","code":"unknown_parameter"}})",
       Kind::parameter, "drop:odd"},
      {R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens"}})",
       Kind::parameter, "rename:max_tokens>max_completion_tokens"},
      {R"({"error":{"message":"Unsupported value: 'reasoning_effort' does not support 'max' with this model.","param":"reasoning_effort","code":"unsupported_value"}})",
       Kind::value, "drop_value:reasoning_effort"},
      {R"({"detail":"Unsupported parameter: max_output_tokens"})", Kind::parameter,
       "drop:max_output_tokens"},
      {R"([{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"odd\": Cannot find field.","status":"INVALID_ARGUMENT"}}])",
       Kind::parameter, "drop:odd"},
      {R"({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","odd"],"msg":"Extra inputs are not permitted","input":1}]}})",
       Kind::parameter, "drop:odd", 422},
      {R"({"detail":[{"type":"extra_forbidden","loc":["body","messages",0,"name"],"msg":"Extra inputs are not permitted"}]})",
       Kind::parameter, "drop:messages[].name", 422},
      {R"({"error":{"message":"System message must be at the beginning.","type":"BadRequestError","param":null,"code":400}})",
       Kind::order, "demote:messages"},
      {R"({"type":"error","error":{"type":"api_error","message":"system message must be at the beginning"}})",
       Kind::order, "demote:messages", 500},
      {R"({"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 128000. This model's maximum context length is 131072 tokens and your request has 20000 input tokens (128000 > 131072 - 20000).","type":"BadRequestError","param":null,"code":400}})",
       Kind::limit, "clamp:max_tokens>111072"},
      {R"({"error":{"message":"This model's maximum context length is 131072 tokens. However, you requested 190000 tokens (62000 in the messages, 128000 in the completion). Please reduce the length of the messages or completion.","type":"invalid_request_error"}})",
       Kind::limit, "clamp:max_tokens>69072"},
      {R"({"error":{"message":"property 'odd' is unsupported","type":"invalid_request_error"}})",
       Kind::parameter, "drop:odd"},
      {R"({"code":"Client specified an invalid argument","error":"Argument not supported on this model: odd"})",
       Kind::parameter, "drop:odd"},
      {R"({"type":"error","error":{"message":"This model does not support the effort parameter."}})",
       Kind::parameter, "drop:effort"},
      {R"({"error":"Unsupported parameter: odd"})", Kind::parameter, "drop:odd"},
      {R"({"error":{"code":400,"message":"Unsupported param: odd","type":"invalid_request_error"}})",
       Kind::parameter, "drop:odd"},
      {R"({"error":{"message":"json: unknown field \"odd\"","type":"invalid_request_error"}})",
       Kind::parameter, "drop:odd"},
      {R"({"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to \"drop_block\"."}})",
       Kind::binding, "unbind:thinking.block_binding.prefix_mismatch_behavior"},
      {R"({"type":"error","error":{"type":"invalid_request_error","message":"messages.3.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.mismatch_behavior` to \"drop_block\"."}})",
       Kind::binding, "unbind:thinking.block_binding.mismatch_behavior"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto part = refused_part(row.status, row.body);
    REQUIRE(part);
    CHECK(part->kind == row.kind);
    CHECK(part->mend() == row.mend);
  }
}

TEST_CASE("a refusal that names nothing gives nothing") {
  for (const auto* body : {"", "{}", "not JSON", R"({"error":{"message":"Bad request"}})",
                           R"({"error":{"message":"temperature: 7 is above the maximum of 2"}})",
                           "\xff\xfe", "[", "[]"}) {
    CAPTURE(body);
    CHECK_FALSE(refused_part(400, body));
  }
  CHECK_FALSE(refused_part(500, R"({"detail":"Unsupported parameter: x"})"));
}

TEST_CASE(
    "Claude Code's system messages at a server with Qwen's template: only the first message is "
    "one") {
  const auto mended = without_part(
      R"({"messages":[{"role":"system","content":"a"}, {"role":"user","content":"b"},)"
      R"({"role": "system","content":"c"},{"role":"tool","content":"d"},{"role":"developer"}]})",
      "demote:messages");
  CHECK(mended ==
        R"({"messages":[{"role":"system","content":"a"}, {"role":"user","content":"b"},)"
        R"({"role": "user","content":"c"},{"role":"tool","content":"d"},{"role":"user"}]})");
  CHECK_FALSE(without_part(*mended, "demote:messages"));  // it is not sent a third time
  CHECK_FALSE(without_part(R"({"messages":7})", "demote:messages"));
}

TEST_CASE(
    "an answer's limit that does not fit beside the prompt is cut, and a long prompt stays one") {
  const auto mended = without_part(R"({"max_completion_tokens": 128000, "max_tokens":5})",
                                   "clamp:max_tokens>111072");
  CHECK(mended == R"({"max_completion_tokens": 111072, "max_tokens":5})");
  CHECK_FALSE(without_part(*mended, "clamp:max_tokens>111072"));
  for (const auto* const body :
       {"This model's maximum context length is 8192 tokens. However, you requested 9000 tokens "
        "(8100 in the messages, 900 in the completion).",
        "This model's maximum context length is 8192 tokens and your request has 99999 input "
        "tokens",
        "maximum context length is 99999999999999999999 tokens, your request has 7 input tokens",
        "This model's maximum context length is 8192 tokens."}) {
    CHECK_FALSE(refused_part(400, body));
  }
}

TEST_CASE("a request without what was refused") {
  const std::string body =
      R"({"model":"m","odd":1,"max_tokens":5,"a":{"b":1,"c":2},"messages":[{"role":"user","name":"x"},{"role":"user"}]})";
  CHECK(
      without_part(body, "drop:odd") ==
      R"({"model":"m","max_tokens":5,"a":{"b":1,"c":2},"messages":[{"role":"user","name":"x"},{"role":"user"}]})");
  CHECK(without_part(body, "drop:a.b")->find(R"("a":{"c":2})") != std::string::npos);
  CHECK(without_part(body, "drop:messages[].name")->find("\"x\"") == std::string::npos);
  CHECK(without_part(body, "rename:max_tokens>max_completion_tokens")
            ->find(R"("max_completion_tokens":5)") != std::string::npos);
  const std::string_view unbind = "unbind:thinking.block_binding.prefix_mismatch_behavior";
  const auto asks = [&](std::string_view thinking) {
    return without_part(R"({"a":1)" + std::string(thinking) + "}", unbind);
  };
  CHECK(
      asks("") ==
      R"({"a":1,"thinking":{"type":"adaptive","block_binding":{"prefix_mismatch_behavior":"drop_block"}}})");
  CHECK(
      asks(R"(,"thinking":{"type":"adaptive"})") ==
      R"({"a":1,"thinking":{"type":"adaptive","block_binding":{"prefix_mismatch_behavior":"drop_block"}}})");
  CHECK(
      asks(R"(,"thinking":{"type":"adaptive","block_binding":{"bind_to_end_user":false}})") ==
      R"({"a":1,"thinking":{"type":"adaptive","block_binding":{"bind_to_end_user":false,"prefix_mismatch_behavior":"drop_block"}}})");
  // The client has chosen, or does not think
  for (const auto* thinking :
       {R"(,"thinking":{"type":"adaptive","block_binding":{"prefix_mismatch_behavior":"error"}})",
        R"(,"thinking":{"type":"adaptive","block_binding":{"mismatch_behavior":"error"}})",
        R"(,"thinking":{"type":"disabled"})"}) {
    CAPTURE(thinking);
    CHECK_FALSE(asks(thinking));
  }
  // What is not there, and what a request cannot do without
  for (const auto* mend : {"drop:none", "drop:model", "drop:messages", "drop:messages[].none",
                           "drop:", "drop", "drop:a[].b[].c", "rename:none>x"}) {
    CAPTURE(mend);
    CHECK_FALSE(without_part(body, mend));
  }
}

}  // namespace refused_part_test
