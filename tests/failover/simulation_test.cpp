#include "understudy/testing/simulation.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "../testing/hold_seeds.hpp"

using namespace understudy;

namespace {

void hold(std::uint64_t count, unsigned threads) {
  const auto result = simulation_test::hold_seeds(testing::simulate, count, threads);
  MESSAGE(result.calls << " calls, " << result.attempts << " attempts, " << result.probes
                       << " probes");
  CHECK(result.median_calls >= 10);
  // All that is to be checked does happen.
  CHECK(result.probes > count);
  CHECK(result.answered > 0);
  CHECK(result.failed > 0);
  CHECK(result.cancelled > 0);
}

}  // namespace

TEST_CASE("simulation: 600 schedules, every invariant holds") { hold(600, 1); }

TEST_CASE("simulation: 100,000 schedules" * doctest::test_suite("full")) { hold(100'000, 2); }

TEST_CASE("simulation: the same seed is the same schedule, and its log says what happens") {
  std::ostringstream log;
  const auto once = testing::simulate_one(3, &log);
  const auto again = testing::simulate_one(3);
  CHECK(once.trace == again.trace);
  CHECK(once.attempts == again.attempts);
  CHECK(testing::simulate_one(4).trace != once.trace);
  CHECK(log.str().find("plain begins") != std::string::npos);
}
