#include "understudy/failover/health.hpp"

#include <algorithm>
#include <utility>

namespace understudy {
namespace {

using namespace std::chrono_literals;
using detail::later;

/// 2^n times `first`, and at most `longest`.
Clock::duration doubled(Clock::duration first, unsigned n, Clock::duration longest) noexcept {
  while (n > 0 && first < longest) {
    first *= 2;
    --n;
  }
  return std::min(first, longest);
}

/// When to look after what a provider has named a time for.
Clock::time_point next_probe(Clock::time_point now, Clock::time_point named_until) noexcept {
  return std::min(named_until, later(now, named_probe_gap));
}

}  // namespace

Clock::duration cooldown(CooldownLadder ladder, unsigned failed_probes) noexcept {
  constexpr unsigned steady_probes = 4;  // after these, the fifth doubles it
  switch (ladder) {
    case CooldownLadder::none: return {};
    case CooldownLadder::limit: return doubled(60s, failed_probes, longest_cooldown);
    case CooldownLadder::stall: return doubled(15s, failed_probes, 30min);
    case CooldownLadder::brief:
      return doubled(15s, failed_probes > steady_probes ? failed_probes - steady_probes : 0, 5min);
  }
  return {};
}

Health::Probe::Probe(Probe&& other) noexcept
    : health_(other.health_), id_(std::exchange(other.id_, 0)) {}

Health::Probe& Health::Probe::operator=(Probe&& other) noexcept {
  if (this != &other) {
    release();
    health_ = other.health_;
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

void Health::Probe::release() noexcept {
  if (id_ != 0) {
    health_->release(std::exchange(id_, 0));
  }
}

void Health::Outlook::add(const Outlook& other) noexcept {
  const auto latest = std::max(returns, other.returns);
  const bool either_named = named || other.named;
  const bool either_probing = probing || other.probing;
  if (std::pair(other.standing, other.until) >= std::pair(standing, until)) {
    *this = other;
  }
  returns = latest;
  named = either_named;
  probing = either_probing;
}

Health::Outlook Health::Mark::outlook(Clock::time_point now) const noexcept {
  Outlook outlook;
  const bool probing = leased(now);
  outlook.probing = probing;
  outlook.standing = dead || probing || now < until ? Standing::cooling : Standing::probe_due;
  outlook.until = dead ? Clock::time_point::max() : probing ? lease_until : until;
  outlook.early = early();
  outlook.named = named(now) && !probing;
  outlook.returns = outlook.named ? std::max(named_until, outlook.until) : outlook.until;
  outlook.dead = dead;
  outlook.reason = reason;
  return outlook;
}

Health::Outlook Health::look(std::span<const std::string> keys, CallId call,
                             Clock::time_point now) const {
  Outlook outlook;
  if (all_well()) {
    return outlook;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& key : keys) {
    const auto place = key.empty() ? marks_.end() : marks_.find(key);
    if (place == marks_.end() || !place->second.open || place->second.call == call) {
      continue;
    }
    outlook.add(place->second.outlook(now));
  }
  return outlook;
}

Health::Probe Health::probe(std::span<const std::string> keys, CallId call, Clock::time_point now,
                            Clock::duration longest, bool early) {
  Probe probe;
  const std::lock_guard lock(mutex_);
  std::vector<Mark*> found;
  for (const auto& key : keys) {
    const auto place = key.empty() ? marks_.end() : marks_.find(key);
    if (place == marks_.end()) {
      continue;
    }
    Mark& mark = place->second;
    if (mark.leased(now)) {
      return probe;  // also of a mark that was closed meanwhile: its probe is still under way
    }
    if (!mark.open || mark.call == call) {
      continue;
    }
    if (mark.dead || now < (early ? mark.early() : mark.until)) {
      return probe;
    }
    found.push_back(&mark);
  }
  if (found.empty()) {
    return probe;
  }
  probe.health_ = this;
  probe.id_ = ++last_lease_;
  for (auto* mark : found) {
    mark->lease = probe.id_;
    mark->lease_until = later(now, longest);
    mark->leased_early = now < mark->until;
  }
  return probe;
}

void Health::renew(const Probe& probe, Clock::time_point now, Clock::duration longest) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, mark] : marks_) {
    if (probe && mark.lease == probe.id_) {
      mark.lease_until = later(now, longest);
    }
  }
}

