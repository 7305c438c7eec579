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
    : context_(context), record_(record), second_round_(context.chain.size()) {}

void Selection::require_window_above(std::uint64_t tokens) noexcept {
  window_above_ = std::max(window_above_, tokens);
}

void Selection::resume_after(std::size_t member, FailoverReason reason) noexcept {
  second_round_.broke(member, reason, record_.report().attempts.size());
  waits_since_.reset();
}

bool Selection::attempts_left() const noexcept {
  return second_round_.attempts_left(record_.report().attempts.size());
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
  auto p = detail::prospect(context_, member, viewer(member), now);
  p.candidate.tried = !second_round_.fresh(member);
  return p;
}

/// The call's own marks do not keep it from members that it has not asked (Health, invariant 3).
CallId Selection::viewer(std::size_t member) const noexcept {
  return second_round_.may_return(member) ? CallId{} : context_.id;
}

/// Whether the member may be asked although the call has asked it before.
bool Selection::asks_again(std::size_t member) const noexcept {
  return second_round_.may_return(member) && second_round_.itself() != member &&
         (resuming() || context_.policy.wait_out.value_or(Clock::duration()) > Clock::duration());
}

/// Whether a member may take over from another one. A member whose provider has named a time that is still to come
/// may be due for a probe, but no attempt that may yet answer is given up for it.
bool Selection::may_follow(std::size_t member, Clock::time_point now) const {
  if (!second_round_.fresh(member)) {
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

/// Whether the member could answer, regardless of its cooldown and of what the call has asked it before.
bool Selection::suits(const Prospect& p, Clock::time_point now) const {
  auto candidate = p.candidate;
  candidate.tried = false;
  candidate.standing = Standing::healthy;
  return !p.outlook.dead && eligible(candidate, need(now)) == Eligibility::yes;
}

bool Selection::member_left(const MemberRun& run, Clock::time_point now) const {
  if (any_left(now) || (second_leg_ && run.leg == Leg::only)) {
    return true;
  }
  if (!resuming() || !attempts_left()) {
    return false;
  }
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    const bool candidate = second_round_.itself() == i || second_round_.fresh(i) || asks_again(i);
    if (candidate && suits(prospect(i, now), now)) {
      return true;
    }
  }
  return false;
}

Takeover Selection::takeover(const MemberRun& run, Clock::time_point now) const {
  const bool other_leg = second_leg_ && run.leg == Leg::only;
  const bool other_credential = context_.policy.recover.contains(FailoverReason::timeout) &&
                                next_credential(context_, run, now).has_value();
  if (other_leg || other_credential || any_left(now)) {
    return Takeover::yes();
  }
  // An answer of which a part was delivered is not given up for a limit of minutes while a probe may rescue it.
  const bool delivered = record_.has_answer() || resuming();
  std::optional<Clock::time_point> soonest;
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    auto p = prospect(i, now);
    const bool again = delivered && i != run.member && second_round_.may_return(i);
    p.candidate.tried = p.candidate.tried && !again;
    const auto fit = eligible(p.candidate, need(now));
    if (again && fit == Eligibility::yes) {
      return Takeover::yes();
    }
    if (fit == Eligibility::cooling && !p.outlook.dead) {
      const bool early = delivered && !p.outlook.named && !p.outlook.probing;
      const auto due = early ? p.outlook.early : p.outlook.until;
      if (early && due <= now) {
        return Takeover::yes();
      }
      soonest = std::min(soonest.value_or(due), due);
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
    const auto sharers = count_left(now) + (second_round_.fresh(member) ? 0 : 1);
    shared.emplace(context_.deadline(), *left, sharers);
  }
  return attempt_limits(context_.chain[member], context_.policy, context_.options, shared);
}

Health::Probe Selection::probe(const Cooling& one, Clock::time_point now, bool early) const {
  const auto keys = health_keys(context_.chain[one.member], one.prospect.credential);
  return context_.health().probe(keys.all(), one.viewer, now,
                                 longest_attempt(limits(one.member, now)), early);
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
  if (ended_ || !attempts_left()) {
    return {};
  }
  std::vector<Cooling> cooling;
  if (auto fresh = ask_fresh(cooling, leg, now)) {
    return std::move(*fresh);
  }
  if (leg == Leg::only) {
    if (second_round_.itself_at_once()) {
      return ask_itself(now);
    }
    if (auto again = ask_again(cooling, now)) {
      return std::move(*again);
    }
  }
  auto choice = probe_early_or_wait(std::move(cooling), leg, now);
  const bool itself = !choice.run && second_round_.itself() && leg == Leg::only;
  return itself ? ask_itself(now) : std::move(choice);
}

/// The next member that the call has not asked, if one is well or due for a probe. Collects those in cooldown.
std::optional<Choice> Selection::ask_fresh(std::vector<Cooling>& cooling, Leg leg,
                                           Clock::time_point now) {
  const auto wanted = need(now);
  std::vector<std::pair<std::size_t, Prospect>> low;
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    if (!second_round_.fresh(i)) {
      continue;
    }
    const auto p = prospect(i, now);
    const auto fit = eligible(p.candidate, wanted);
    if (fit != Eligibility::yes) {
      record_.skipped(i, fit, p.outlook);
      if (fit == Eligibility::cooling) {
        cooling.emplace_back(i, p, context_.id, now);
      }
      continue;
    }
    const bool healthy = p.candidate.standing == Standing::healthy;
    if (healthy && p.low_quota) {
      low.emplace_back(i, p);
      continue;
    }
    if (healthy) {
      for (const auto& [passed, why] : low) {
        record_.skipped(passed, Eligibility::low_quota, why.outlook);
      }
      return ask(i, p, {}, leg, now);
    }
    cooling.emplace_back(i, p, context_.id, now);
    // While a probe is under way already, another one would only cost time; and so it would while a member is well.
    if (leg == Leg::only && low.empty()) {
      if (auto leased = probe(cooling.back(), now, false)) {
        return ask(i, p, std::move(leased), leg, now);
      }
    }
  }
  if (!low.empty()) {
    return ask(low.front().first, low.front().second, {}, leg, now);
  }
  return std::nullopt;
}

