#include "understudy/failover/policy.hpp"

#include <algorithm>

#include "understudy/runtime/local_fault.hpp"

namespace understudy {
namespace {

using namespace std::chrono_literals;

/// A connection that failed this fast is worth one quick retry: nothing was lost by it (hermes #69186).
constexpr Clock::duration quick_failure = 1s;
constexpr Clock::duration quick_retry = 250ms;

std::size_t index(FailoverReason reason) noexcept { return static_cast<std::size_t>(reason) - 1; }

/// The rules, one for each treatment. Each returns a decision; what they share comes first.
class Rules {
 public:
  Rules(const Policy& policy, const Situation& situation) noexcept : p_(policy), s_(situation) {}

  Decision stall() const noexcept {
    if (recoverable() && s_.can_rotate) {
      return rotate("`credentials.recover` has timeouts, and another credential is left");
    }
    if (s_.share_spent) {
      return move_on("its share of the deadline is spent");
    }
    if (p_.eager_on_timeout) {
      return move_on("a stall fails over at once", "a stall, and no other member is left");
    }
    return s_.retries < p_.max_retries
               ? again("`eager_on_timeout` is off: the same member again")
               : move_on("`eager_on_timeout` is off, and all retries stalled");
  }

  Decision connection() const noexcept {
    if (s_.expired) {
      return move_on("the connection stalled: no retry");
    }
    if (!s_.member_left) {
      return retry_up_to(p_.max_retries, "the connection failed, and no other member is left");
    }
    if (s_.took <= quick_failure && s_.retries == 0) {
      const auto wait = Clock::duration(
          static_cast<Clock::rep>(static_cast<double>(quick_retry.count()) * s_.jitter));
      return retry(wait, "the connection failed fast: one quick retry");
    }
    return move_on("the connection failed");
  }

  Decision resend() const noexcept {
    if (s_.resent) {
      return move_on("a reused connection was closed again");
    }
    if (!s_.budget && s_.member_left) {
      return {Action::fail_over, "the provider's retry budget is empty"};
    }
    return {Action::retry, "a reused connection was closed: retry once on a fresh one"};
  }

  Decision limit() const noexcept {
    if (recoverable() && s_.can_rotate) {
      return rotate("the credential is rate limited: another one");
    }
    if (!s_.waited && s_.retry_after && *s_.retry_after <= p_.patience) {
      return retry(*s_.retry_after, "the rate limit ends within `patience`: wait for it, once");
    }
    return move_on("the rate limit ends too late to wait for it");
  }

  Decision busy() const noexcept {
    return s_.member_left ? move_on("the provider has no capacity: fail over at once")
                          : retry_up_to(p_.max_retries, "no capacity, and no other member is left");
  }

  Decision rotate_or_move_on() const noexcept {
    return recoverable() && s_.can_rotate
               ? rotate("the account is out of funds: another credential")
               : move_on("the account is out of funds");
  }

  Decision refresh() const noexcept {
    if (s_.callers_credential) {  // agents renew theirs when they hear of it
      return {Action::return_to_caller, "the caller's own credential was refused"};
    }
    if (recoverable() && s_.can_refresh) {
      return {Action::refresh, "the credential was refused: refresh it, once"};
    }
    return recoverable() && s_.can_rotate ? rotate("the credential was refused: another one")
                                          : move_on("the credential was refused");
  }

  Decision retry_once() const noexcept {
    return retry_up_to(s_.member_left ? std::min(p_.max_retries, 1U) : p_.max_retries,
                       "the provider failed: it may answer the next time");
  }

  Decision another_way() const noexcept {
    const bool known = s_.mendable && s_.named_mend && !s_.mended;
    return known && s_.named_mends < most_named_mends
               ? Decision(Action::mend, "the answer did not join: ask the member in another way")
               : move_on("the answer did not join what was delivered");
  }

  Decision fail_over() const noexcept { return move_on("this member cannot answer the request"); }

  Decision larger_window() const noexcept {
    return move_on("the prompt needs a larger window",
                   "the prompt is too large, and no member has a larger window");
  }

  Decision mend() const noexcept {
    if (s_.mendable && s_.named_mend && !s_.mended && s_.named_mends < most_named_mends) {
      return {Action::mend, "the request can be mended: send it again without what was refused"};
    }
    if (s_.named_mend) {
      return move_on("the member does not support what the request asks for");
    }
    if (s_.mendable && !s_.mended && s_.budget) {
      return {Action::mend, "the request can be mended: send it again, once"};
    }
    return move_on("the request cannot be mended for this member");
  }

  /// On to the next member, if there is one.
  Decision move_on(std::string_view why,
                   std::string_view none_left = "no other member is left") const noexcept {
    return s_.member_left ? Decision(Action::fail_over, why)
                          : Decision(Action::return_to_caller, none_left);
  }

 private:
  bool recoverable() const noexcept { return p_.recover.contains(*reason_of(s_.code)); }

