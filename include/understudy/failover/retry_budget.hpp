/// How many retries a provider may get: a token bucket that calls fill and retries empty.
///
/// In a total outage every call would be retried, and a failing provider would get three times the load.
/// With this, retries are at most a share of the calls, plus a floor for callers that call rarely (Finagle's
/// RetryBudget; here without its refill by time, which would defeat the bound in a long outage).
///
/// Invariants
/// 1. Retries granted <= ratio x calls + floor, over any span of time that begins with the bucket.
/// 2. A long time of health saves up at most ten floors, or ten retries where the floor is zero.
/// 3. Any thread, no lock.
///
///     RetryBudget budget;
///     budget.deposit();                       // a call begins
///     if (budget.withdraw()) { retry(); }
#pragma once

#include <atomic>
#include <cstdint>

#include "understudy/export.hpp"

namespace understudy {

class BudgetSettings {
 public:
  constexpr BudgetSettings() noexcept {}
  constexpr BudgetSettings(double share, unsigned least) noexcept : ratio(share), floor(least) {}

  double ratio = 0.2;   ///< retries for each call
  unsigned floor = 10;  ///< and this many more
};

/// See the top of the file.
class UNDERSTUDY_API RetryBudget {
 public:
  explicit RetryBudget(const BudgetSettings& settings = BudgetSettings()) noexcept;

  /// A call came to the provider.
  void deposit() noexcept;

  /// Takes one retry, or says that there is none.
  bool withdraw() noexcept;

  /// How many retries there are.
  double balance() const noexcept {
    return static_cast<double>(balance_.load(std::memory_order_relaxed)) / one;
  }

  bool available() const noexcept { return balance_.load(std::memory_order_relaxed) >= one; }

 private:
  static constexpr std::int64_t one = 1000;  // a retry, in thousandths

  std::int64_t deposit_;
  std::int64_t most_;
  std::atomic<std::int64_t> balance_;
};

}  // namespace understudy
