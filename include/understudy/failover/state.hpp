/// State shared by clients and threads: health, quotas, retry budgets, the usual times of members, and random numbers.
///
/// A program usually has one. Credentials are in their pools (credential_pool.hpp), which members share.
///
/// Invariants
/// 1. Threads: any; no lock is held across a suspension.
/// 2. Its size depends only on the number of members and providers that were ever used; that of `quotas` is bounded.
///
///     State state;
///     auto outcome = co_await failover(chain, policy, state, call);
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "understudy/export.hpp"
#include "understudy/failover/health.hpp"
#include "understudy/failover/member.hpp"
#include "understudy/failover/quota.hpp"
#include "understudy/failover/retry_budget.hpp"

namespace understudy {

/// The record of a member. Its address does not change.
class UNDERSTUDY_API MemberRecord {
 public:
  explicit MemberRecord(RetryBudget& budget) noexcept : budget_(&budget) {}

  /// The provider's: all its members share it.
  RetryBudget& budget() const noexcept { return *budget_; }

  /// The recent average time to first progress; zero if none was seen.
  Clock::duration usual_first_progress() const noexcept {
    return Clock::duration(usual_.load(std::memory_order_relaxed));
  }
  /// Counts this time into the average.
  void note_first_progress(Clock::duration took) noexcept;

 private:
  RetryBudget* budget_;
  std::atomic<Clock::rep> usual_{0};
};

/// See the top of the file.
class UNDERSTUDY_API State {
 public:
  explicit State(const BudgetSettings& budget = BudgetSettings(), std::uint64_t seed = 1);
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// The marks of what has failed.
  Health& health() noexcept { return health_; }
  /// What providers have said of quotas.
  Quotas& quotas() noexcept { return quotas_; }
  /// The member's record, which is made at its first use.
  MemberRecord& record(const Member& member);

  /// The remaining retries of each provider that was ever asked.
  std::map<std::string, double> budgets();

  /// A new random number in [0, 1) on each call; equal seeds give equal sequences.
  double random() noexcept;
  /// A new identity.
  CallId next_call() noexcept { return CallId{calls_.fetch_add(1, std::memory_order_relaxed) + 1}; }

 private:
  Health health_;
  Quotas quotas_;
  BudgetSettings budget_settings_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<RetryBudget>> budgets_;  // by provider
  std::unordered_multimap<std::size_t, std::pair<std::string, std::unique_ptr<MemberRecord>>>
      records_;  // by Member::key_hash, then key
  std::atomic<std::uint64_t> random_;
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace understudy
