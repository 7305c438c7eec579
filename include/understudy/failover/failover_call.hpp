/// One call to a chain whose answer outlives its attempt: a stream that the caller reads after a member has opened it,
/// and that may break while it is read.
///
/// `failover()` (failover.hpp) is written with this class, for answers that are complete when their attempt ends. Use
/// it directly to implement another delivery: an answer that is held back, resumed by another member, or restarted.
///
/// Invariants
/// 1. `ask` completes with the first success of a member. From then on the call has an answer, until `answer_ended` or
///    `answer_broke` is called for it. Only while there is none may `ask` be called (again).
/// 2. A broken answer counts as a failure of its attempt: in Health, in the report, and in the decision. The next `ask`
///    continues after the members that were already asked.
/// 3. One report covers the whole call. It is complete after `finish`, which must be called once, at the end.
///
///     FailoverCall call(chain, policy, state);
///     auto open = [&](Attempt& attempt) { return open_stream(attempt); };
///     auto stream = co_await call.ask(open);
///     while (stream) {
///       const auto copied = co_await copy_to_consumer(*stream);
///       if (copied) {
///         call.answer_ended();
///         break;
///       }
///       if (call.answer_broke(copied.error()).action == Action::fail_over) {
///         stream = co_await call.ask(open);
///       } else {
///         stream = call.failure();
///       }
///     }
///     log(call.finish(stream ? error_code() : stream.error().code()).why());
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <source_location>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/failover/attempt.hpp"
#include "understudy/failover/call_options.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/detail/ask.hpp"
#include "understudy/failover/detail/call.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/state.hpp"

namespace understudy {

/// See the top of the file. Threads: one executor, on which all members are called; a State may be shared by any
/// number of threads. Lifetimes: chain, policy, state and the objects that the options refer to must outlive it.
class UNDERSTUDY_API FailoverCall {
 public:
  /// Begins the call: its deadline counts from now.
  FailoverCall(const Chain& chain, const Policy& policy, State& state,
               const CallOptions& options = CallOptions(),
               std::source_location site = std::source_location::current());
  FailoverCall(const FailoverCall&) = delete;
  FailoverCall& operator=(const FailoverCall&) = delete;

  /// Asks members one after the other, each as often as the policy allows, until one answers. `f(attempt)` is as for
  /// `failover()`, and must live until this completes. `now` is for callers that have just read the clock.
  /// Completes with the answer, or with `failure()`. Errors, exceptions and cancellation: as `failover()`.
  template <class F>
  asio::awaitable<Result<detail::answer_t<F>>> ask(F& f, Clock::time_point now = Clock::now()) {
    return detail::ask<detail::answer_t<F>>(call_, f, detail::Leg::only,
                                            call_.selection.choose(detail::Leg::only, now));
  }

  /// A lower bound of what the answer has cost so far. Requires an answer.
  void answer_spent(std::uint64_t tokens) noexcept;
  /// How many parts of the answer could not be decoded so far, and whether its finish was inferred. Requires an answer.
  void answer_flawed(std::uint64_t undecodable, bool inferred_finish) noexcept;
  /// Whether another member may take over from the one that is answering, for the StallTimer under which the caller
  /// reads. Requires an answer.
  Takeover answer_takeover() const;
  /// The answer broke: records this in Health and in the report as a failure of the attempt. Returns what to do:
  /// `fail_over` (ask again), `return_to_caller` or `stop`. A code that is not a reason counts as for `failover()`.
  /// Requires an answer.
  Decision answer_broke(const Failure& failure);
  /// The answer was read to its end. Requires an answer.
  void answer_ended();
  /// The answer broke, and what was delivered of it is complete all the same, for the reason `why` (which has static
  /// lifetime). To be called after `answer_broke`, if no other member is asked.
  void answer_stands(std::string_view why);

  /// The call's failure if it ended now: the last one, with all attempts' failures in it, in order, and with the time
  /// until the first member returns from cooldown as its Retry-After.
  Failure failure() const { return call_.settlement.failure(); }
  /// Why a call that is left unfinished ends: the cause of its parent scope, or StopReason::cancelled.
  Cause abandoned() const { return call_.context.abandoned(); }
  /// When the call began.
  Clock::time_point began() const noexcept { return call_.context.began; }

  /// The report so far.
  const CallReport& report() const noexcept { return call_.record.report(); }
  /// Ends the call with this code, zero for success, and returns its report. Notifies the observer. To be called once;
  /// `report()` is empty afterwards.
  CallReport finish(const error_code& code) { return call_.record.finish(code); }

 private:
  detail::Call call_;
};

}  // namespace understudy
