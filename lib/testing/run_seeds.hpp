/// Many schedules on several threads, some of them twice.
#pragma once

#include "understudy/testing/simulation.hpp"

namespace understudy::testing {

/// Into the trace: FNV-1a.
inline void trace(Schedule& schedule, std::uint64_t value) {
  schedule.trace = (schedule.trace ^ value) * 0x100000001B3ULL;
}

/// Something is not as it must be.
inline void complain(Schedule& schedule, const std::string& what) {
  constexpr std::size_t longest = 2'000;
  if (schedule.complaint.size() < longest) {
    schedule.complaint += what + "; ";
  }
}

using RunOne = Schedule(std::uint64_t seed, std::ostream* log);

/// `simulate` of any kind of schedule.
SimulationResult run_seeds(std::uint64_t first, std::uint64_t count, unsigned threads, RunOne& one);

}  // namespace understudy::testing
