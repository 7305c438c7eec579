#include "understudy/failover/detail/selection.hpp"

#include <algorithm>

#include "understudy/failover/detail/attempt_limits.hpp"

namespace understudy::detail {
namespace {

/// A member that is slow but well must not lose every hedge as a probe (failover.md 5.2).
Clock::duration grace(const Policy& policy, const MemberRecord& record) {
  return std::max(policy.probe_grace, record.usual_first_progress() * 3 / 2);
}

}  // namespace

Selection::Selection(const CallContext& context, CallRecord& record)
    : context_(context), record_(record), tried_(context.chain.size(), 0) {}

void Selection::require_window_above(std::uint64_t tokens) noexcept {
  window_above_ = std::max(window_above_, tokens);
}

Clock::duration Selection::least_time() const {
  constexpr int parts = 4;
  if (!record_.attempted()) {
    return Clock::duration(1);
  }
  const auto& policy = context_.policy;
  return policy.deadline ? std::min(policy.min_attempt, *policy.deadline / parts)
                         : policy.min_attempt;
}

Need Selection::need(Clock::time_point now) const {
  Need need;
  need.prompt_tokens = context_.options.prompt_tokens;
  need.window_above = window_above_;
  need.remaining = context_.remaining(now);
  need.min_attempt = least_time();
  // The prompt is an estimate. If it fits no member's window, the providers have to say so.
  const auto fits = [&](const Member& member) {
    return !member.context_window() || *member.context_window() >= need.prompt_tokens;
  };
  if (std::none_of(context_.chain.begin(), context_.chain.end(), fits)) {
    need.prompt_tokens = 0;
  }
  return need;
}

Prospect Selection::prospect(std::size_t member, Clock::time_point now) const {
  auto p = detail::prospect(context_, member, context_.id, now);
  p.candidate.tried = tried_[member] != 0;
  return p;
}

/// Whether a member may take over from another one. A member whose provider has named a time that is still to come
/// may be due for a probe, but no attempt that may yet answer is given up for it.
bool Selection::may_follow(std::size_t member, Clock::time_point now) const {
  if (tried_[member] != 0) {
    return false;
  }
  const auto p = prospect(member, now);
  return !p.outlook.named && eligible(p.candidate, need(now)) == Eligibility::yes;
}

bool Selection::any_left(Clock::time_point now) const {
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    if (may_follow(i, now)) {
      return true;
    }
  }
  return false;
}

std::size_t Selection::count_left(Clock::time_point now) const {
  std::size_t left = 0;
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    left += may_follow(i, now) ? 1 : 0;
  }
  return left;
}

bool Selection::member_left(const MemberRun& run, Clock::time_point now) const {
  return any_left(now) || (second_leg_ && run.leg == Leg::only);
}

Takeover Selection::takeover(const MemberRun& run, Clock::time_point now) const {
  const bool other_leg = second_leg_ && run.leg == Leg::only;
  const bool other_credential = context_.policy.recover.contains(FailoverReason::timeout) &&
                                next_credential(context_, run, now).has_value();
  if (other_leg || other_credential || any_left(now)) {
    return Takeover::yes();
  }
  std::optional<Clock::time_point> soonest;
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    const auto p = prospect(i, now);
    if (eligible(p.candidate, need(now)) == Eligibility::cooling && !p.outlook.dead) {
      soonest = std::min(soonest.value_or(p.outlook.until), p.outlook.until);
    }
  }
  return Takeover::no(soonest);
}

Health::Outlook Selection::returns_first(Clock::time_point now) const {
  std::optional<Health::Outlook> first;
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    const auto outlook = detail::prospect(context_, i, CallId{}, now).outlook;
    if (!first || outlook.returns < first->returns) {
      first = outlook;
    }
  }
  return first.value_or(Health::Outlook());
}

StallLimits Selection::limits(std::size_t member, Clock::time_point now) const {
  std::optional<SharedDeadline> shared;
  if (const auto left = context_.remaining(now)) {
    const auto sharers = count_left(now) + (tried_[member] != 0 ? 1 : 0);
    shared.emplace(context_.deadline(), *left, sharers);
  }
  return attempt_limits(context_.chain[member], context_.policy, context_.options, shared);
}

Health::Probe Selection::probe(std::size_t member, const Prospect& p, Clock::time_point now,
                               bool early) const {
  const auto keys = health_keys(context_.chain[member], p.credential);
  return context_.health().probe(keys.all(), context_.id, now, longest_attempt(limits(member, now)),
                                 early);
}

