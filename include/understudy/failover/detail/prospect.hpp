/// A member of the chain before a call asks it: the state of the member and of its credentials in Health. Read-only.
#pragma once

#include <optional>

#include "understudy/export.hpp"
#include "understudy/failover/detail/call_context.hpp"
#include "understudy/failover/detail/member_run.hpp"
#include "understudy/failover/health.hpp"

namespace understudy::detail {

/// What is known about a member, and the credential that it would be asked with.
class Prospect {
 public:
  Candidate candidate;
  Health::Outlook outlook;
  std::optional<std::size_t> credential;
  bool low_quota = false;     // of that credential
  bool whole_member = false;  // the member or its endpoint is due for a probe, not the credential
};

/// The names under which Health keeps the marks of a member that is asked with this credential; without one, with
/// the only one that its provider has.
UNDERSTUDY_API HealthKeys health_keys(const Member& member, std::optional<std::size_t> credential);
UNDERSTUDY_API HealthKeys health_keys(const CallContext& call, const MemberRun& run);

/// The member at this index as `viewer` sees it, with the best of its credentials. Whether the call has tried it is
/// left to the caller.
UNDERSTUDY_API Prospect prospect(const CallContext& call, std::size_t member, CallId viewer,
                                 Clock::time_point now);

/// Another credential of the run's member, not tried in this run and not in cooldown, if there is one.
UNDERSTUDY_API std::optional<std::size_t> next_credential(const CallContext& call,
                                                          const MemberRun& run,
                                                          Clock::time_point now);

}  // namespace understudy::detail
