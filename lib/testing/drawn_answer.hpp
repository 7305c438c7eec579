/// Random answers.
#pragma once

#include <cstdint>
#include <random>

#include "understudy/testing/answer_check.hpp"

namespace understudy::testing {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::uint64_t pick(std::uint64_t n) { return random_() % n; }  ///< 0 to n - 1
  bool chance(unsigned percent) { return pick(100) < percent; }

 private:
  std::mt19937_64 random_;
};

/// Its text begins with no white space, and says nothing of 8 characters twice in a row, nor of 4 at its start
/// (seam.hpp, 3 to 5).
WholeAnswer draw_answer(Dice& dice);

}  // namespace understudy::testing
