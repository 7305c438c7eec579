/// Whether a cost grows no faster than its input: what keeps one body from occupying a worker for seconds.
///
/// Invariants
/// 1. CPU time of this thread is measured, so other programs on the machine are not counted.
/// 2. Memory is kept from run to run: fresh pages from the kernel cost more than what is measured.
/// 3. Each size counts with the minimum of its runs. A ratio that is too high is measured again, several times,
///    before it is believed: noise only ever adds.
/// 4. A ratio that stays too high is measured at the next doubling. The step from one level of the caches to the next
///    raises a single doubling; a cost that grows faster than its input raises each of them, the later the more.
///
///     const auto found = growth::of([&](std::size_t bytes) { ... return [=] { work(); }; }, 1 << 20);
///     CHECK_MESSAGE(found.ratio() <= growth::linear, found);
#pragma once

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <ostream>

namespace growth {

/// Twice the size costs at most this much. A sort is below it, also where its input leaves a cache. ASAN's allocator
/// maps large blocks anew each time, so invariant 2 does not hold there; what is quadratic is above that limit too.
#ifdef __SANITIZE_ADDRESS__
inline constexpr double linear = 3;
#else
inline constexpr double linear = 2.3;
#endif

inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What two sizes cost, in seconds of CPU; the second size is twice the first.
class Growth {
 public:
  double single = std::numeric_limits<double>::max();
  double twice = std::numeric_limits<double>::max();

  double ratio() const { return twice / single; }

  friend std::ostream& operator<<(std::ostream& out, const Growth& g) {
    return out << g.single * 1e3 << " ms, and " << g.twice * 1e3
               << " ms for twice the size: " << g.ratio() << " times";
  }
};

/// Nothing linear ever measured so much: a cubic cost is not waited for.
inline constexpr double hopeless = 4;

template <class Prepare>
Growth doubling(Prepare& prepare, std::size_t bytes) {
  constexpr int fewest_rounds = 2;
  constexpr int most_rounds = 12;
  auto small = prepare(bytes);
  auto large = prepare(2 * bytes);
  const auto cost = [](auto& run) {
    const auto begin = thread_seconds();
    run();
    return thread_seconds() - begin;
  };
  Growth found;
  for (int round = 0; round < most_rounds; ++round) {
    found.single = std::min(found.single, cost(small));
    found.twice = std::min(found.twice, cost(large));
    const bool settled = found.ratio() <= linear || (found.ratio() > hopeless && found.twice > 1);
    if (settled && round + 1 >= fewest_rounds) {
      break;
    }
  }
  return found;
}

/// `prepare(bytes)` makes the input, which is not measured, and returns what is to be measured.
template <class Prepare>
Growth of(Prepare prepare, std::size_t bytes) {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  const auto found = doubling(prepare, bytes);
  if (found.ratio() <= linear || found.ratio() > hopeless) {
    return found;
  }
  return doubling(prepare, 2 * bytes);
}

}  // namespace growth
