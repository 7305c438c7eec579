#include "text/durations.hpp"

#include <doctest/doctest.h>

using namespace understudy::text;
using namespace std::chrono_literals;

TEST_CASE("durations") {
  CHECK(parse_duration("180s") == 180s);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("750ms") == 750ms);
  CHECK(parse_duration("2m") == 2min);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("8784h") == longest_duration);
  for (const auto* wrong :
       {"", "s", "180", "0s", "-1s", "180 s", "180S", "3min", "8785h", "1e3s"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration(wrong));
  }
}

TEST_CASE("a bare number is seconds, where that is allowed") {
  CHECK(parse_seconds("45") == 45s);
  CHECK(parse_seconds("0.5") == 500ms);
  CHECK(parse_seconds("2m") == 2min);
  CHECK_FALSE(parse_seconds("0"));
  CHECK_FALSE(parse_seconds("soon"));
}

TEST_CASE("the duration that was probably meant") {
  CHECK(meant_duration("180") == "180s");
  CHECK(meant_duration("3min") == "3m");
  CHECK(meant_duration("3 Minutes") == "3m");
  CHECK(meant_duration("500 millis") == "500ms");
  CHECK(meant_duration("2hours") == "2h");
  CHECK(meant_duration("0") == "");
  CHECK(meant_duration("1d") == "");
  CHECK(meant_duration("soon") == "");
}

TEST_CASE("a duration as text, in the largest unit that fits") {
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(120s) == "2m");
  CHECK(duration_text(7200s) == "2h");
  CHECK(duration_text(1500ms) == "1500ms");
  CHECK(duration_text(1500us) == "1.500000ms");
  for (const auto duration : {1ms, 999ms, 1000ms, 60'000ms, 3'600'001ms}) {
    CHECK(parse_duration(duration_text(duration)) == duration);
  }
}
