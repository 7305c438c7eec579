#include "understudy/llm/refused_part.hpp"

#include <doctest/doctest.h>

#include <string>

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
  // What is not there, and what a request cannot do without
  for (const auto* mend : {"drop:none", "drop:model", "drop:messages", "drop:messages[].none",
                           "drop:", "drop", "drop:a[].b[].c", "rename:none>x"}) {
    CAPTURE(mend);
    CHECK_FALSE(without_part(body, mend));
  }
}
