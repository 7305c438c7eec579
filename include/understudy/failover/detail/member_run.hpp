/// The state of one member of the chain while a call asks it, across all attempts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/call_slots.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/failover/health.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/state.hpp"

namespace understudy::detail {

/// Which part of a call asks: the only one, or the second leg of a hedge. (The first leg is `only`.)
enum class Leg : unsigned char { only, second };

/// What the attempts at a member have used so far. Settlement changes it; attempts read it.
class MemberRun {
 public:
  MemberRun(std::size_t i, MemberRecord& r, Leg l, Clock::time_point now)
      : member(i), record(&r), leg(l), chosen_at(now) {}

  std::optional<std::size_t> credential_index() const {
    return credential ? std::optional(credential->index) : std::nullopt;
  }

  /// Removes the credential that was sent from the failure's message.
  void redact(Failure& failure) const {
    if (credential) {
      failure.without(credential->secret);
    }
  }

  std::size_t member;  // its index in the chain
  MemberRecord* record;
  Leg leg;
  std::optional<Clock::time_point> chosen_at;  // for the first attempt, which begins at once
  Health::Probe probe;
  std::optional<CredentialUse> credential;
  std::optional<CallSlots::Slot> slot;         // of `credential`, where it has a limit
  std::vector<std::size_t> credentials_tried;  // before `credential`
  unsigned retries = 0;
  bool returned = false;   // the call had asked this member before
  bool waited = false;     // for a rate limit
  bool refreshed = false;  // `credential` was, in this call
  bool resent = false;     // for a stale connection
  ReasonSet mended;
  std::vector<std::string> named_mends;
};

}  // namespace understudy::detail
