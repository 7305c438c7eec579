/// A small harness for side-by-side numbers: on a noisy machine only what ran in turn can be compared.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// malloc, aligned_alloc and operator new together, on this thread. (Asio's recycling allocators call
/// aligned_alloc, so counting operator new alone would miss them.)
std::uint64_t allocations() noexcept;

struct Figures {
  double nanoseconds = 0;  // median over the rounds, per operation
  double allocations = 0;  // of the last round, per operation
};

struct Way {
  std::string name;
  std::function<void(std::uint64_t operations)> run;
  std::uint64_t operations = 100'000;
  Figures figures;
};

/// Nanoseconds that have passed, or that this thread has worked.
inline double wall_clock() noexcept {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
inline double thread_clock() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Runs the ways in turn, `rounds` times after one to warm up, and fills in their figures.
inline void measure(std::vector<Way>& ways, int rounds = 15, double (*now)() = wall_clock) {
  std::vector<std::vector<double>> samples(ways.size());
  for (int round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      auto& way = ways[i];
      const auto before = allocations();
      const auto start = now();
      way.run(way.operations);
      const auto took = now() - start;
      way.figures.allocations =
          static_cast<double>(allocations() - before) / static_cast<double>(way.operations);
      if (round > 0) {
        samples[i].push_back(took / static_cast<double>(way.operations));
      }
    }
  }
  for (std::size_t i = 0; i < ways.size(); ++i) {
    auto& sample = samples[i];
    std::nth_element(sample.begin(), sample.begin() + rounds / 2, sample.end());
    ways[i].figures.nanoseconds = sample[static_cast<std::size_t>(rounds / 2)];
  }
}

inline const Figures& figures(const std::vector<Way>& ways, const std::string& name) {
  return std::find_if(ways.begin(), ways.end(), [&](const Way& w) { return w.name == name; })
      ->figures;
}

inline void print(const char* title, const std::vector<Way>& ways) {
  std::printf("\n%s\n  %-58s %12s %12s\n", title, "way", "ns", "allocations");
  for (const auto& way : ways) {
    std::printf("  %-58s %12.1f %12.2f\n", way.name.c_str(), way.figures.nanoseconds,
                way.figures.allocations);
  }
}

/// One line for one number to reach. Returns whether it was.
inline bool reach(const char* what, double measured, double at_most, const char* unit) {
  const bool reached = measured <= at_most;
  std::printf("  %-58s %9.2f %s, to reach: <= %.2f  %s\n", what, measured, unit, at_most,
              reached ? "reached" : "MISSED");
  return reached;
}

}  // namespace bench
