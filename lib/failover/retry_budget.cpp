#include "understudy/failover/retry_budget.hpp"

#include <algorithm>

namespace understudy {
namespace {

constexpr std::int64_t floors_saved = 10;
constexpr unsigned least_floor = 1;  // without a floor the calls' share has to be saved as well

}  // namespace

RetryBudget::RetryBudget(const BudgetSettings& settings) noexcept
    : deposit_(static_cast<std::int64_t>(settings.ratio * static_cast<double>(one))),
      most_(floors_saved * std::max(settings.floor, least_floor) * one),
      balance_(settings.floor * one) {}

void RetryBudget::deposit() noexcept {
  if (balance_.load(std::memory_order_relaxed) < most_) {
    balance_.fetch_add(deposit_, std::memory_order_relaxed);
  }
}

bool RetryBudget::withdraw() noexcept {
  auto balance = balance_.load(std::memory_order_relaxed);
  while (balance >= one) {
    if (balance_.compare_exchange_weak(balance, balance - one, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace understudy