void Health::failed(const HealthKeys& keys, FailoverReason reason,
                    std::optional<Clock::duration> retry_after, CallId call,
                    Clock::time_point began, Clock::time_point now, Probe& probe) {
  const auto& row = traits(reason);
  const auto lease = std::exchange(probe.id_, 0);
  if (row.concern == Concern::nothing || keys[row.concern].empty()) {
    if (lease != 0) {
      release(lease);
    }
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    Mark& mark = marks_[keys[row.concern]];
    const bool is_new = !mark.open;
    const bool probed = lease != 0 && mark.lease == lease;
    if (lease != 0) {
      fail_probe(lease, call, now);
    }
    if (is_new) {
      mark = mark.reopened();
      mark.call = call;
      mark.set_at = now;
      mark.failed_at = now;
      mark.until = later(now, cooldown(row.ladder, 0));
    }
    if (is_new || probed || began >= mark.set_at) {
      mark.reason = reason;
    }
    if (retry_after) {
      const auto named_until = later(now, std::min(*retry_after, longest_cooldown));
      const auto until = next_probe(now, named_until);
      // Whoever failed along with others can only lengthen it (LiteLLM #40130 kept the shorter one).
      if (is_new || probed) {
        mark.named_until = named_until;
        mark.until = until;
      } else if (std::max(mark.until, mark.named_until) < named_until) {
        mark.named_until = named_until;
        mark.until = std::max(mark.until, until);
      }
    }
    mark.dead = mark.dead || reason == FailoverReason::auth_permanent;
    sweep();
  }
  if (lease != 0) {
    notice_.notify();
  }
}

void Health::probe_lost(Probe& probe, CallId call, Clock::time_point now) {
  {
    const std::lock_guard lock(mutex_);
    fail_probe(std::exchange(probe.id_, 0), call, now);
    sweep();
  }
  notice_.notify();
}

void Health::fail_probe(std::uint64_t lease, CallId call, Clock::time_point now) {
  for (auto& [key, mark] : marks_) {
    if (mark.lease != lease) {
      continue;
    }
    mark.lease = 0;
    mark.call = call;
    mark.failed_at = now;
    if (mark.named(now)) {  // it was to be expected
      mark.until = std::max(mark.until, next_probe(now, mark.named_until));
    } else if (!mark.leased_early) {
      ++mark.failed_probes;
      mark.until = later(now, cooldown(traits(mark.reason).ladder, mark.failed_probes));
    }
  }
}

void Health::succeeded(const HealthKeys& keys, Clock::time_point began, Probe& probe) {
  const auto lease = std::exchange(probe.id_, 0);
  if (all_well()) {
    return;
  }
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& key : keys.all()) {
      const auto place = key.empty() ? marks_.end() : marks_.find(key);
      if (place == marks_.end()) {
        continue;
      }
      Mark& mark = place->second;
      if ((lease != 0 && mark.lease == lease) || (began >= mark.set_at && !mark.dead)) {
        closed = closed || mark.open;
        mark.open = false;
      }
    }
    end_lease(lease);
    sweep();
  }
  if (closed || lease != 0) {
    notice_.notify();
  }
}

void Health::credential_changed(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    // The credential's own mark, and those for one model of it (HealthKeys, Concern::credential_model).
    for (auto& [name, mark] : marks_) {
      if (name == key || name.starts_with(key + '\n')) {
        mark.open = false;
      }
    }
    sweep();
  }
  notice_.notify();
}

void Health::release(std::uint64_t lease) {
  {
    const std::lock_guard lock(mutex_);
    end_lease(lease);
    sweep();
  }
  notice_.notify();
}

void Health::end_lease(std::uint64_t lease) {
  for (auto& [key, mark] : marks_) {
    if (lease != 0 && mark.lease == lease) {
      mark.lease = 0;
    }
  }
}

void Health::sweep() {
  std::erase_if(marks_,
                [](const auto& entry) { return !entry.second.open && entry.second.lease == 0; });
  marked_.store(marks_.size(), std::memory_order_release);
}

std::vector<Health::MarkReport> Health::marks(Clock::time_point now) const {
  std::vector<MarkReport> reports;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, mark] : marks_) {
    if (!mark.open) {
      continue;
    }
    MarkReport report;
    report.key = key;
    report.reason = mark.reason;
    report.cooldown = std::max(mark.until - now, Clock::duration::zero());
    report.named = mark.named(now) ? mark.named_until - now : Clock::duration::zero();
    report.failed_probes = mark.failed_probes;
    report.probing = mark.leased(now);
    report.dead = mark.dead;
    reports.push_back(std::move(report));
  }
  std::sort(reports.begin(), reports.end(),
            [](const MarkReport& a, const MarkReport& b) { return a.key < b.key; });
  return reports;
}

}  // namespace understudy
