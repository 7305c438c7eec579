/// The options of one call, in addition to the chain and the policy.
///
/// Invariants
/// 1. Every option has a default, with which `failover` asks the chain according to the policy.
/// 2. Refers to the observer and the parent scope, which must outlive the call.
///
///     auto outcome = co_await failover(chain, policy, state, call,
///                                      CallOptions().with_prompt(60'000).with_parent(scope));
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "understudy/failover/observer.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy {

/// See the top of the file. A value.
class CallOptions {
 public:
  CallOptions() noexcept {}

  /// The size of the prompt in tokens, for the members' windows. An estimate is fine: characters / 4.
  CallOptions& with_prompt(std::uint64_t tokens) { return prompt_tokens = tokens, *this; }
  /// Raises the default of `StallSettings::stale` for this call: a limit that is scaled to the size of the request.
  CallOptions& with_scaled_stale(Clock::duration d) { return scaled_stale = d, *this; }
  /// Receives the events of the call; must outlive the call.
  CallOptions& with_observer(Observer& o) { return observer = &o, *this; }
  /// Attempts run inside this scope and report its cause when the cancel came from there.
  CallOptions& with_parent(Scope& scope) { return parent = &scope, *this; }

  /// The conversation that the call belongs to, as a hash, and why the chain has not the usual order (may be empty).
  /// Both appear in the report.
  CallOptions& with_session(std::string hash, std::string why) {
    session = std::move(hash);
    session_why = std::move(why);
    return *this;
  }

  std::uint64_t prompt_tokens = 0;
  Clock::duration scaled_stale{};  ///< zero: not scaled
  Observer* observer = nullptr;
  Scope* parent = nullptr;
  std::string session;
  std::string session_why;
};

}  // namespace understudy
