#include "understudy/failover/quota.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr double reserve = 0.02;

bool is_low(const Quotas& quotas, const std::string& key, Clock::time_point now) {
  const std::array keys{std::string("another"), key};
  return quotas.low(keys, now);
}

void note(Quotas& quotas, const std::string& key, const Allowance& one, Clock::time_point now) {
  quotas.note(key, std::array{one}, reserve, now);
}

}  // namespace

TEST_CASE(
    "how long a quota is low: a window until it ends, a bucket until it has refilled enough") {
  struct Case {
    const char* what;
    Allowance allowance;
    double reserve;
    Clock::duration low;
  };
  const std::vector<Case> cases{
      {"enough is left", Allowance("5h", 0.5, 1h), reserve, 0s},
      {"exactly the reserve", Allowance("5h", reserve, 1h), reserve, 0s},
      {"less than the reserve", Allowance("5h", 0.01, 1h), reserve, 1h},
      {"nothing is left", Allowance("5h", 0, 1h), reserve, 1h},
      {"no reserve", Allowance("5h", 0, 1h), 0, 0s},
      {"more than all is used", Allowance("5h", -0.5, 1h), reserve, 1h},
      {"not a number", Allowance("5h", std::numeric_limits<double>::quiet_NaN(), 1h), reserve, 0s},
      {"a reset in the past", Allowance("5h", 0, -1h), reserve, 0s},
      {"an empty bucket", Allowance("requests", 0, 100s).gradual(), reserve, 2s},
      {"a full bucket", Allowance("requests", 1, 100s).gradual(), reserve, 0s},
      {"all of it is the reserve", Allowance("requests", 0.5, 100s).gradual(), 1, 100s},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    const auto low = one.allowance.low_for(one.reserve);
    CHECK(low >= one.low - 1us);
    CHECK(low <= one.low + 1us);
  }
}

TEST_CASE("a quota is low until its window ends, and at most half an hour on one statement") {
  Quotas quotas;
  const Clock::time_point now{};
  CHECK(quotas.all_ample(now));
  note(quotas, "a", Allowance("5h", 0.01, 10min), now);
  note(quotas, "b", Allowance("7d", 0.01, 72h), now);
  CHECK(is_low(quotas, "a", now));
  CHECK(is_low(quotas, "a", now + 10min - 1ns));
  CHECK_FALSE(is_low(quotas, "a", now + 10min));
  CHECK(is_low(quotas, "b", now + 30min - 1ns));
  CHECK_FALSE(is_low(quotas, "b", now + 30min));
  CHECK_FALSE(is_low(quotas, "c", now));
  CHECK(quotas.all_ample(now + 30min));
}

TEST_CASE("the latest statement counts: one that says less, one that says more") {
  Quotas quotas;
  const Clock::time_point now{};
  note(quotas, "a", Allowance("5h", 0.5, 1h), now);
  CHECK_FALSE(is_low(quotas, "a", now));
  note(quotas, "a", Allowance("5h", 0.01, 1h), now);
  CHECK(is_low(quotas, "a", now));
  note(quotas, "a", Allowance("5h", 1, 5h), now + 1min);
  CHECK_FALSE(is_low(quotas, "a", now + 1min));
}

TEST_CASE("an answer that states nothing changes nothing") {
  Quotas quotas;
  const Clock::time_point now{};
  note(quotas, "a", Allowance("5h", 0.01, 1h), now);
  quotas.note("a", {}, reserve, now);
  CHECK(is_low(quotas, "a", now));
}

TEST_CASE("of several windows the lowest counts, and the reports name them all until they end") {
  Quotas quotas;
  const Clock::time_point now{};
  quotas.note("b", std::array{Allowance("7d", 0.75, 48h), Allowance("5h", 0.01, 1h)}, reserve, now);
  note(quotas, "a", Allowance("requests", 0.5, 1min).gradual(), now);
  CHECK(is_low(quotas, "b", now));
  auto reports = quotas.reports(now + 30s);
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].key == "a");
  CHECK(reports[0].left == 0.5);
  CHECK(reports[0].resets == 30s);
  CHECK_FALSE(reports[0].low);
  CHECK(reports[1].window == "5h");
  CHECK(reports[1].low);
  CHECK(reports[2].window == "7d");
  reports = quotas.reports(now + 2h);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].window == "7d");
}

TEST_CASE("bounded: statements beyond the bound are not kept until older ones have ended") {
  Quotas quotas;
  Clock::time_point now{};
  for (std::size_t i = 0; i < Quotas::most_keys; ++i) {
    note(quotas, std::to_string(i), Allowance("5h", 0.01, 1h), now);
  }
  now += 1min;
  note(quotas, "late", Allowance("5h", 0.01, 1h), now);
  CHECK_FALSE(is_low(quotas, "late", now));
  note(quotas, "7", Allowance("5h", 0.9, 1h), now);  // one that is known is replaced
  CHECK_FALSE(is_low(quotas, "7", now));
  CHECK(quotas.reports(now).size() == Quotas::most_keys);
  now += Quotas::longest_statement;
  note(quotas, "late", Allowance("5h", 0.01, 1h), now);
  CHECK(is_low(quotas, "late", now));
  CHECK(quotas.reports(now).size() <= 2);
  const std::vector<Allowance> many(100, Allowance("5h", 0.01, 1h));
  quotas.note("many", many, reserve, now);
  CHECK(quotas.reports(now).size() <= 2 + Quotas::most_allowances);
}
