/// Limits the retries of a provider: a token bucket that calls fill and retries drain.
///
/// Without it, every call would be retried in a total outage, and a failing provider would get three times the load.
/// With it, retries are at most a fraction of the calls, plus a floor for infrequent callers (Finagle's
/// RetryBudget, but without its refill by time, which would defeat the bound in a long outage).
///
/// Invariants
/// 1. Retries granted <= ratio x calls + floor, over any span of time that begins with the bucket.
/// 2. Calls without retries accumulate at most ten times the floor, or ten retries if the floor is zero.
/// 3. Threads: any; lock-free.
///
///     RetryBudget budget;
///     budget.deposit();                       // a call begins
///     if (budget.withdraw()) { retry(); }
#pragma once

#include <atomic>
#include <cstdint>

#include "understudy/export.hpp"

namespace understudy {

/// How many retries the calls of a provider may use together.
class BudgetSettings {
 public:
  constexpr BudgetSettings() noexcept {}
  constexpr BudgetSettings(double share, unsigned least) noexcept : ratio(share), floor(least) {}

  double ratio = 0.2;   ///< retries for each call
  unsigned floor = 10;  ///< retries in addition
};

/// See the top of the file.
class UNDERSTUDY_API RetryBudget {
 public:
  explicit RetryBudget(const BudgetSettings& settings = BudgetSettings()) noexcept;

  /// Counts a call to the provider.
  void deposit() noexcept;

  /// Takes one retry. Returns false if there is none.
  bool withdraw() noexcept;

  /// The number of available retries.
  double balance() const noexcept {
    return static_cast<double>(balance_.load(std::memory_order_relaxed)) / one;
  }

  /// Whether there is a retry to take.
  bool available() const noexcept { return balance_.load(std::memory_order_relaxed) >= one; }

 private:
  static constexpr std::int64_t one = 1000;  // a retry, in thousandths

  std::int64_t deposit_;
  std::int64_t most_;
  std::atomic<std::int64_t> balance_;
};

}  // namespace understudy
