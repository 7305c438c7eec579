/// The inputs of one call, which all its parts read and none changes.
#pragma once

#include <optional>
#include <source_location>

#include "understudy/export.hpp"
#include "understudy/failover/call_options.hpp"
#include "understudy/failover/member.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/state.hpp"

namespace understudy::detail {

/// The chain, the policy and the options of one call, and when it began. The chain, the policy and the state must
/// outlive it.
class UNDERSTUDY_API CallContext {
 public:
  CallContext(const Chain& members, const Policy& how, State& memory, const CallOptions& own,
              std::source_location where);
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  /// The time until the call's deadline, if it has one; negative after it.
  std::optional<Clock::duration> remaining(Clock::time_point now) const;
  bool deadline_passed(Clock::time_point now) const;
  /// `Clock::time_point::max()` if it has none.
  Clock::time_point deadline() const;
  /// Why a call that is left unfinished ends: the cause of its parent scope, or `cancelled`.
  Cause abandoned() const;

  Health& health() const noexcept { return state.health(); }

  /// Calls `f` with the observer, if there is one.
  template <class F>
  void notify(F f) const noexcept {
    if (options.observer != nullptr) {
      try {
        f(*options.observer);
      } catch (...) {
        return;  // Observer, invariant 2
      }
    }
  }

  const Chain& chain;
  const Policy& policy;
  State& state;
  const CallOptions options;
  const std::source_location site;
  const CallId id;
  const Clock::time_point began;
};

}  // namespace understudy::detail
