#include "understudy/failover/state.hpp"

namespace understudy {
namespace {

/// Of a new sample in what counts as usual: half of it is of the last three calls.
constexpr Clock::rep weight = 4;

}  // namespace

void MemberRecord::note_first_progress(Clock::duration took) noexcept {
  const auto usual = usual_.load(std::memory_order_relaxed);
  usual_.store(usual == 0 ? took.count() : usual + (took.count() - usual) / weight,
               std::memory_order_relaxed);  // a sample lost between threads does no harm
}

State::State(const BudgetSettings& budget, std::uint64_t seed)
    : budget_settings_(budget), random_(seed) {}

MemberRecord& State::record(const Member& member) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = records_.equal_range(member.key_hash());
  for (auto place = first; place != last; ++place) {
    if (place->second.first == member.key()) {
      return *place->second.second;
    }
  }
  auto& budget = budgets_[member.provider()];
  if (!budget) {
    budget = std::make_unique<RetryBudget>(member.budget().value_or(budget_settings_));
  }
  const auto place = records_.emplace(
      member.key_hash(), std::pair(member.key(), std::make_unique<MemberRecord>(*budget)));
  return *place->second.second;
}

std::map<std::string, double> State::budgets() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, double> left;
  for (const auto& [provider, budget] : budgets_) {
    left.emplace(provider, budget->balance());
  }
  return left;
}

double State::random() noexcept {
  // SplitMix64 (Steele, Lea, Flood 2014): one atomic add, whoever calls.
  auto z = random_.fetch_add(0x9E3779B97F4A7C15ULL, std::memory_order_relaxed);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  z ^= z >> 31U;
  return static_cast<double>(z >> 11U) * 0x1p-53;
}

}  // namespace understudy
