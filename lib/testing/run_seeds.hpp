/// Many schedules on several threads, some of them twice.
#pragma once

#include "understudy/testing/simulation.hpp"

namespace understudy::testing {

using RunOne = Schedule(std::uint64_t seed, std::ostream* log);

/// `simulate` of any kind of schedule.
SimulationResult run_seeds(std::uint64_t first, std::uint64_t count, unsigned threads, RunOne& one);

}  // namespace understudy::testing