  static Decision rotate(std::string_view why) noexcept { return {Action::rotate, why}; }

  Decision retry_up_to(unsigned times, std::string_view why) const noexcept {
    return s_.retries < times ? again(why) : move_on("its retries are used up");
  }

  /// A retry after backoff, or after what the provider asks for.
  Decision again(std::string_view why) const noexcept {
    if (!s_.retry_after) {
      return retry(backoff(p_.backoff, s_.retries, s_.jitter), why);
    }
    const auto longest = s_.member_left ? std::min(p_.patience, longest_wait) : longest_wait;
    return *s_.retry_after > longest
               ? move_on("the provider asks for a wait beyond `patience`",
                         "the provider asks for a wait of more than 10 minutes")
               : retry(*s_.retry_after, why);
  }

  Decision retry(Clock::duration wait, std::string_view why) const noexcept {
    if (!s_.budget) {
      return move_on("the provider's retry budget is empty",
                     "the provider's retry budget is empty, and no other member is left");
    }
    if (s_.remaining && wait > *s_.remaining - p_.min_attempt) {
      return move_on("the wait would pass the deadline", "a retry would pass the deadline");
    }
    return {Action::retry, why, wait};
  }

  const Policy& p_;
  const Situation& s_;
};

}  // namespace

Policy::Policy() noexcept {
  for (const auto& row : all_reasons()) {
    treatments_[index(row.reason)] = row.treatment;
  }
}

Policy& Policy::with_treatment(FailoverReason reason, Treatment treatment) {
  treatments_[index(reason)] = treatment;
  return *this;
}

Treatment Policy::treatment(FailoverReason reason) const noexcept {
  return treatments_[index(reason)];
}

std::string_view to_string(Action action) noexcept {
  switch (action) {
    case Action::retry: return "retry";
    case Action::rotate: return "rotate";
    case Action::refresh: return "refresh";
    case Action::mend: return "mend";
    case Action::fail_over: return "fail_over";
    case Action::return_to_caller: return "return";
    case Action::stop: return "stop";
  }
  return "unknown";
}

Decision decide(const Policy& policy, const Situation& situation) noexcept {
  const auto reason = reason_of(situation.code);
  if (local_fault_of(situation.code)) {
    return {Action::stop, "this machine has run out of a resource that every member needs"};
  }
  if (!reason) {
    return {Action::stop, "stopped by our own side: not a failure of the provider"};
  }
  const Rules rules(policy, situation);
  const auto treatment = policy.treatment(*reason);
  if (treatment == Treatment::return_to_caller) {
    return {Action::return_to_caller, "the request would fail at every member"};
  }
  if (treatment == Treatment::content_policy) {
    return policy.on_content_policy == OnContentPolicy::stop
               ? Decision(Action::return_to_caller, "refused as unsafe: no other member is asked")
               : rules.move_on("refused as unsafe: `on_content_policy` asks the next member");
  }
  if (situation.delivered) {
    return rules.move_on("part of the answer was delivered: it is to be resumed",
                         "part of the answer was delivered, and no member is left to resume it");
  }
  switch (treatment) {
    case Treatment::stall: return rules.stall();
    case Treatment::connection: return rules.connection();
    case Treatment::resend: return rules.resend();
    case Treatment::limit: return rules.limit();
    case Treatment::busy: return rules.busy();
    case Treatment::rotate: return rules.rotate_or_move_on();
    case Treatment::refresh: return rules.refresh();
    case Treatment::retry_once: return rules.retry_once();
    case Treatment::another_way: return rules.another_way();
    case Treatment::fail_over: return rules.fail_over();
    case Treatment::larger_window: return rules.larger_window();
    case Treatment::mend: return rules.mend();
    case Treatment::content_policy:
    case Treatment::return_to_caller: break;  // decided above
  }
  return rules.fail_over();
}

std::string_view to_string(Eligibility eligibility) noexcept {
  switch (eligibility) {
    case Eligibility::yes: return "eligible";
    case Eligibility::tried: return "tried in this call";
    case Eligibility::cooling: return "in cooldown";
    case Eligibility::window_too_small: return "its window is too small";
    case Eligibility::no_time: return "not enough time left";
    case Eligibility::low_quota: return "its quota is about to run out";
    case Eligibility::in_use: return "its credentials are all in use";
  }
  return "unknown";
}

Eligibility eligible(const Candidate& candidate, const Need& need) noexcept {
  if (candidate.tried) {
    return Eligibility::tried;
  }
  const auto window = candidate.context_window;
  if (window && (*window <= need.window_above || *window < need.prompt_tokens)) {
    return Eligibility::window_too_small;
  }
  if (need.remaining && *need.remaining < std::max(need.min_attempt, Clock::duration(1))) {
    return Eligibility::no_time;
  }
  return candidate.standing == Standing::cooling ? Eligibility::cooling : Eligibility::yes;
}

}  // namespace understudy
