/// The coroutine of a call: asks the selected member, and then the others, until one answers.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "understudy/failover/attempt.hpp"
#include "understudy/failover/detail/call.hpp"
#include "understudy/failover/hedge.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::detail {

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

/// The body of an attempt's scope.
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

/// Whether the rest of the chain is asked after the chosen member.
enum class Extent : unsigned char { chain, member };

/// Completes with the first success; or when no member is left, or the failure ends the call, with the call's
/// failure. With Extent::member it completes with that member's failure.
template <class T, class F>
asio::awaitable<Result<T>> ask(Call& call, F& f, Leg leg, Choice choice,
                               Extent extent = Extent::chain) {
  for (;; choice = call.selection.choose(leg)) {
    // If the caller has stopped a wait or a refresh, it ends without an exception.
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none &&
        co_await asio::this_coro::throw_if_cancelled()) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (choice.wait_until) {
      call.context.notify([&](Observer& o) { o.call_waits(*choice.wait_until); });
      co_await call.selection.wait(choice);
      continue;
    }
    if (!choice.run) {
      co_return call.settlement.failure();
    }
    if (choice.hedge_after) {
      auto first = [&] {
        Choice alone;
        alone.run = std::move(choice.run);
        return ask<T>(call, f, leg, std::move(alone), Extent::member);
      };
      auto second = [&] {
        return ask<T>(call, f, Leg::second, call.selection.choose(Leg::second));
      };
      Hedged<T> hedged =
          co_await run_hedge<T>(call.context.options.parent, *choice.hedge_after, std::move(first),
                                std::move(second), call.context.site);
      if (hedged.result) {
        co_return std::move(hedged.result);
      }
      co_return call.settlement.failure();
    }

    MemberRun run(std::move(*choice.run));
    Failure failure;
    bool again = true;
    while (again) {
      if (call.selection.must_queue(run)) {
        const bool admitted = co_await call.selection.admit(run);
        if (!admitted) {
          failure = call.settlement.no_slot(run);
          break;
        }
        run.chosen_at.reset();
      }
      Attempt attempt(call, run);
      AttemptBody<F> body(attempt, f);
      bool aborted = false;
      try {
        if constexpr (std::is_void_v<typename std::invoke_result_t<F&, Attempt&>::value_type>) {
          co_await run_scope(call.context.options.parent, std::move(body), call.context.site);
          attempt.succeeded();
          co_return Result<T>();
        } else {
          Result<T> result =
              co_await run_scope(call.context.options.parent, std::move(body), call.context.site);
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
      } catch (...) {
        auto meant = attempt.failure_of(std::current_exception());
        if (!meant) {
          throw;
        }
        failure = std::move(*meant);
      }
      // If the caller has stopped the attempt, an error is not a failure of the member (hermes #6600).
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) {
        if (aborted || co_await asio::this_coro::throw_if_cancelled()) {
          throw boost::system::system_error(asio::error::operation_aborted);
        }
        failure = Failure(StopReason::cancelled);
      }
      auto decision = attempt.failed(failure);
      if (decision.action == Action::refresh) {
        const auto refreshed = co_await call.settlement.refresh(run);
        if (!refreshed) {
          failure = refreshed.error();
          decision = attempt.not_refreshed(failure);
        }
      }
      switch (decision.action) {
        case Action::retry:
          call.context.notify(
              [&](Observer& o) { o.call_waits(later(Clock::now(), decision.after)); });
          co_await sleep_for(decision.after);
          break;
        case Action::rotate:
        case Action::refresh:
        case Action::mend: break;
        case Action::fail_over:
        case Action::return_to_caller:
        case Action::stop: again = false; break;
      }
    }
    if (extent == Extent::member) {
      co_return failure;
    }
  }
}

}  // namespace understudy::detail
