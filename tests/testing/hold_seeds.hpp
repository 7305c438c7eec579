/// Runs many schedules, from UNDERSTUDY_SEED on where that is set, and fails for each that is not as it must be.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>

#include "understudy/testing/simulation.hpp"

namespace simulation_test {

using Simulate = understudy::testing::SimulationResult(std::uint64_t first, std::uint64_t count,
                                                       unsigned threads);

inline understudy::testing::SimulationResult hold_seeds(Simulate& simulate, std::uint64_t count,
                                                        unsigned threads) {
  const char* given = std::getenv("UNDERSTUDY_SEED");
  const auto first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  auto result = simulate(first, count, threads);
  for (const auto& failure : result.failures) {
    FAIL_CHECK("seed " << failure.seed << ": " << failure.what
                       << "\nagain: understudy simulate --seeds 1 --trace --seed " << failure.seed);
  }
  CHECK(result.schedules == count);
  return result;
}

}  // namespace simulation_test