/// A member that the call has asked before and that is well again. Collects those that are not.
std::optional<Choice> Selection::ask_again(std::vector<Cooling>& cooling, Clock::time_point now) {
  const auto wanted = need(now);
  for (std::size_t i = 0; i < context_.chain.size(); ++i) {
    if (!asks_again(i)) {
      continue;
    }
    auto p = prospect(i, now);
    p.candidate.tried = false;
    const auto fit = eligible(p.candidate, wanted);
    const bool well = p.candidate.standing == Standing::healthy;
    const auto not_before = well ? second_round_.next_well() : second_round_.next_return();
    if (fit == Eligibility::yes && well && not_before <= now) {
      return ask(i, p, {}, Leg::only, now);
    }
    if (fit == Eligibility::yes || fit == Eligibility::cooling) {
      cooling.emplace_back(i, p, CallId{}, not_before);
    }
  }
  return std::nullopt;
}

/// The member whose answer broke. Its mark, which this call has set, does not count.
Choice Selection::ask_itself(Clock::time_point now) {
  const auto itself = *second_round_.itself();
  const auto p = detail::prospect(context_, itself, context_.id, now);
  return suits(p, now) ? ask(itself, p, {}, Leg::only, now) : Choice();
}

Choice Selection::ask(std::size_t member, const Prospect& p, Health::Probe probe, Leg leg,
                      Clock::time_point now) {
  const auto& chain = context_.chain;
  Choice choice;
  auto& run = choice.run.emplace(member, context_.state.record(chain[member]), leg, now);
  run.probe = std::move(probe);
  run.returned = second_round_.may_return(member);
  if (const auto* const known = chain[member].mends()) {
    run.mended = known->reasons;
    run.named_mends = known->named;
  }
  if (p.credential) {
    run.credential = chain[member].credentials()->use(*p.credential);
  }
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (i == member || chain[i].same_as(chain[member])) {
      second_round_.asked(i, now);
    }
  }
  run.record->budget().deposit();
  if (last_member_ && *last_member_ != member) {
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

/// Until when the call waits for a member to return, at most.
Clock::time_point Selection::wait_ends(Clock::time_point now) {
  const auto& policy = context_.policy;
  waits_since_ = waits_since_.value_or(now);
  const auto ends =
      later(*waits_since_, std::max(policy.patience, policy.wait_out.value_or(Clock::duration())));
  const auto time_left = context_.remaining(now);
  return time_left ? std::min(ends, later(now, *time_left - least_time())) : ends;
}

/// No member is healthy. One call probes the member that returns first at once, unless the provider has named a time
/// and no probe is due; the other calls wait for the verdict as long as `patience` and `wait_out` last.
Choice Selection::probe_early_or_wait(std::vector<Cooling> cooling, Leg leg,
                                      Clock::time_point now) {
  std::sort(cooling.begin(), cooling.end(), [](const auto& a, const auto& b) {
    return a.prospect.outlook.until < b.prospect.outlook.until;
  });
  const auto latest = wait_ends(now);
  Choice choice;
  choice.seen = context_.health().notice().version();
  std::optional<Clock::time_point> worth_waiting;
  for (const auto& one : cooling) {
    const auto& outlook = one.prospect.outlook;
    if (outlook.dead) {
      continue;
    }
    const bool may_probe = !outlook.named || outlook.until <= now;
    if (may_probe && one.not_before <= now) {
      if (auto leased = probe(one, now, true)) {
        return ask(one.member, one.prospect, std::move(leased), leg, now);
      }
    }
    const auto early = std::max(outlook.early, one.not_before);
    const auto until = outlook.named ? outlook.returns
                       : early > now ? std::min(early, latest)
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

bool Selection::must_queue(const MemberRun& run) const noexcept {
  const auto& pool = context_.chain[run.member].credentials();
  return run.credential && !run.slot && pool->slots().limited();
}

asio::awaitable<bool> Selection::admit(MemberRun& run) {
  auto& slots = context_.chain[run.member].credentials()->slots();
  const auto limit = slots.limit();
  if (!limit) {
    co_return true;
  }
  const auto now = Clock::now();
  auto until = later(now, limit->queue_time);
  if (const auto left = context_.remaining(now)) {
    until = std::min(until, later(now, *left - least_time()));
  }
  if (slots.full(run.credential->index)) {
    context_.notify([&](Observer& o) { o.call_waits(until); });
  }
  run.slot = co_await slots.wait(run.credential->index, until);
  if (!run.slot) {
    record_.skipped(run.member, Eligibility::in_use, Health::Outlook());
  }
  co_return run.slot.has_value();
}

}  // namespace understudy::detail
