/// Tries each member of a chain in turn, until one answers or none could.
///
/// Works for any awaitable: an LLM call, a database query, an RPC; also for one that knows nothing of this
/// library. Which member is next, and whether the same one is tried again, is decided by the reason of the
/// failure (policy.hpp) and by what earlier calls have learned (state.hpp).
///
/// Invariants
/// 1. Exactly one result: the first success, or one failure that holds every attempt's, in order.
/// 2. Each attempt runs in a scope of its own and has ended before the next begins, but for the two legs
///    of a hedge; those have ended when the call has.
/// 3. No member is tried again after the call has gone on from it.
/// 4. Neither a caller's cancel nor what this machine lacks (LocalFault) fails over or marks a member.
/// 5. A member that was sick is probed by one caller at a time. While another member is well, the probe is
///    the first leg of a hedge and costs its caller at most the grace: `Policy::probe_grace`, or 1.5 times
///    the member's usual time to first progress where that is longer.
///
///     auto outcome = co_await failover(chain, policy, state, [&](Attempt& attempt) {
///       return ask(attempt.member(), question);          // asio::awaitable<Result<Answer>>
///     });
///     log(outcome.report.why());
///     use(outcome.result.value());
#pragma once

#include <cstdint>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "understudy/failover/attempt.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/detail/call.hpp"
#include "understudy/failover/hedge.hpp"
#include "understudy/failover/observer.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy {

template <class T>
class Outcome {
 public:
  Outcome(Result<T> r, CallReport c) : result(std::move(r)), report(std::move(c)) {}

  Result<T> result;
  CallReport report;
};

namespace detail {

/// The T of a callable that returns awaitable<Result<T>> or awaitable<T>.
template <class T>
struct Answer {
  using type = T;
};
template <class T>
struct Answer<Result<T>> {
  using type = T;
};
template <class F>
using answer_t = typename Answer<typename std::invoke_result_t<F&, Attempt&>::value_type>::type;

/// What runs in an attempt's scope.
template <class F>
class AttemptBody {
 public:
  AttemptBody(Attempt& attempt, F& f) noexcept : attempt_(attempt), f_(f) {}

  auto operator()(Scope& scope) {
    attempt_.begin(scope);
    return f_(attempt_);
  }
  void started() { attempt_.started(); }

 private:
  Attempt& attempt_;
  F& f_;
};

/// All attempts on one member. A failure's decision is in `call`.
template <class T, class F>
asio::awaitable<Result<T>> ask_member(Call& call, MemberRun run, F& f) {
  while (true) {
    Attempt attempt(call, run);
    AttemptBody<F> body(attempt, f);
    Failure failure;
    bool aborted = false;
    try {
      if constexpr (std::is_void_v<typename std::invoke_result_t<F&, Attempt&>::value_type>) {
        co_await run_scope(call.parent(), std::move(body), call.site());
        attempt.succeeded();
        co_return Result<T>();
      } else {
        Result<T> result = co_await run_scope(call.parent(), std::move(body), call.site());
        if (result) {
          attempt.succeeded();
          co_return result;
        }
        failure = result.error();
      }
    } catch (const FailoverError& thrown) {
      failure = thrown.failure();
    } catch (const boost::system::system_error& thrown) {
      aborted = thrown.code() == asio::error::operation_aborted;
      failure = attempt.failure_of(thrown.code());
    } catch (const asio::multiple_exceptions& thrown) {
      auto meant = attempt.failure_of(thrown);
      if (!meant) {
        throw;
      }
      failure = std::move(*meant);
    } catch (const std::bad_alloc&) {
      failure = LocalFault::memory;
    }
    // What breaks because the caller has stopped it is no failure of the member (hermes #6600).
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      if (aborted || co_await asio::this_coro::throw_if_cancelled()) {
        throw boost::system::system_error(asio::error::operation_aborted);
      }
      failure = Failure(StopReason::cancelled);
    }
    auto decision = attempt.failed(failure);
    if (decision.action == Action::refresh) {
      const auto refreshed = co_await call.refresh(run);
      if (refreshed) {
        continue;
      }
      failure = refreshed.error();
      decision = attempt.not_refreshed(failure);
    }
    switch (decision.action) {
      case Action::retry: co_await sleep_for(decision.after); break;
      case Action::rotate:
      case Action::refresh:
      case Action::mend: break;
      case Action::fail_over:
      case Action::return_to_caller:
      case Action::stop: co_return failure;
    }
  }
}

