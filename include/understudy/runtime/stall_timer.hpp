/// Watches one attempt for stalls, without a coroutine and without a timer operation per token.
///
/// Racing a call against a timer for every token costs microseconds and a dozen allocations. This timer sleeps until
/// the earliest limit, checks what has happened since, and sleeps again: noting progress is one store. The handler
/// defines what happens at expiry: it cancels the attempt's scope, or closes the connection and records the cause.
///
/// Invariants
/// 1. The handler is called at most once, on the executor, and never before its limit. It may destroy
///    the timer.
/// 2. Data never re-arms it: regardless of the number of tokens, it wakes elapsed time / limit times.
/// 3. StallState (stall_state.hpp) makes all decisions; this class adds the clock and the sleep.
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

/// The functions by which a StallTimer calls the owner of the attempt, on the executor.
class StallHooks {
 public:
  StallHooks() {}

  /// `f` is called once, when a limit has expired, with its cause.
  StallHooks& on_expired(std::function<void(const Cause&)> f) {
    return expired = std::move(f), *this;
  }
  StallHooks& with_ready(std::function<bool()> f) { return ready = std::move(f), *this; }
  StallHooks& with_takeover(std::function<Takeover()> f) { return takeover = std::move(f), *this; }

  std::function<void(const Cause&)> expired;  ///< called once when a limit has expired
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

  /// Arms the timer for an attempt that may note nothing: `StallLimits::attempt` and the deadline. If this is called
  /// while the attempt is running, an attempt that has already noted a phase costs no further timer operation.
  void start(Clock::time_point now = Clock::now()) {
    if (alarm_.due() == Clock::time_point::max()) {
      arm(now);
    }
  }

  /// The attempt enters `phase`. Reads the clock, and arms the timer if necessary.
  void enter(Phase phase, Clock::time_point now = Clock::now());

  /// A connect, write or read is pending from now on. Call it before each.
  void waiting() { state_.waiting(Clock::now()); }

  /// The pending operation returned bytes.
  void heard(std::uint64_t bytes) noexcept { state_.heard(bytes); }

  /// The bytes contained progress: content, reasoning, tool arguments. Call it once per read or once per event.
  void progressed() noexcept { state_.progressed(); }

  /// The bytes contained a heartbeat.
  void heartbeat();

  /// No operation is pending: the consumer processes the data. (After progress this does not read the clock.)
  void paused() { state_.paused(state_.has_progressed() ? Clock::time_point() : Clock::now()); }

  /// A part was delivered to the consumer: a share of the deadline no longer limits this attempt.
  void delivered() noexcept { state_.delivered(); }

  /// No limit applies from now on.
  void stop() { alarm_.clear(); }

  /// What was received, and in which phase the attempt is.
  const StallState& state() const noexcept { return state_; }

  /// The number of wake-ups: elapsed time / limit, regardless of the number of tokens.
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
