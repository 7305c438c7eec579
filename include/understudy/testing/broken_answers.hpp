/// Simulates answers that break at random places and are resumed correctly or incorrectly, in virtual time, and checks
/// the invariants of `on_partial = "resume"`.
///
/// A schedule is generated from its seed: an answer (prose, code, Chinese, emoji, with repetitions; thoughts before it,
/// up to two tool calls after it); a chain of two to four providers in any of the three protocols, over HTTP in memory,
/// with or without support for prefill; cuts of every kind of Fault, between events and within one; and
/// continuations: the whole answer again, the tail again, an exact continuation, chatter, another answer, a near miss,
/// only the tool calls. Some providers send the arguments of tool calls again, or report their finish again or too early
/// (Reply::Arguments, Reply::Finishes). Sometimes the consumer goes away. Equal seeds give equal schedules, down to the event.
///
/// Checked in each schedule
/// 1. The checks of answer_check.hpp: the delivered part is a prefix of the expected answer, and an answer reported as
///    complete is all of it.
/// 2. The same of the bytes that a client of a gateway would get, in a protocol that is drawn: they are read as SDKs do,
///    without our codecs. A client that is told that an answer is complete has its text and arguments exactly.
/// 3. No member is asked after a complete tool call was delivered, or after the consumer went away.
/// 4. A member that is asked to resume the answer receives exactly the part that was delivered.
/// 5. The answer is resumed at most `max_resumes` times, and the number of attempts is bounded.
/// 6. At the end no connection is open except idle ones in the pool. A failure says why.
///
/// An omission by a member that leaves no trace in its text cannot be detected, so no simulated member makes one
/// (client/seam.hpp, "what cannot be seen"). Nor can a cut right behind a finish that the provider itself reported.
///
///     const auto result = testing::simulate_broken_answers(1, 10'000, 2);
///     for (const auto& failure : result.failures) { std::cerr << failure.seed << failure.what; }
#pragma once

#include <cstdint>
#include <iosfwd>

#include "understudy/export.hpp"
#include "understudy/testing/simulation.hpp"

namespace understudy::testing {

/// Runs the schedule of one seed, which is one call, and writes its events to `log` if it is not null. The calling
/// thread must not have virtual time already.
UNDERSTUDY_API Schedule simulate_broken_answer(std::uint64_t seed, std::ostream* log = nullptr);

/// Runs the seeds `first` to `first + count - 1`, as `simulate` does.
UNDERSTUDY_API SimulationResult simulate_broken_answers(std::uint64_t first, std::uint64_t count,
                                                        unsigned threads);

}  // namespace understudy::testing
