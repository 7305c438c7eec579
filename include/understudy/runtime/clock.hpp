/// The clock of the library, and the timer that uses it.
///
/// Every limit, deadline and backoff reads `Clock::now()` and sleeps on a `Timer`, so that a test can substitute
/// virtual time (`testing/virtual_time.hpp`): fifteen minutes pass instantly, and in the same order at every run.
///
/// Invariants
/// 1. `Clock` is monotonic. It does not count the time for which the machine was suspended.
/// 2. Without virtual time, `Clock` behaves as `std::chrono::steady_clock` and a `Timer` as Asio's; the only added cost
///    is the check whether virtual time is in force.
/// 3. Whether time is virtual is a property of the thread: other threads are not affected.
///
///     const auto start = Clock::now();
///     co_await sleep_for(250ms);
///     assert(Clock::now() - start >= 250ms);
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>
#include <boost/version.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "understudy/export.hpp"

static_assert(BOOST_VERSION >= 108100, "understudy needs Boost 1.81 or newer");

namespace understudy {

namespace asio = boost::asio;
using boost::system::error_code;

namespace detail {
class TimeSource;
}

/// A clock in the sense of the standard ([time.clock.req]), steady, in nanoseconds.
class Clock {
 public:
  /// Nanoseconds, as of std::chrono::steady_clock.
  using duration = std::chrono::nanoseconds;
  /// As a standard clock has it.
  using rep = duration::rep;
  /// As a standard clock has it.
  using period = duration::period;
  /// A point of this clock's time. Not comparable with another clock's.
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;

  /// The current time: virtual if this thread has a `VirtualTime`, else steady_clock's.
  static time_point now() noexcept;
};

namespace detail {

/// `time + by`, clamped to the clock's range, so that a limit of Clock::duration::max() means no limit.
constexpr Clock::time_point later(Clock::time_point time, Clock::duration by) noexcept {
  return by > Clock::duration::zero() && time > Clock::time_point::max() - by
             ? Clock::time_point::max()
             : time + by;
}

/// One wait of a `Timer` in virtual time. It lives as long as its completion handler.
struct VirtualWait {
  explicit VirtualWait(asio::steady_timer& t) noexcept : timer(&t) {}

  asio::steady_timer* timer;  // null once the Timer is gone
  bool fired = false;
};

/// The interface between the runtime and `VirtualTime`, which is the only implementation.
class TimeSource {
 public:
  virtual Clock::time_point now() const noexcept = 0;
  virtual void schedule(Clock::time_point expiry, std::weak_ptr<VirtualWait> wait) = 0;

  /// Scopes register themselves, so that the error of a hanging test can name what it waits for.
  virtual void scope_entered(const void* scope) = 0;
  virtual void scope_left(const void* scope) noexcept = 0;

 protected:
  ~TimeSource() = default;
};

extern UNDERSTUDY_API constinit thread_local TimeSource* time_source;

/// Virtual time wakes an Asio timer by aborting its wait. Converts that abort into success.
template <class Handler>
struct VirtualWaitHandler {
  std::shared_ptr<VirtualWait> wait;
  Handler handler;

  void operator()(error_code code) {
    const bool fired = wait->fired;
    wait.reset();
    std::move(handler)(fired ? error_code{} : code);
  }
};

}  // namespace detail

inline Clock::time_point Clock::now() noexcept {
  if (detail::time_source != nullptr) [[unlikely]] {
    return detail::time_source->now();
  }
  return time_point{std::chrono::steady_clock::now().time_since_epoch()};
}

/// A timer on `Clock`. Like Asio's, but with one wait at a time, and it cannot be moved.
/// Threads: one executor. Lifetime: destroying it cancels the wait.
class Timer {
 public:
  explicit Timer(const asio::any_io_executor& executor) : timer_(executor) {}
  ~Timer() {
    if (const auto wait = wait_.lock()) {
      wait->timer = nullptr;
    }
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Sets the time at which the next wait ends, and cancels the pending wait, if any.
  void expires_at(Clock::time_point expiry) {
    timer_.cancel();
    expiry_ = expiry;
  }

  /// The same, relative to now; a duration beyond the clock's range means "never".
  void expires_after(Clock::duration duration) {
    expires_at(detail::later(Clock::now(), duration));
  }

  /// The time that it was set to last.
  Clock::time_point expiry() const noexcept { return expiry_; }

  /// Ends the wait with `operation_aborted`. A wait that had already expired still ends with success, so a handler that
  /// must not act after a cancel has to check the clock again.
  void cancel() { timer_.cancel(); }

  /// Completes with success at the expiry, never before, or with `operation_aborted` when cancelled
  /// through the timer or the token's cancellation slot (any kind).
  template <class Token>
  auto async_wait(Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this](auto handler) { this->start(std::move(handler)); }, token);
  }

  /// The executor that it was made with.
  asio::any_io_executor get_executor() { return timer_.get_executor(); }

 private:
  template <class Handler>
  void start(Handler handler) {
    if (detail::time_source == nullptr) [[likely]] {
      timer_.expires_at(std::chrono::steady_clock::time_point{expiry_.time_since_epoch()});
      timer_.async_wait(std::move(handler));
      return;
    }
    auto wait = std::make_shared<detail::VirtualWait>(timer_);
    wait_ = wait;
    detail::time_source->schedule(expiry_, wait);
    timer_.expires_at(std::chrono::steady_clock::time_point::max());
    timer_.async_wait(detail::VirtualWaitHandler<Handler>{std::move(wait), std::move(handler)});
  }

  asio::steady_timer timer_;
  Clock::time_point expiry_{};
  std::weak_ptr<detail::VirtualWait> wait_;
};

/// Completes after `duration`, or throws system_error(operation_aborted) when the caller is cancelled.
inline asio::awaitable<void> sleep_for(Clock::duration duration) {
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(duration);
  co_await timer.async_wait(asio::deferred);
}

}  // namespace understudy

/// The wrapper has the executor, allocator and cancellation slot of the wrapped handler.
template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, understudy::detail::VirtualWaitHandler<Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const understudy::detail::VirtualWaitHandler<Handler>& wrapper) noexcept {
    return Associator<Handler, Default>::get(wrapper.handler);
  }
  static auto get(const understudy::detail::VirtualWaitHandler<Handler>& wrapper,
                  const Default& fallback) noexcept {
    return Associator<Handler, Default>::get(wrapper.handler, fallback);
  }
};