void Selection::lease_probe(MemberRun& run, Clock::time_point now) const {
  run.probe.release();
  run.probe = context_.health().probe(health_keys(context_, run).all(), context_.id, now,
                                      longest_attempt(limits(run.member, now)));
}

void Selection::renew_probe(const MemberRun& run, Clock::time_point now) const {
  context_.health().renew(run.probe, now, longest_attempt(limits(run.member, now)));
}

Choice Selection::choose(Leg leg, Clock::time_point now) {
  second_leg_ = second_leg_ || leg == Leg::second;
  if (ended_) {
    return {};
  }
  const auto wanted = need(now);
  Cooling cooling;
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    if (tried_[i] != 0) {
      continue;
    }
    const auto p = prospect(i, now);
    const auto fit = eligible(p.candidate, wanted);
    if (fit != Eligibility::yes) {
      record_.skipped(i, fit, p.outlook);
      if (fit == Eligibility::cooling) {
        cooling.emplace_back(i, p);
      }
      continue;
    }
    if (p.candidate.standing == Standing::healthy) {
      return ask(i, p, {}, leg, now);
    }
    // While a probe is under way already, another one would only cost time.
    if (leg == Leg::only) {
      if (auto leased = probe(i, p, now, false)) {
        return ask(i, p, std::move(leased), leg, now);
      }
    }
    cooling.emplace_back(i, p);
  }
  return probe_early_or_wait(std::move(cooling), leg, now);
}

Choice Selection::ask(std::size_t member, const Prospect& p, Health::Probe probe, Leg leg,
                      Clock::time_point now) {
  const auto& chain = context_.chain;
  Choice choice;
  auto& run = choice.run.emplace(member, context_.state.record(chain[member]), leg, now);
  run.probe = std::move(probe);
  if (p.credential) {
    run.credential = chain[member].credentials()->use(*p.credential);
  }
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (i == member || chain[i].same_as(chain[member])) {
      tried_[i] = 1;
    }
  }
  run.record->budget().deposit();
  if (last_member_) {
    context_.notify([&](Observer& o) { o.member_changed(chain[*last_member_], chain[member]); });
  }
  last_member_ = member;
  choice.hedge_after = hedge_after(run, p, now);
  return choice;
}

std::optional<Clock::duration> Selection::hedge_after(const MemberRun& run, const Prospect& p,
                                                      Clock::time_point now) const {
  const auto& policy = context_.policy;
  const bool hedged = policy.hedge_after || (run.probe && p.whole_member);
  if (run.leg != Leg::only || !hedged || !any_left(now)) {
    return std::nullopt;
  }
  if (!run.probe) {
    return policy.hedge_after;
  }
  const auto after = grace(policy, *run.record);
  const auto left = context_.remaining(now);
  return left ? std::min(after, *left / 2) : after;  // a probe must not cost the call
}

/// No member is healthy. One call probes the member that returns first at once, unless the provider has named a time
/// and no probe is due; the other calls wait for the verdict as long as `patience` lasts.
Choice Selection::probe_early_or_wait(Cooling cooling, Leg leg, Clock::time_point now) {
  std::sort(cooling.begin(), cooling.end(), [](const auto& a, const auto& b) {
    return a.second.outlook.until < b.second.outlook.until;
  });
  patience_ends_ = patience_ends_.value_or(later(now, context_.policy.patience));
  const auto time_left = context_.remaining(now);
  const auto latest = time_left ? std::min(*patience_ends_, later(now, *time_left - least_time()))
                                : *patience_ends_;
  Choice choice;
  choice.seen = context_.health().notice().version();
  std::optional<Clock::time_point> worth_waiting;
  for (const auto& [member, p] : cooling) {
    const auto& outlook = p.outlook;
    if (outlook.dead) {
      continue;
    }
    if (!outlook.named || outlook.until <= now) {
      if (auto leased = probe(member, p, now, true)) {
        return ask(member, p, std::move(leased), leg, now);
      }
    }
    const auto until = outlook.named         ? outlook.returns
                       : outlook.early > now ? std::min(outlook.early, latest)
                                             : latest;
    if (until <= latest) {
      worth_waiting = std::min(worth_waiting.value_or(until), until);
    }
  }
  if (worth_waiting && now < latest) {
    choice.wait_until = worth_waiting;
  }
  return choice;
}

asio::awaitable<void> Selection::wait(const Choice& choice) const {
  co_await context_.health().notice().wait(choice.seen, *choice.wait_until);
}

}  // namespace understudy::detail
