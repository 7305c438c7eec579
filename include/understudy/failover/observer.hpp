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

  virtual void attempt_began(const AttemptReport&) {}
  virtual void phase_entered(const AttemptReport&, Phase) {}
  virtual void heartbeat_heard(const AttemptReport&) {}
  virtual void attempt_progressed(const AttemptReport&) {}
  virtual void attempt_ended(const AttemptReport&) {}
  /// The answer of an attempt that had succeeded broke later. The report has the failure.
  virtual void answer_broke(const AttemptReport&) {}
  /// The call asks no member now: it waits until this time at most, for one to return or for its next retry.
  virtual void call_waits(Clock::time_point /*until*/) {}
  virtual void member_changed(const Member& /*from*/, const Member& /*to*/) {}
  virtual void call_ended(const CallReport&) {}
};

}  // namespace understudy
