/// Random incidents in virtual time, each held against what must always be so.
///
/// A schedule is drawn from its seed: providers that are well, slow, silent, refuse, reset, run out of
/// capacity or funds, or whose tokens expire, in phases; a chain of them with keys; a policy; and up to a
/// thousand calls, some of whose callers go away. The same seed is the same schedule, to the event.
///
/// Checked in each
/// 1. Every call ends once, in bounded time (in time, where it has a deadline), after a bounded number of
///    attempts. Nothing is alive after the end, and no probe's lease is left.
/// 2. An answer is the answering provider's; a failure holds every failed attempt.
/// 3. Who was cancelled asks nobody any more.
/// 4. One probe of a member and credential at a time.
/// 5. Retries at a provider stay within its budget.
/// 6. A stall is not retried where `eager_on_timeout` says so.
/// 7. The report is what the providers saw: whom, in what order, with which credential, to what end.
///
///     const auto result = testing::simulate(1, 10'000, 2);
///     for (const auto& failure : result.failures) { std::cerr << failure.seed << failure.what; }
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "understudy/export.hpp"

namespace understudy::testing {

/// What came of one schedule.
class Schedule {
 public:
  std::size_t calls = 0;
  std::size_t attempts = 0;
  std::size_t probes = 0;
  std::size_t answered = 0;
  std::size_t resumed = 0;  ///< of these, gone on with by another attempt (broken_answers.hpp)
  std::size_t failed = 0;
  std::size_t cancelled = 0;
  std::uint64_t trace = 0;  ///< of everything that happened: equal seeds have equal traces
  std::string complaint;    ///< empty: all is as it must be
};

/// Runs the schedule of one seed, and writes what happens to `log` if there is one. Needs a thread without
/// virtual time of its own.
UNDERSTUDY_API Schedule simulate_one(std::uint64_t seed, std::ostream* log = nullptr);

class SimulationFailure {
 public:
  std::uint64_t seed;
  std::string what;
};

class SimulationResult {
 public:
  std::size_t schedules = 0;
  std::size_t median_calls = 0;
  std::size_t most_calls = 0;
  std::uint64_t calls = 0;
  std::uint64_t attempts = 0;
  std::uint64_t probes = 0;
  std::uint64_t answered = 0;
  std::uint64_t resumed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::vector<SimulationFailure> failures;  ///< by seed
};

/// Runs the seeds `first` to `first + count - 1` on so many threads. One in sixteen is run twice and must
/// give the same trace.
UNDERSTUDY_API SimulationResult simulate(std::uint64_t first, std::uint64_t count,
                                         unsigned threads);

}  // namespace understudy::testing
