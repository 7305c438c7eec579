/// The limits of one attempt: the member's settings, the policy's, and the share of the call's deadline. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "understudy/export.hpp"
#include "understudy/failover/call_options.hpp"
#include "understudy/failover/member.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/runtime/stall_limits.hpp"

namespace understudy::detail {

/// The deadline of a call, and the members that may still use the time until then.
class SharedDeadline {
 public:
  SharedDeadline(Clock::time_point when, Clock::duration left, std::size_t sharers) noexcept
      : at(when), remaining(left), members(sharers) {}

  Clock::time_point at;
  Clock::duration remaining;
  std::size_t members;  // including the one that is asked
};

/// The member's own settings before the policy's; `Policy::attempt` before both. With a deadline that several
/// members share, an attempt is limited to its share, unless the user has set a limit on progress.
UNDERSTUDY_API StallLimits attempt_limits(const Member& member, const Policy& policy,
                                          const CallOptions& options,
                                          const std::optional<SharedDeadline>& deadline);

/// The longest time that an attempt within these limits takes to fail, and thus the lease time of a probe.
UNDERSTUDY_API Clock::duration longest_attempt(const StallLimits& limits);

}  // namespace understudy::detail
