#include "../../lib/llm/quota_headers.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

namespace quota_headers_test {

using namespace understudy;
using llm::detail::quota_headers;

namespace {

using Fields = std::vector<std::pair<const char*, const char*>>;

/// "window left resets-in-seconds", with "~" where it refills gradually, and "m" where it is of one model.
std::string read(const Fields& fields) {
  HttpFields headers;
  for (const auto& [name, value] : fields) {
    headers.add(name, value);
  }
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'000'000'000));
  std::ostringstream text;
  for (const auto& one : quota_headers(headers, now)) {
    const auto seconds = std::chrono::duration<double>(one.resets).count();
    text << one.window << ' ' << one.left << ' ' << seconds
         << (one.refill == Allowance::Refill::gradually ? "~" : "") << (one.of_model ? "m" : "")
         << ';';
  }
  return text.str();
}

}  // namespace

TEST_CASE("what the headers of each maker state about a quota") {
  struct Case {
    const char* what;
    Fields fields;
    const char* stated;
  };
  const std::vector<Case> cases{
      {"nothing", {{"content-type", "text/event-stream"}, {"x-request-id", "r"}}, ""},
      {"Anthropic's subscription",
       {{"anthropic-ratelimit-unified-status", "allowed_warning"},
        {"anthropic-ratelimit-unified-reset", "1000003600"},
        {"anthropic-ratelimit-unified-representative-claim", "five_hour"},
        {"anthropic-ratelimit-unified-5h-status", "allowed_warning"},
        {"anthropic-ratelimit-unified-5h-utilization", "0.9899999999999999911"},
        {"anthropic-ratelimit-unified-5h-reset", "1000003600"},
        {"anthropic-ratelimit-unified-7d-utilization", "0.25"},
        {"anthropic-ratelimit-unified-7d-reset", "2001-09-10T01:46:40Z"}},
       "5h 0.01 3600;7d 0.75 86400;"},
      {"a window of one model",
       {{"anthropic-ratelimit-unified-7d_opus-utilization", "1"},
        {"anthropic-ratelimit-unified-7d_opus-reset", "1000000060"}},
       "7d_opus 0 60m;"},
      {"a window that is used up",
       {{"anthropic-ratelimit-unified-5h-status", "rejected"},
        {"anthropic-ratelimit-unified-5h-reset", "1000000060"}},
       "5h 0 60;"},
      {"extra usage is paid for",
       {{"anthropic-ratelimit-unified-5h-utilization", "1"},
        {"anthropic-ratelimit-unified-5h-reset", "1000003600"},
        {"anthropic-ratelimit-unified-overage-status", "allowed"}},
       ""},
      {"Anthropic's API",
       {{"anthropic-ratelimit-requests-limit", "50"},
        {"anthropic-ratelimit-requests-remaining", "0"},
        {"anthropic-ratelimit-requests-reset", "2001-09-09T01:47:40Z"},
        {"Anthropic-RateLimit-Input-Tokens-Limit", "1000"},
        {"anthropic-ratelimit-input-tokens-remaining", "500"},
        {"anthropic-ratelimit-input-tokens-reset", "2001-09-09T01:46:50Z"}},
       "requests 0 60~m;input-tokens 0.5 10~m;"},
      {"OpenAI",
       {{"x-ratelimit-limit-requests", "60"},
        {"x-ratelimit-remaining-requests", "15"},
        {"x-ratelimit-reset-requests", "6m0s"},
        {"x-ratelimit-limit-tokens", "1000"},
        {"x-ratelimit-remaining-tokens", "1000"},
        {"x-ratelimit-reset-tokens", "0s"}},
       "requests 0.25 360~m;"},
      {"Azure: a number without a unit, and unknown values",
       {{"x-ratelimit-limit-requests", "60"},
        {"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "10"},
        {"x-ratelimit-limit-tokens", "-1"},
        {"x-ratelimit-remaining-tokens", "-1"},
        {"x-ratelimit-reset-tokens", "1s"}},
       ""},
      {"Codex",
       {{"x-codex-primary-used-percent", "99.5"},
        {"x-codex-primary-window-minutes", "300"},
        {"x-codex-primary-reset-at", "1000000600"},
        {"x-codex-secondary-used-percent", "40"},
        {"x-codex-secondary-reset-after-seconds", "7200"}},
       "primary 0.005 600;secondary 0.6 7200;"},
      {"Codex with credits",
       {{"x-codex-primary-used-percent", "100"},
        {"x-codex-primary-reset-at", "1000000600"},
        {"x-codex-credits-has-credits", "True"}},
       ""},
      {"a reset in the past",
       {{"x-codex-primary-used-percent", "100"}, {"x-codex-primary-reset-at", "999999999"}},
       ""},
      {"no reset", {{"x-codex-primary-used-percent", "100"}}, ""},
      {"no share", {{"x-codex-primary-reset-at", "1000000600"}}, ""},
      {"not numbers",
       {{"x-codex-primary-used-percent", "nan"},
        {"x-codex-primary-reset-at", "1000000600"},
        {"x-codex-secondary-used-percent", "many"},
        {"x-codex-secondary-reset-at", "soon"},
        {"anthropic-ratelimit-unified-5h-utilization", "inf"},
        {"anthropic-ratelimit-unified-5h-reset", "99999999999999999999"}},
       "primary 1 600;"},
      {"the service's own clock",
       {{"date", "Sun, 09 Sep 2001 02:46:40 GMT"},
        {"x-codex-primary-used-percent", "100"},
        {"x-codex-primary-reset-at", "1000003660"}},
       "primary 0 60;"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    CHECK(read(one.fields) == one.stated);
  }
}

TEST_CASE("bounded, whatever a provider invents") {
  HttpFields headers;
  for (int i = 0; i < 500; ++i) {
    const auto name = "x-codex-" + std::to_string(i);
    headers.add(name + "-used-percent", "100");
    headers.add(name + "-reset-after-seconds", "60");
  }
  headers.add("x-codex-" + std::string(5000, 'a') + "-used-percent", "100");
  CHECK(quota_headers(headers, {}).size() == Quotas::most_allowances);
}

}  // namespace quota_headers_test
