/// The arithmetic of stall detection: a pure class that takes events with their times, and returns what to do.
/// `StallTimer` (stall_timer.hpp) runs it on a real timer.
///
/// There are two clocks. "Heard" means any byte; "progressed" means content. Heartbeats prove that the transport is
/// alive; they are not progress. So a stream that only sends pings reaches its progress limit, and that is the only
/// limit on a model that thinks while it sends pings.
///
/// Invariants
/// 1. Uses no timer, socket or clock: every time is an argument, and times never decrease.
/// 2. Clocks run only while an operation is pending (`waiting` to `paused`): a consumer that is slow for an hour never
///    makes its provider appear stalled. Only the deadline is wall time and never stops. Until the first `enter` or
///    `waiting` the pending operation is unknown, and `StallLimits::attempt` limits the whole attempt.
/// 3. No limit expires early: `expired` is returned at the limit or later, never before.
/// 4. The caller must answer `confirm` and `ask` before the next check.
/// 5. No allocation, no exception.
/// 6. Whether a connect, a write or an attempt that notes nothing could complete cannot be observed. If the event loop
///    was late for its expiry, the limit is extended once by that lateness, at most 1 s, so that the loop can deliver
///    completed operations.
///
///     StallState state(limits, now);
///     state.enter(Phase::first_progress, now);
///     state.waiting(now);                        // a read is pending
///     state.heard(n); state.heartbeat(now);      // it brought a ping
///     auto verdict = state.check(now, due);      // the timer woke
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "understudy/export.hpp"
#include "understudy/runtime/cause.hpp"
#include "understudy/runtime/stall_limits.hpp"

namespace understudy {

/// Whether another member may take over from this attempt now, and if not, when to ask again (the end of
/// a cooldown, say).
class Takeover {
 public:
  /// Another member may take over now.
  static Takeover yes() noexcept { return {true, std::nullopt}; }
  /// None may; `ask_again` is when that can change, if it is known.
  static Takeover no(std::optional<Clock::time_point> ask_again = std::nullopt) noexcept {
    return {false, ask_again};
  }

  bool possible;
  std::optional<Clock::time_point> ask_again_at;

 private:
  Takeover(bool p, std::optional<Clock::time_point> again) noexcept
      : possible(p), ask_again_at(again) {}
};

/// See the top of the file. One attempt.
class UNDERSTUDY_API StallState {
 public:
  /// The next step for the caller.
  enum class Step : unsigned char {
    sleep,    ///< nothing before `until`
    confirm,  ///< a limit seems expired: could the pending operation complete? Answer: confirmed()
    ask,      ///< a progress limit has expired: may another member take over? Answer: answered()
    expired,  ///< the attempt is over for the reason in `cause`
  };
  /// What the timer does next.
  class Verdict {
   public:
    /// It sleeps until `t`.
    static Verdict sleep(Clock::time_point t) noexcept { return {Step::sleep, t, Cause()}; }
    /// It lets the pending reads run, and looks again.
    static Verdict confirm() noexcept { return {Step::confirm, {}, Cause()}; }
    /// It asks whether another member may take over.
    static Verdict ask() noexcept { return {Step::ask, {}, Cause()}; }
    /// A limit has expired.
    static Verdict expired(const Cause& c) noexcept { return {Step::expired, {}, c}; }

    Step step;
    Clock::time_point until;  ///< for sleep; max() means until the next event
    Cause cause;              ///< for expired

   private:
    Verdict(Step s, Clock::time_point t, const Cause& c) noexcept : step(s), until(t), cause(c) {}
  };

  StallState(const StallLimits& limits, Clock::time_point now) noexcept
      : limits_(limits), started_(now), since_(now) {}

  /// The attempt enters `phase`, whose clock starts at zero.
  void enter(Phase phase, Clock::time_point now) noexcept;

  /// A connect, write or read is pending from now on; also between two of them, if the pause is caused by
  /// this process. Hot: one call for each socket read.
  void waiting(Clock::time_point now) noexcept {
    settle(now);
    running_ = true;
    noted_ = true;
    since_ = now;
  }

  /// No operation is pending: the consumer is processing.
  void paused(Clock::time_point now) noexcept {
    settle(now);
    running_ = false;
  }

  /// The pending read returned `bytes`. Hot: needs no time.
  void heard(std::uint64_t bytes) noexcept { bytes_ += bytes; }

  /// The received bytes were progress. Hot: one store for each event.
  void progressed() noexcept { progressed_ = true; }
  /// Whether anything counted as progress.
  bool has_progressed() const noexcept { return progressed_; }

