/// Lets a coroutine wait for a notification from another coroutine, without a time limit.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// Invariants
/// 1. Uses a plain Asio timer that never expires: it is invisible to virtual time, and a wait counts as work of its
///    context, which destroys waiting coroutines when it is destroyed.
/// 2. A notification wakes only the current waiters; a coroutine checks its condition before it waits.
class WakeUp {
 public:
  explicit WakeUp(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()) {}

  void notify() noexcept { timer_.cancel(); }  // never throws, though it is not declared so

  /// Completes with false at the next notification, or with true on cancellation (any kind), also on one that came
  /// before the call.
  asio::awaitable<bool> wait() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none) {
      co_await timer_.async_wait(asio::as_tuple(asio::deferred));
    }
    co_return state.cancelled() != asio::cancellation_type::none;
  }

 private:
  asio::steady_timer timer_;
};

}  // namespace understudy::detail
