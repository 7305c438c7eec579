// Random chains of providers that are cut at random places, that go on in every manner there is, right and wrong, and
// that send arguments again or report their finish again: nothing doubled, nothing lost, no call with a part of its
// arguments, no call asked for again after it was delivered, and never a neat end to an unfinished answer. (What is
// drawn and checked: testing/broken_answers.hpp.)
#include <doctest/doctest.h>

#include <sstream>

#include "../testing/hold_seeds.hpp"
#include "understudy/testing/broken_answers.hpp"

using namespace understudy;

namespace {

void hold(std::uint64_t count, unsigned threads) {
  const auto result = simulation_test::hold_seeds(testing::simulate_broken_answers, count, threads);
  MESSAGE(result.answered << " answered, " << result.resumed
                          << " of them gone on with by another attempt, " << result.failed
                          << " failed, " << result.cancelled << " left");
  // All that is to be checked does happen.
  CHECK(result.resumed * 10 > count);
  CHECK(result.failed * 20 > count);
  CHECK(result.cancelled > 0);
}

}  // namespace

TEST_CASE("random cuts and continuations, 400 chains") { hold(400, 1); }

TEST_CASE("random cuts and continuations, 100,000 chains" * doctest::test_suite("full")) {
  hold(100'000, 2);
}

TEST_CASE(
    "random cuts and continuations: the same seed is the same, and its log says what happens") {
  std::ostringstream log;
  const auto once = testing::simulate_broken_answer(3, &log);
  CHECK(testing::simulate_broken_answer(3).trace == once.trace);
  CHECK(testing::simulate_broken_answer(4).trace != once.trace);
  CHECK(log.str().find("says the whole again") != std::string::npos);
}
