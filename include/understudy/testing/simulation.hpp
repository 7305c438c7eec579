/// Simulates random incidents in virtual time and checks the invariants of failover in each.
///
/// A schedule is generated from its seed: providers that go through phases in which they are healthy, slow, or silent,
/// refuse, reset, run out of capacity or funds, or whose tokens expire; a chain of them with keys; a policy; and up to
/// a thousand calls, some of which their callers cancel. Equal seeds give equal schedules, down to the event.
///
/// Checked in each schedule
/// 1. Every call ends once, in bounded time (before its deadline, if it has one), after a bounded number of attempts.
///    No coroutine is alive after the end, and no probe holds a lease.
/// 2. An answer is that of the answering provider; a failure contains every failed attempt.
/// 3. A cancelled call starts no further attempt.
/// 4. A member and credential have at most one probe at a time.
/// 5. Retries at a provider stay within its budget.
/// 6. With `eager_on_timeout`, a stall is not retried.
/// 7. The report matches what the providers saw: which members were asked, in what order, with which credential, and
///    with what outcome.
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

/// The result of one schedule.
class Schedule {
 public:
  std::size_t calls = 0;
  std::size_t attempts = 0;
  std::size_t probes = 0;
  std::size_t answered = 0;
  std::size_t resumed = 0;  ///< of these, resumed by another attempt (broken_answers.hpp)
  std::size_t failed = 0;
  std::size_t cancelled = 0;
  std::uint64_t trace = 0;  ///< a hash of all events: equal seeds have equal traces
  std::string complaint;    ///< empty if every invariant held
};

/// Runs the schedule of one seed, and writes its events to `log` if it is not null. The calling thread must not have
/// virtual time already.
UNDERSTUDY_API Schedule simulate_one(std::uint64_t seed, std::ostream* log = nullptr);

/// A schedule that has violated an invariant: its seed, and which one.
class SimulationFailure {
 public:
  std::uint64_t seed;
  std::string what;
};

/// What a number of schedules have shown, in sums.
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

/// Runs the seeds `first` to `first + count - 1` on that number of threads. One in sixteen is run twice and must give
/// the same trace.
UNDERSTUDY_API SimulationResult simulate(std::uint64_t first, std::uint64_t count,
                                         unsigned threads);

}  // namespace understudy::testing
