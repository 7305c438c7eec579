#include "../../tools/understudy/serve/stderr_log.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using understudy::gateway::CallRecord;
using understudy::tool::log_line;
using Format = LogConfig::Format;

namespace {

CallRecord record() {
  CallRecord call("req_1", "/v1/messages", Protocol::anthropic_messages);
  call.model = "quick";
  call.status = 200;
  call.took = 1234ms;
  AttemptReport attempt(Member("anthropic", "claude-opus-4-7"), AttemptKind::plain, 0s);
  attempt.ended = true;
  attempt.credential = std::make_shared<const std::string>("ANTHROPIC_API_KEY");
  call.report.attempts.push_back(attempt);
  return call;
}

}  // namespace

TEST_CASE("a call as a line of text") {
  auto call = record();
  CHECK(log_line(call, Format::text) ==
        "req_1 /v1/messages 200 in 1.234 s, model \"quick\": "
        "anthropic/claude-opus-4-7 (ANTHROPIC_API_KEY) answered");
  call.broke = true;
  CHECK(log_line(call, Format::text).find("200 in 1.234 s, broken off, model") !=
        std::string::npos);
  call.left = true;
  CHECK(log_line(call, Format::text).find("200 in 1.234 s, the client left, model") !=
        std::string::npos);
  call.left = false;
}

TEST_CASE("a call as the members of a JSON object") {
  const auto line = log_line(record(), Format::json);
  CHECK(line.starts_with(
      R"("id":"req_1","path":"/v1/messages","status":200,"broke":false,"client_left":false,"took_ms":1234,"model":"quick","stream":false,"report":{)"));
  CHECK(line.ends_with("}"));
  CHECK(line.find("ANTHROPIC_API_KEY") != std::string::npos);  // the label
}

TEST_CASE("what a client says begins no line of its own, and has a bound") {
  auto call = record();
  call.model = "a\nreq_2 /v1/messages 200";
  call.model.append(10'000, 'm');
  call.prompt = "\n";
  call.prompt.append(100'000, 'p');
  for (const auto format : {Format::text, Format::json}) {
    const auto line = log_line(call, format);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.size() < 20'000);
  }
}

TEST_CASE("the prompt, only where the record has one") {
  auto call = record();
  CHECK(log_line(call, Format::text).find("asked") == std::string::npos);
  call.prompt = R"({"model":"quick"})";
  CHECK(log_line(call, Format::text).ends_with(R"(, asked "{\"model\":\"quick\"}")"));
  CHECK(log_line(call, Format::json).find(R"("prompt":"{\"model\":\"quick\"}")") !=
        std::string::npos);
}
