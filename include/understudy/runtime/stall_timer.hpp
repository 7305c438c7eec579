/// Watches one attempt for stalls, in its own time and without a coroutine.
///
/// Racing a call against a timer for every token costs microseconds and a dozen allocations. This timer
/// sleeps to the earliest limit, looks at what has happened since, and sleeps on: noting progress is one
/// store. What happens at expiry is the handler's: it cancels the attempt's scope, or closes the
/// connection and records the cause.
///
/// Invariants
/// 1. The handler is called at most once, on the executor, and never before its limit. It may destroy
///    the timer.
/// 2. Never re-armed by data: however many tokens come, it wakes elapsed time / limit times.
/// 3. All decisions are StallState's (stall_state.hpp); this class adds the clock and the sleep.
///
///     auto answer = co_await with_scope([&](Scope& scope) -> asio::awaitable<Answer> {
///       StallTimer stall(scope, limits);
///       stall.enter(Phase::first_progress);
///       while (!done) {
///         stall.waiting();
///         const auto bytes = co_await socket.async_read_some(buffer, asio::deferred);
///         stall.heard(bytes);
///         for (const auto& event : parse(buffer, bytes)) {
///           event.is_heartbeat ? stall.heartbeat() : stall.progressed();
///         }
///       }
///       ...
///     });                          // throws system_error(timeout) if the stream stalled
#pragma once

#include <functional>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/runtime/detail/alarm.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/runtime/stall_state.hpp"

namespace understudy {

/// What a StallTimer asks the owner of the attempt. All are called on the executor.
class StallHooks {
 public:
  StallHooks() {}

  StallHooks& on_expired(std::function<void(const Cause&)> f) {
    return expired = std::move(f), *this;
  }
  StallHooks& with_ready(std::function<bool()> f) { return ready = std::move(f), *this; }
  StallHooks& with_takeover(std::function<Takeover()> f) { return takeover = std::move(f), *this; }

  std::function<void(const Cause&)> expired;  ///< it is over
  std::function<bool()> ready;  ///< could the pending operation complete at once? Default: no
  std::function<Takeover()> takeover;  ///< may another member take over now? Default: yes
};

/// See the top of the file. Threads: one executor. Lifetime: the scope given must outlive it.
class UNDERSTUDY_API StallTimer {
 public:
  /// Calls `hooks.expired` when a limit expires. `now` is for callers that have just read the clock.
  StallTimer(const asio::any_io_executor& executor, const StallLimits& limits, StallHooks hooks,
             Clock::time_point now = Clock::now());

  /// Cancels `scope` with the cause when a limit expires, after calling `hooks.expired` if there is one.
  StallTimer(Scope& scope, const StallLimits& limits, StallHooks hooks = StallHooks(),
             Clock::time_point now = Clock::now());

  StallTimer(const StallTimer&) = delete;
  StallTimer& operator=(const StallTimer&) = delete;

  /// Arms the timer for an attempt that may note nothing: `StallLimits::attempt` and the deadline. If it is called
  /// once the attempt runs, an attempt that has noted a phase by then costs no further timer.
  void start(Clock::time_point now = Clock::now()) {
    if (alarm_.due() == Clock::time_point::max()) {
      arm(now);
    }
  }

  /// The attempt goes on to `phase`. Costs a look at the clock, and arms the timer if need be.
  void enter(Phase phase, Clock::time_point now = Clock::now());

  /// A connect, write or read is pending from now on. Call it before each.
  void waiting() { state_.waiting(Clock::now()); }

  /// The pending operation brought bytes.
  void heard(std::uint64_t bytes) noexcept { state_.heard(bytes); }

  /// The bytes held progress: content, reasoning, tool arguments. Once for a read or for each event.
  void progressed() noexcept { state_.progressed(); }

  /// The bytes held a heartbeat.
  void heartbeat();

  /// Nothing is pending: what was read goes to the consumer. (After progress no time is needed for it.)
  void paused() { state_.paused(state_.has_progressed() ? Clock::time_point() : Clock::now()); }

  /// Something was delivered to the consumer: a share of the deadline no longer limits this attempt.
  void delivered() noexcept { state_.delivered(); }

  /// No limit from here on.
  void stop() { alarm_.clear(); }

  const StallState& state() const noexcept { return state_; }

  /// How often it woke: elapsed time / limit, whatever the number of tokens.
  std::uint64_t wakeups() const noexcept { return wakeups_; }

 private:
  void arm(Clock::time_point now);
  void woke(Clock::time_point due);

  StallState state_;
  StallHooks hooks_;
  Scope* scope_ = nullptr;
  std::uint64_t wakeups_ = 0;
  detail::Alarm alarm_;
};

}  // namespace understudy
