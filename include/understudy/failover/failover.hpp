/// Tries each member of a chain in turn, until one answers or none is left.
///
/// Works for any awaitable: an LLM call, a database query, an RPC; the awaitable does not have to use this library.
/// The reason of a failure (policy.hpp) and the results of earlier calls (state.hpp) determine which member is next,
/// and whether the same member is tried again.
///
/// Invariants
/// 1. Exactly one result: the first success, or one failure that contains every attempt's failure, in order.
/// 2. Each attempt runs in its own scope and has ended before the next begins, except the two legs of a hedge, which
///    have ended when the call has.
/// 3. No member is tried again after the call has moved on to another.
/// 4. Neither a caller's cancel nor a lack of local resources (LocalFault) fails over or marks a member.
/// 5. A member whose cooldown is over is probed by one call at a time. While another member is healthy, the probe is
///    the first leg of a hedge and costs its caller at most the grace: `Policy::probe_grace`, or 1.5 times
///    the member's usual time to first progress where that is longer.
///
///     auto outcome = co_await failover(chain, policy, state, [&](Attempt& attempt) {
///       return ask(attempt.member(), question);          // asio::awaitable<Result<Answer>>
///     });
///     log(outcome.report.why());
///     use(outcome.result.value());
#pragma once

#include <source_location>
#include <utility>

#include "understudy/failover/attempt.hpp"
#include "understudy/failover/call_options.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/failover_call.hpp"
#include "understudy/failover/observer.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/runtime/initiate.hpp"

namespace understudy {

/// What a call came to, and how.
template <class T>
class Outcome {
 public:
  /// Of no call: it has failed with StopReason::cancelled. Completion handlers that get an exception get this.
  Outcome() : result(Failure(StopReason::cancelled)) {}
  Outcome(Result<T> r, CallReport c) : result(std::move(r)), report(std::move(c)) {}

  Result<T> result;
  CallReport report;
};

namespace detail {

template <class T, class F>
asio::awaitable<Outcome<T>> run_failover(const Chain& chain, const Policy& policy, State& state,
                                         F f, CallOptions options, std::source_location site) {
  FailoverCall call(chain, policy, state, options, site);
  Result<T> result = co_await call.ask(f, call.began());
  CallReport report = call.finish(result ? error_code() : result.error().code());
  co_return Outcome<T>(std::move(result), std::move(report));
}

}  // namespace detail

/// See the top of the file.
///
/// `f(attempt)` returns asio::awaitable<Result<T>>, or awaitable<T> and throws. A failure is a Failure with
/// a reason; any other error code, returned or thrown as system_error, counts as what `reason_for` makes of
/// it. operation_aborted caused by neither the caller nor a limit of this call, and StopReason::deadline of a
/// scope inside the attempt, are `timeout`: the attempt has reached a limit of its own. Of Asio's
/// multiple_exceptions the first counts. If this machine lacks a resource (EMFILE, ENOMEM, ..., std::bad_alloc),
/// the call ends with a LocalFault, and no member is marked. `Policy::error_reasons` states what codes and exceptions of
/// other libraries mean. All other exceptions are bugs: they end the call and are rethrown.
/// An attempt that does not use its Attempt has one limit, `Policy::attempt`; one that calls `enter` and `waiting`
/// has those of its phases.
/// Completes with an Outcome<T> when an attempt has succeeded, no member is left, or the deadline was reached
/// (the failure's code is StopReason::deadline). An empty chain fails with `model_not_found`.
/// Cancellation: the caller's (terminal) cancels running attempts, waits for them, and throws operation_aborted, as
/// Asio code does.
/// Lifetimes: chain, policy, state and the objects that the options refer to must outlive the call, which stores `f`.
/// Threads: runs on the caller's executor; a State may be shared by any number of threads.
template <class F>
auto failover(const Chain& chain, const Policy& policy, State& state, F f,
              CallOptions options = CallOptions(),
              std::source_location site = std::source_location::current()) {
  return detail::run_failover<detail::answer_t<F>>(chain, policy, state, std::move(f),
                                                   std::move(options), site);
}

/// A chain or a policy that ends before the call is not accepted: name it.
template <class F>
void failover(const Chain&&, const Policy&, State&, F, CallOptions = CallOptions()) = delete;
template <class F>
void failover(const Chain&, const Policy&&, State&, F, CallOptions = CallOptions()) = delete;
template <class F>
void failover(const Chain&&, const Policy&&, State&, F, CallOptions = CallOptions()) = delete;

/// `failover` for any completion token of Asio, with the signature void(std::exception_ptr, Outcome<T>). It runs on
/// `executor`, which must not run two handlers at once. Cancellation: by the token's slot; it completes with
/// operation_aborted. Lifetimes: as for `failover`, until it completes.
template <class F, class Token>
auto async_failover(const asio::any_io_executor& executor, const Chain& chain, const Policy& policy,
                    State& state, F f, CallOptions options, Token&& token,
                    std::source_location site = std::source_location::current()) {
  auto run = [&chain, &policy, &state, f = std::move(f), options = std::move(options),
              site]() mutable {
    return failover(chain, policy, state, std::move(f), std::move(options), site);
  };
  return initiate(executor, std::move(run), std::forward<Token>(token));
}

template <class F, class Token>
void async_failover(const asio::any_io_executor&, const Chain&&, const Policy&, State&, F,
                    CallOptions, Token&&) = delete;
template <class F, class Token>
void async_failover(const asio::any_io_executor&, const Chain&, const Policy&&, State&, F,
                    CallOptions, Token&&) = delete;
template <class F, class Token>
void async_failover(const asio::any_io_executor&, const Chain&&, const Policy&&, State&, F,
                    CallOptions, Token&&) = delete;

}  // namespace understudy
