#include "understudy/failover/detail/attempt_limits.hpp"

#include <algorithm>

#include "understudy/failover/reason.hpp"

namespace understudy::detail {

StallLimits attempt_limits(const Member& member, const Policy& policy, const CallOptions& options,
                           const std::optional<SharedDeadline>& deadline) {
  const auto settings = member.stall().or_else(policy.stall);
  auto limits = stall_limits(
      settings, StallFacts().with_scaled(options.scaled_stale).with_floor(member.reasoning_floor()),
      StallCodes(FailoverReason::connection, FailoverReason::timeout));
  if (policy.attempt) {
    limits.attempt = Limit(*policy.attempt, FailoverReason::timeout, LimitOrigin::user);
  }
  if (!deadline) {
    return limits;
  }
  limits.deadline = deadline->at;
  if (deadline->members > 1) {
    const auto after =
        share_of_deadline(deadline->remaining, deadline->members, policy.min_attempt);
    const Limit share(after.value_or(policy.min_attempt), FailoverReason::timeout,
                      LimitOrigin::share_of_deadline);
    // An explicit limit lifts the share where it holds itself: `stale` does not for an attempt that notes nothing.
    if (limits.attempt.origin != LimitOrigin::user && share.after < limits.attempt.after) {
      limits.attempt = share;
    }
    if (!settings.first_progress && !settings.stale) {
      limits.share = share;
    }
  }
  return limits;
}

Clock::duration longest_attempt(const StallLimits& limits) {
  auto end = Clock::time_point();
  for (const auto after :
       {limits.connect.after, limits.write.after,
        std::max({limits.first_progress.after, limits.last_member.after, limits.attempt.after})}) {
    end = later(end, after);
  }
  return end.time_since_epoch();
}

}  // namespace understudy::detail
