/// Receives the events of calls, for metrics and traces.
///
/// Invariants
/// 1. Called on the executor of the call, in the order of the events; it must not block.
/// 2. Its exceptions are contained: a broken metric never breaks a call.
/// 3. A report passed to it is valid until the function returns.
///
///     class Counter : public Observer {
///       void attempt_ended(const AttemptReport& attempt) override { ++seconds[attempt.member.name()]; }
///     };
#pragma once

#include "understudy/failover/call_report.hpp"

namespace understudy {

/// See the top of the file. Each function does nothing unless overridden.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// An attempt begins.
  virtual void attempt_began(const AttemptReport&) {}
  /// The attempt enters a phase.
  virtual void phase_entered(const AttemptReport&, Phase) {}
  /// The attempt has received something that is not progress.
  virtual void heartbeat_heard(const AttemptReport&) {}
  /// The attempt has received its first progress.
  virtual void attempt_progressed(const AttemptReport&) {}
  /// The attempt has ended, with a failure or an answer.
  virtual void attempt_ended(const AttemptReport&) {}
  /// The answer of an attempt that had succeeded broke later. The report has the failure.
  virtual void answer_broke(const AttemptReport&) {}
  /// The call asks no member now: it waits until this time at most, for one to return or for its next retry.
  virtual void call_waits(Clock::time_point /*until*/) {}
  /// The call asks another member than before.
  virtual void member_changed(const Member& /*from*/, const Member& /*to*/) {}
  /// The call has ended. Every call ends with this.
  virtual void call_ended(const CallReport&) {}
};

}  // namespace understudy
