#include "understudy/llm/retry_after.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace retry_after_test {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using Time = std::chrono::system_clock::time_point;

namespace {

const Time now = sys_days(std::chrono::year(2026) / 9 / 21) + 12h;

using Fields = std::vector<HeaderField>;

std::optional<Clock::duration> from_header(std::string_view value) {
  return retry_after(Fields{{"Retry-After", value}}, "", now);
}
std::optional<Clock::duration> from_body(std::string_view body) {
  return retry_after({}, body, now);
}

}  // namespace

TEST_CASE("spans, as providers write them") {
  CHECK(parse_span("21") == 21s);
  CHECK(parse_span("2.66s") == 2660ms);
  CHECK(parse_span("120ms") == 120ms);
  CHECK(parse_span("7m12s") == 432s);
  CHECK(parse_span("2m59.56s") == 179560ms);
  CHECK(parse_span("18h31m10s") == 18h + 31min + 10s);
  CHECK(parse_span("4hr 5min") == 4h + 5min);
  CHECK(parse_span("1 day") == 24h);
  CHECK(parse_span("6m0s") == 6min);
  for (const auto* garbage :
       {"", "-1", "soon", "1e3", "nan", "inf", "5 apples", "5s!", "0x10", "+5"}) {
    CAPTURE(garbage);
    CHECK_FALSE(parse_span(garbage));
  }
}