  /// The received bytes were a heartbeat. Returns true if silence has a limit now, which may be the next to expire.
  bool heartbeat(Clock::time_point now) noexcept;

  /// A part was delivered to the consumer: the share of the deadline no longer limits this attempt.
  void delivered() noexcept { delivered_ = true; }

  /// Returns what to do now. `due` is the time at which the caller intended to call; the lateness determines whether
  /// the limit is extended (above 1 s, the event loop was blocked or the process stopped, not the provider).
  Verdict check(Clock::time_point now, Clock::time_point due) noexcept;

  /// The answer to Step::confirm: whether the pending operation could complete at once (there are bytes to read), so
  /// that only the event loop is late. Postpones the expiry until they were read, by at most 1 s.
  void confirmed(bool ready, Clock::time_point now) noexcept;

  /// The answer to Step::ask. "No" turns every progress limit into `last_member` where that is longer.
  void answered(const Takeover& takeover, Clock::time_point now) noexcept;

  /// The earliest time at which a limit could expire if the pending operation does not complete.
  Clock::time_point next_due(Clock::time_point now) const noexcept;

  /// The phase that the attempt is in.
  Phase phase() const noexcept { return phase_; }
  /// The limits that it measures with.
  const StallLimits& limits() const noexcept { return limits_; }
  /// The bytes that were received.
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// The heartbeats that were received.
  std::uint64_t heartbeats() const noexcept { return heartbeats_; }

 private:
  /// A limit in force, and the time at which it expires if nothing happens.
  struct Running {
    Clock::time_point expires = Clock::time_point::max();
    Limit limit;
    LimitClock clock = LimitClock::none;
    bool progress = false;  // whether its expiry asks for a takeover
  };
  enum class Confirmation : unsigned char { none, quiet, ready };
  enum class Answer : unsigned char { none, yes, no };

  void settle(Clock::time_point now) noexcept;
  void progress_seen() noexcept;
  bool pending() const noexcept { return running_ && !progressed_; }
  bool streaming() const noexcept {
    return phase_ == Phase::first_progress || phase_ == Phase::progress;
  }
  bool unseen() const noexcept {
    return !noted_ || phase_ == Phase::pool_wait || phase_ == Phase::connect ||
           phase_ == Phase::write;
  }
  Clock::duration age(Clock::time_point now) const noexcept;
  Clock::duration silent(Clock::time_point now) const noexcept {
    return pending() ? now - since_ : Clock::duration::zero();
  }
  Limit phase_limit() const noexcept;
  Clock::duration silence_limit() const noexcept;
  Running phase_running(Clock::time_point now, bool as_last_member) const noexcept;
  Running silence_running(Clock::time_point now) const noexcept;
  Running since_start(const Limit& limit, LimitClock clock) const noexcept;
  Running attempt_running(bool as_last_member) const noexcept;
  Running share_running(bool as_last_member) const noexcept;
  Running first(Clock::time_point now) const noexcept;
  /// When to ask again whether another member may take over; max() means never.
  Clock::time_point next_ask(Clock::time_point now) const noexcept;
  Verdict act_on(const Running& running, Clock::time_point now) noexcept;
  Cause cause(const Running& expired, Clock::time_point now) const noexcept;

  StallLimits limits_;
  Clock::time_point started_;
  Clock::time_point since_;    // when the pending operation began
  Clock::duration age_{};      // time counted against the phase before since_
  Clock::duration granted_{};  // added to limits that count from the start
  Phase phase_ = Phase::none;
  bool running_ = false;
  bool noted_ = false;       // enter() or waiting() was called
  bool progressed_ = false;  // since waiting()
  bool delivered_ = false;
  Answer answer_ = Answer::none;
  bool beat_in_this_read_ = false;
  Confirmation confirmation_ = Confirmation::none;
  std::optional<Clock::time_point> ask_again_at_;
  Clock::time_point confirmed_at_{};
  std::uint64_t bytes_at_confirmation_ = 0;
  Clock::duration behind_{};  // how late the event loop was, in this phase
  std::optional<Clock::time_point> catch_up_until_;
  std::uint64_t bytes_ = 0;
  std::uint64_t heartbeats_ = 0;
  Clock::duration ran_{};  // all time counted so far, to measure gaps between heartbeats
  std::optional<Clock::duration> last_beat_;
  Clock::duration largest_gap_{};
  unsigned gaps_ = 0;
};

}  // namespace understudy