/// What was chosen, and then the members that are left, one after the other.
template <class T, class F>
asio::awaitable<Result<T>> ask_chain(Call& call, F& f, Leg leg, Choice choice) {
  while (true) {
    if (choice.wait_until) {
      co_await call.wait(choice);
    } else if (!choice.run) {
      co_return call.failure();
    } else if (choice.hedge_after) {
      auto first = [&] { return ask_member<T>(call, std::move(*choice.run), f); };
      auto second = [&] { return ask_chain<T>(call, f, Leg::second, call.choose(Leg::second)); };
      Hedged<T> hedged = co_await run_hedge<T>(call.parent(), *choice.hedge_after, std::move(first),
                                               std::move(second), call.site());
      if (hedged.result) {
        co_return std::move(hedged.result);
      }
      co_return call.failure();
    } else {
      Result<T> result = co_await ask_member<T>(call, std::move(*choice.run), f);
      if (result) {
        co_return result;
      }
    }
    choice = call.choose(leg);
  }
}

template <class T, class F>
asio::awaitable<Outcome<T>> run_failover(const Chain& chain, const Policy& policy, State& state,
                                         F f, CallOptions options, std::source_location site) {
  Call call(chain, policy, state, options, site);
  Choice choice = call.choose(Leg::only, call.began());
  // The usual case costs one coroutine less.
  const bool plain = choice.run && !choice.hedge_after;
  Result<T> result = Failure();
  if (plain) {
    result = co_await ask_member<T>(call, std::move(*choice.run), f);
    if (!result) {
      choice = call.choose(Leg::only);
    }
  }
  if (!result) {
    result = co_await ask_chain<T>(call, f, Leg::only, std::move(choice));
  }
  CallReport report = call.finish(result ? error_code() : result.error().code());
  co_return Outcome<T>(std::move(result), std::move(report));
}

}  // namespace detail

/// See the top of the file.
///
/// `f(attempt)` returns asio::awaitable<Result<T>>, or awaitable<T> and throws. A failure is a Failure with
/// a reason; any other error code, returned or thrown as system_error, counts as what `reason_for` makes of
/// it. operation_aborted that neither the caller nor a limit of this call has caused, and StopReason::deadline of a
/// scope inside the attempt, are `timeout`: the attempt has given up by a limit of its own. Of Asio's
/// multiple_exceptions the first counts. What this machine has run out of (EMFILE, ENOMEM, ..., std::bad_alloc)
/// ends the call with a LocalFault, and marks no member. Other exceptions are bugs: they end the call and are
/// rethrown.
/// An attempt that does not use its Attempt has one limit, `Policy::attempt`; one that calls `enter` and `waiting`
/// has those of its phases.
/// Completes with an Outcome<T> when an attempt has succeeded, or none is left, or the deadline has come
/// (the failure's code is StopReason::deadline). An empty chain fails with `model_not_found`.
/// Cancellation: the caller's (terminal) cancels what runs, waits for it, and throws operation_aborted, as
/// Asio code does.
/// Lifetimes: chain, policy, state and what the options refer to must outlive the call; `f` is kept by it.
/// Threads: runs on the caller's executor; a State may be shared by any number of threads.
template <class F>
auto failover(const Chain& chain, const Policy& policy, State& state, F f,
              CallOptions options = CallOptions(),
              std::source_location site = std::source_location::current()) {
  return detail::run_failover<detail::answer_t<F>>(chain, policy, state, std::move(f), options,
                                                   site);
}

}  // namespace understudy