TEST_CASE("dates in every form of RFC 9110 5.6.7, and RFC 3339") {
  const Time expected = sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;
  CHECK(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", now) == expected);
  CHECK(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", now) == expected);
  CHECK(parse_date("Sun Nov  6 08:49:37 1994", now) == expected);
  CHECK(parse_date("1994-11-06T08:49:37Z", now) == expected);
  CHECK(parse_date("1994-11-06T10:49:37.5+02:00", now) == expected + 500ms);
  // A two-digit year 50 years ahead is still ahead; one more, and it is past.
  CHECK(parse_date("Monday, 21-Sep-76 12:00:00 GMT", now) > now);
  CHECK(parse_date("Monday, 21-Sep-77 12:00:00 GMT", now) < now);
  for (const auto* garbage : {"Sun, 31 Feb 2026 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                              "2026-13-01T00:00:00Z", "Sun, 06 Nov 1994 08:49:37", "2026-09-21",
                              "Sun", "Sun, ", "Sun Nov", "2026-09-21T12:00:00+"}) {
    CAPTURE(garbage);
    CHECK_FALSE(parse_date(garbage, now));
  }
}

TEST_CASE("the retry-after header: seconds, fractions, dates") {
  CHECK(from_header("21") == 21s);
  CHECK(from_header(" 0.5 ") == 500ms);
  CHECK(from_header("Mon, 21 Sep 2026 12:00:21 GMT") == 21s);
  CHECK(from_header("Monday, 21-Sep-26 12:00:21 GMT") == 21s);
  CHECK(from_header("99999999999999999999") == longest_retry_after);
  CHECK(from_header("Fri, 31 Dec 9999 23:59:59 GMT") == longest_retry_after);
  CHECK_FALSE(from_header("Fri, 01 Jan 0001 00:00:00 GMT"));
  for (const auto* unsaid : {"0", "-3", "", "soon", "NaN", "Mon, 21 Sep 2026 11:59:59 GMT"}) {
    CAPTURE(unsaid);
    CHECK_FALSE(from_header(unsaid));
  }
}

TEST_CASE("a date is taken relative to the response's own Date") {
  CHECK(retry_after(Fields{{"date", "Mon, 21 Sep 2026 09:00:00 GMT"},
                           {"retry-after", "Mon, 21 Sep 2026 09:00:30 GMT"}},
                    "", now) == 30s);
}

TEST_CASE("milliseconds win over seconds, headers over the body, the body over resets") {
  const std::string_view body = R"({"error":{"message":"Please try again in 2s."}})";
  const HeaderField milliseconds("retry-after-ms", "2660");
  const HeaderField seconds("retry-after", "3");
  const HeaderField reset("x-ratelimit-reset-tokens", "6m0s");
  CHECK(retry_after(Fields{reset, seconds, milliseconds}, body, now) == 2660ms);
  CHECK(retry_after(Fields{reset, seconds}, body, now) == 3s);
  CHECK(retry_after(Fields{reset}, body, now) == 2s);
  CHECK(retry_after(Fields{reset}, "", now) == 6min);
  // What says nothing of use does not hide what does.
  CHECK(retry_after(Fields{{"retry-after-ms", "0"}, seconds}, body, now) == 3s);
  CHECK(retry_after(Fields{{"retry-after", "garbage"}}, body, now) == 2s);
}

TEST_CASE("times stated only in a body") {
  // The wait in the text was ignored, and a retry came after 209 ms (codex CLI #3764).
  CHECK(from_body("Rate limit reached. Please try again in 17.5s. Visit https://x.test/17") ==
        17500ms);
  CHECK(from_body("Please try again in 7m12s.") == 432s);
  CHECK(from_body("Please try again in 120ms.") == 120ms);
  CHECK(from_body("Please retry after 6 seconds.") == 6s);
  CHECK(from_body("Your quota will reset after 18h31m10s.") == 18h + 31min + 10s);
  CHECK(from_body("resets in 4hr 5min") == 4h + 5min);
  CHECK(from_body("PLEASE RETRY IN 3 minutes") == 3min);
  CHECK(from_body(R"([{"error":{"details":[{"retryDelay": "35641s"}]}}])") == 35641s);
  CHECK(from_body(R"({"error":{"retry_after":1.5}})") == 1500ms);
  CHECK(from_body(R"({"error":{"resets_in_seconds":3600,"resets_at":1}})") == 1h);
  const auto epoch =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  CHECK(from_body(R"({"resets_at":)" + std::to_string(epoch + 90) + "}") == 90s);
  CHECK(from_body(R"({"resets_at":)" + std::to_string((epoch + 90) * 1000) + "}") == 90s);
  CHECK(from_body(R"({"reset_at":"2026-09-21T12:01:30Z"})") == 90s);
  for (const auto* unsaid :
       {"Please wait before trying again in the app.", R"({"retry_after":null})",
        R"({"retry_after":-5})", R"({"retryDelay)", R"({"retryDelay":)",
        R"({"resets_at":1700000000})", "try again in ", "try again in 0s"}) {
    CAPTURE(unsaid);
    CHECK_FALSE(from_body(unsaid));
  }
}

TEST_CASE("rate limit resets: the kind that is used up decides") {
  CHECK(retry_after(Fields{{"anthropic-ratelimit-requests-remaining", "812"},
                           {"anthropic-ratelimit-requests-reset", "2026-09-21T12:00:03Z"},
                           {"anthropic-ratelimit-input-tokens-remaining", "0"},
                           {"anthropic-ratelimit-input-tokens-reset", "2026-09-21T12:00:21Z"}},
                    "", now) == 21s);
  CHECK(retry_after(Fields{{"X-RateLimit-Reset-Requests", "7m12s"}}, "", now) == 432s);
  CHECK(retry_after(Fields{{"x-ratelimit-remaining-tokens", "880"},
                           {"x-ratelimit-reset-tokens", "6m0s"},
                           {"x-ratelimit-remaining-requests", "498"},
                           {"x-ratelimit-reset-requests", "120ms"}},
                    "", now) == 120ms);
  const auto epoch =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto reset = std::to_string(epoch + 40);
  CHECK(retry_after(Fields{{"anthropic-ratelimit-unified-reset", reset}}, "", now) == 40s);
  CHECK_FALSE(retry_after(Fields{{"x-ratelimit-reset-tokens", "0"}}, "", now));
}

TEST_CASE("any bytes: no exception, and only the bounded part of the body is read") {
  std::string beyond(retry_after_body_limit, ' ');
  beyond += "try again in 5s";
  CHECK_FALSE(from_body(beyond));
  std::mt19937 random(1);
  const std::string_view pieces[] = {"try again in ", "\"retry_after\"", ":", "\"", "9", ".", "h",
                                     "\x00\xff",      "Sun, ",           "}", "-",  " ", "1e"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto length = random() % 12; length > 0; --length) {
      text += pieces[random() % std::size(pieces)];
    }
    CAPTURE(text);
    for (const auto& span : {from_body(text), from_header(text)}) {
      if (span) {
        REQUIRE(*span > 0s);
        REQUIRE(*span <= longest_retry_after);
      }
    }
  }
}

}  // namespace retry_after_test
