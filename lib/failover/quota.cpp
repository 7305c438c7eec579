#include "understudy/failover/quota.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace understudy {
namespace {

constexpr Clock::duration sweep_interval = std::chrono::minutes(1);

}  // namespace

Allowance::Allowance(std::string window_name, double share_left, Clock::duration resets_in) noexcept
    : window(std::move(window_name)),
      left(std::isfinite(share_left) ? std::clamp(share_left, 0.0, 1.0) : 1.0),
      resets(std::max(resets_in, Clock::duration::zero())) {}

Clock::duration Allowance::low_for(double reserve) const noexcept {
  if (left >= reserve) {
    return {};
  }
  switch (refill) {
    case Refill::at_once: return resets;
    case Refill::gradually: {
      const double share = std::min((reserve - left) / (1 - left), 1.0);
      return std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double, Clock::period>(static_cast<double>(resets.count()) *
                                                       share));
    }
  }
  return {};
}

void Quotas::note(const std::string& key, std::span<const Allowance> allowances, double reserve,
                  Clock::time_point now) {
  const auto kept = allowances.first(std::min(allowances.size(), most_allowances));
  if (kept.empty()) {
    return;
  }
  const auto lasts = [&](const Allowance& one) {
    return std::min(one.low_for(reserve), longest_statement);
  };
  Stated stated;
  stated.allowances.assign(kept.begin(), kept.end());
  stated.at = now;
  stated.low_until = now;
  for (const auto& one : kept) {
    stated.low_until = std::max(stated.low_until, detail::later(now, lasts(one)));
  }
  const std::lock_guard lock(mutex_);
  if (stated_.size() >= most_keys && now >= next_sweep_) {
    next_sweep_ = now + sweep_interval;
    std::erase_if(stated_, [&](const auto& entry) {
      return detail::later(entry.second.at, longest_statement) <= now;
    });
  }
  if (stated_.size() < most_keys || stated_.contains(key)) {
    // Never lowered: too late a time only costs a look into the table.
    low_until_.store(std::max(low_until_.load(std::memory_order_relaxed),
                              stated.low_until.time_since_epoch().count()),
                     std::memory_order_release);
    stated_[key] = std::move(stated);
  }
}

bool Quotas::low(std::span<const std::string> keys, Clock::time_point now) const {
  if (all_ample(now)) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  return std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
    const auto found = stated_.find(key);
    return found != stated_.end() && now < found->second.low_until;
  });
}

std::vector<Quotas::Report> Quotas::reports(Clock::time_point now) const {
  std::vector<Report> reports;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, stated] : stated_) {
      for (const auto& one : stated.allowances) {
        const auto ends = detail::later(stated.at, one.resets);
        if (now < ends) {
          Report report;
          report.key = key;
          report.window = one.window;
          report.left = one.left;
          report.resets = ends - now;
          report.low = now < stated.low_until;
          reports.push_back(std::move(report));
        }
      }
    }
  }
  std::sort(reports.begin(), reports.end(), [](const Report& a, const Report& b) {
    return std::tie(a.key, a.window) < std::tie(b.key, b.window);
  });
  return reports;
}

}  // namespace understudy
