#include "understudy/testing/simulation.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

using namespace understudy;

namespace {

void hold(std::uint64_t count, unsigned threads) {
  const char* given = std::getenv("UNDERSTUDY_SEED");
  const auto first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  const auto result = testing::simulate(first, count, threads);
  for (const auto& failure : result.failures) {
    FAIL_CHECK("seed " << failure.seed << ": " << failure.what
                       << "\nagain: understudy simulate --seeds 1 --trace --seed " << failure.seed);
  }
  MESSAGE(result.calls << " calls, " << result.attempts << " attempts, " << result.probes
                       << " probes");
  CHECK(result.schedules == count);
  CHECK(result.median_calls >= 10);
  // All that is to be checked does happen.
  CHECK(result.probes > count);
  CHECK(result.answered > 0);
  CHECK(result.failed > 0);
  CHECK(result.cancelled > 0);
}

}  // namespace

TEST_CASE("simulation: 600 schedules, every invariant holds") { hold(600, 1); }

TEST_CASE("simulation: 20,000 schedules" * doctest::test_suite("full")) { hold(20'000, 2); }

TEST_CASE("simulation: the same seed is the same schedule, and its log says what happens") {
  std::ostringstream log;
  const auto once = testing::simulate_one(3, &log);
  const auto again = testing::simulate_one(3);
  CHECK(once.trace == again.trace);
  CHECK(once.attempts == again.attempts);
  CHECK(testing::simulate_one(4).trace != once.trace);
  CHECK(log.str().find("plain begins") != std::string::npos);
}
