/// Answers that break at random places and are gone on with in every manner, right and wrong, in virtual time:
/// what `on_partial = "resume"` makes of them, held against what must always be so.
///
/// A schedule is drawn from its seed: an answer (prose, code, Chinese, emoji, some of it said twice; thoughts
/// before it, up to two tool calls behind it); a chain of two to four providers in any of the three protocols,
/// over HTTP in memory, that take a prefill or not; cuts of every kind of Fault, between events and within
/// one; and continuations: the whole again, the tail again, going on exactly, chatter, another answer, a near miss,
/// the tool calls alone. Now and then the consumer goes away. The same seed is the same schedule, to the event.
///
/// Checked in each
/// 1. All that answer_check.hpp says: what is shown is a beginning of the right answer, and what is called
///    complete is all of it.
/// 2. Nobody is asked for anything after a complete tool call was shown, or after the consumer went.
/// 3. Who is asked to go on is told what was shown, all of it and nothing else.
/// 4. The answer is rescued at most `max_resumes` times, and attempts are bounded.
/// 5. At the end no connection is open but idle ones in the pool.
///
/// A member that leaves something out and says nothing that shows it cannot be found out by anybody, so none does
/// (client/seam.hpp, "what cannot be seen").
///
///     const auto result = testing::simulate_broken_answers(1, 10'000, 2);
///     for (const auto& failure : result.failures) { std::cerr << failure.seed << failure.what; }
#pragma once

#include <cstdint>
#include <iosfwd>

#include "understudy/export.hpp"
#include "understudy/testing/simulation.hpp"

namespace understudy::testing {

/// Runs the schedule of one seed, which is one call, and writes what happens to `log` if there is one. Needs a
/// thread without virtual time of its own.
UNDERSTUDY_API Schedule simulate_broken_answer(std::uint64_t seed, std::ostream* log = nullptr);

/// Runs the seeds `first` to `first + count - 1`, as `simulate` does.
UNDERSTUDY_API SimulationResult simulate_broken_answers(std::uint64_t first, std::uint64_t count,
                                                        unsigned threads);

}  // namespace understudy::testing
