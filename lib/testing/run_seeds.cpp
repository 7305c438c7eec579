#include "run_seeds.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace understudy::testing {

SimulationResult run_seeds(std::uint64_t first, std::uint64_t count, unsigned threads,
                           RunOne& one) {
  constexpr std::uint64_t twice_every = 16;
  SimulationResult result;
  std::vector<std::size_t> calls;
  std::mutex mutex;
  std::atomic<std::uint64_t> next{first};
  const auto work = [&] {
    for (auto seed = next++; seed < first + count; seed = next++) {
      auto once = one(seed, nullptr);
      if (seed % twice_every == 0 && one(seed, nullptr).trace != once.trace) {
        once.complaint += "a second run went another way; ";
      }
      const std::lock_guard lock(mutex);
      calls.push_back(once.calls);
      result.calls += once.calls;
      result.attempts += once.attempts;
      result.probes += once.probes;
      result.answered += once.answered;
      result.resumed += once.resumed;
      result.failed += once.failed;
      result.cancelled += once.cancelled;
      if (!once.complaint.empty()) {
        result.failures.push_back({seed, std::move(once.complaint)});
      }
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) {
    others.emplace_back(work);
  }
  std::thread(work).join();  // on a thread of its own: the caller's may have virtual time
  for (auto& thread : others) {
    thread.join();
  }
  std::sort(calls.begin(), calls.end());
  std::sort(result.failures.begin(), result.failures.end(),
            [](const auto& a, const auto& b) { return a.seed < b.seed; });
  result.schedules = calls.size();
  result.median_calls = calls.empty() ? 0 : calls[calls.size() / 2];
  result.most_calls = calls.empty() ? 0 : calls.back();
  return result;
}

}  // namespace understudy::testing
