/// One coroutine waiting for another to say something, without a time of its own.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// Invariants
/// 1. Asio's own timer, set to never: it is invisible to virtual time, and it counts as work of its
///    context, which destroys who waits when it is destroyed.
/// 2. A notification reaches those that wait now; who comes later looks first whether there is a need.
class WakeUp {
 public:
  explicit WakeUp(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()) {}

  void notify() noexcept { timer_.cancel(); }  // never throws, though it is not declared so

  /// Completes at the next notification; true: because of a cancel (any kind), or at once after one.
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
