/// Runs two operations for the same result, the second after a delay: the first success wins.
///
/// Invariants
/// 1. The second starts when the first has not succeeded within `after`, or has failed; never if the first succeeds
///    before that.
/// 2. A failure never wins while the other may still succeed (a gateway that let an error frame win
///    cancelled healthy calls 36 times, model-hotel #803).
/// 3. The loser is cancelled with StopReason::lost and has ended when `hedge` completes; its
///    late success is destroyed.
///
///     auto hedged = co_await hedge(500ms, [&] { return ask(first); }, [&] { return ask(second); });
///     if (hedged.result) { std::cout << "by " << hedged.winner << "\n"; }
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <optional>
#include <utility>

#include "understudy/failover/failure.hpp"
#include "understudy/runtime/initiate.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy {

/// The outcome of a hedge: the winner's success, or a failure that contains both, in order.
template <class T>
class Hedged {
 public:
  /// Of no hedge: cancelled. Completion handlers that get an exception get this.
  Hedged() : Hedged(Failure(StopReason::cancelled), 0) {}
  Hedged(Result<T> r, std::size_t w) : result(std::move(r)), winner(w) {}

  Result<T> result;
  std::size_t winner;  ///< 0 or 1; of a failure, the one that failed last
};

namespace detail {

/// The two legs of a hedge. Lives in the frame of `hedge`, which outlives both.
template <class T>
class Legs {
 public:
  explicit Legs(const asio::any_io_executor& executor) : start_of_second_(executor) {}

  template <class F>
  asio::awaitable<void> run(Scope& scope, std::size_t index, F& f) {
    Result<T> result = co_await f();
    ended_[index] = true;
    last_ = index;
    if (!result) {
      failures_[index] = result.error();
    } else if (!answer_) {
      answer_.emplace(std::move(result));
      winner_ = index;
      scope.cancel(StopReason::lost);
    }
    start_of_second_.cancel();
  }

  asio::awaitable<void> until_second(Clock::duration after) {
    if (!ended_[0]) {
      start_of_second_.expires_after(after);
      co_await start_of_second_.async_wait(asio::as_tuple(asio::deferred));
    }
  }

  bool answered() const noexcept { return answer_.has_value(); }

  Hedged<T> outcome() {
    if (answer_) {
      return {std::move(*answer_), winner_};
    }
    if (!ended_[0] && !ended_[1]) {
      return {Failure(StopReason::cancelled), 0};
    }
    Failure failure = failures_[last_];
    failure.with_attempts({failures_[0], failures_[1]});
    return {std::move(failure), last_};
  }

 private:
  Timer start_of_second_;
  std::optional<Result<T>> answer_;
  std::size_t winner_ = 0;
  std::size_t last_ = 0;
  bool ended_[2] = {};
  Failure failures_[2];
};

template <class T, class First, class Second>
asio::awaitable<Hedged<T>> run_hedge(Scope* parent, Clock::duration after, First first,
                                     Second second, std::source_location site) {
  Legs<T> legs(co_await asio::this_coro::executor);
  auto body = [&](Scope& scope) -> asio::awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);  // the winner cancels this scope
    scope.spawn([&] { return legs.run(scope, 0, first); }, site);
    co_await legs.until_second(after);
    scope.spawn([&] { return legs.run(scope, 1, second); }, site);  // not into a cancelled scope
    co_await scope.join();
  };
  co_await run_scope(parent, std::move(body), site);
  co_return legs.outcome();
}

}  // namespace detail

/// Both callables return an asio::awaitable<Result<T>>. Completes when the winner has succeeded and the
/// loser has ended, or both have failed. An exception of either is rethrown after both have ended.
/// Cancellation: the caller's (terminal) cancels both.
template <class First, class Second>
auto hedge(Clock::duration after, First first, Second second,
           std::source_location site = std::source_location::current()) {
  using T = typename detail::awaited_t<First>::value_type;
  return detail::run_hedge<T>(nullptr, after, std::move(first), std::move(second), site);
}

/// The same inside `parent`, whose cause the legs' scope reports when the cancel came from there.
template <class First, class Second>
auto hedge(Scope& parent, Clock::duration after, First first, Second second,
           std::source_location site = std::source_location::current()) {
  using T = typename detail::awaited_t<First>::value_type;
  return detail::run_hedge<T>(&parent, after, std::move(first), std::move(second), site);
}

/// `hedge` for any completion token of Asio, with the signature void(std::exception_ptr, Hedged<T>). It runs on
/// `executor`, which must not run two handlers at once. Cancellation: by the token's slot; it completes with
/// operation_aborted when both have ended.
template <class First, class Second, class Token>
auto async_hedge(const asio::any_io_executor& executor, Clock::duration after, First first,
                 Second second, Token&& token,
                 std::source_location site = std::source_location::current()) {
  auto run = [after, first = std::move(first), second = std::move(second), site]() mutable {
    return hedge(after, std::move(first), std::move(second), site);
  };
  return initiate(executor, std::move(run), std::forward<Token>(token));
}

}  // namespace understudy
