/// Where a schedule's luck comes from: the same seed, the same luck.
#pragma once

#include <cstdint>
#include <random>

namespace understudy::testing {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::uint64_t pick(std::uint64_t n) { return random_() % n; }  ///< 0 to n - 1
  bool chance(unsigned percent) { return pick(100) < percent; }

 private:
  std::mt19937_64 random_;
};

}  // namespace understudy::testing
