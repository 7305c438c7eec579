#include "understudy/failover/retry_budget.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace understudy;

namespace {

int withdraw_all(RetryBudget& budget) {
  int granted = 0;
  while (budget.withdraw()) {
    ++granted;
  }
  return granted;
}

}  // namespace

TEST_CASE("the floor is there from the start, and then it is empty") {
  RetryBudget budget;
  CHECK(budget.available());
  CHECK(withdraw_all(budget) == 10);
  CHECK_FALSE(budget.available());
  CHECK_FALSE(budget.withdraw());
}

TEST_CASE("a fifth of the calls may be retried") {
  RetryBudget budget;
  withdraw_all(budget);
  for (int i = 0; i < 4; ++i) {
    budget.deposit();
    CHECK_FALSE(budget.withdraw());
  }
  budget.deposit();
  CHECK(withdraw_all(budget) == 1);
}

TEST_CASE("in a total outage: at most ratio x calls + floor") {
  for (const auto& settings :
       {BudgetSettings(), BudgetSettings(0.5, 3), BudgetSettings(0, 4), BudgetSettings(1, 0)}) {
    CAPTURE(settings.ratio);
    CAPTURE(settings.floor);
    RetryBudget budget(settings);
    int granted = 0;
    for (int call = 1; call <= 10'000; ++call) {
      budget.deposit();
      granted += withdraw_all(budget);  // everyone retries as often as he may
      REQUIRE(granted <= settings.ratio * call + settings.floor);
    }
    CHECK(granted >= settings.ratio * 9'999 + settings.floor - 1);
  }
}

TEST_CASE("no floor, no ratio: never a retry") {
  RetryBudget budget(BudgetSettings(0, 0));
  for (int i = 0; i < 1000; ++i) {
    budget.deposit();
  }
  CHECK_FALSE(budget.available());
  CHECK_FALSE(budget.withdraw());
}

TEST_CASE("a long time of health saves up ten floors, not more") {
  RetryBudget budget;
  for (int i = 0; i < 100'000; ++i) {
    budget.deposit();
  }
  CHECK(withdraw_all(budget) == 100);
}

TEST_CASE("a floor of zero leaves the calls their share, and saves up ten") {
  RetryBudget budget(BudgetSettings(0.2, 0));
  CHECK_FALSE(budget.available());
  for (int i = 0; i < 5; ++i) {
    budget.deposit();
  }
  CHECK(withdraw_all(budget) == 1);
  for (int i = 0; i < 100'000; ++i) {
    budget.deposit();
  }
  CHECK(withdraw_all(budget) == 10);
}

TEST_CASE("threads that withdraw at once never get one retry twice") {
  RetryBudget budget(BudgetSettings(0, 1000));
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { granted += withdraw_all(budget); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(granted == 1000);
}
