/// The arithmetic of stall detection: a pure class that gets what happens and when, and returns what to
/// do. `StallTimer` (stall_timer.hpp) puts a real timer under it.
///
/// Two clocks. *Heard* is any byte; *progressed* is content. Heartbeats prove that the transport lives;
/// they are not progress. So a stream that pings forever runs into its progress limit, and a model that
/// thinks under pings is judged by that limit alone.
///
/// Invariants
/// 1. Knows no timer, no socket and no clock: every time comes in as an argument, and never decreases.
/// 2. Clocks run only while an operation is pending (`waiting` to `paused`): a consumer that is slow for
///    an hour is never a stalled provider. The deadline alone is wall time and never stops. Until the first
///    `enter` or `waiting` it is not known what is pending, and `StallLimits::attempt` limits the whole attempt.
/// 3. No limit expires early: `expired` is said at the limit's tick or later, never before.
/// 4. What was asked is answered before more is asked: after `confirm` and `ask` comes the answer.
/// 5. No allocation, no exception.
/// 6. It cannot be seen whether a connect, a write or an attempt that notes nothing could complete. If our own loop
///    was late for its expiry, it is given that time once more, and 1 s at most, to hand out what the kernel has
///    done.
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
  static Takeover yes() noexcept { return {true, std::nullopt}; }
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
  /// What to do next.
  enum class Step : unsigned char {
    sleep,    ///< nothing before `until`
    confirm,  ///< a limit seems to have expired: could what is pending complete? Answer: confirmed()
    ask,      ///< a progress limit has expired: may another take over? Answer: answered()
    expired,  ///< it is over, `cause` says why
  };
  class Verdict {
   public:
    static Verdict sleep(Clock::time_point t) noexcept { return {Step::sleep, t, Cause()}; }
    static Verdict confirm() noexcept { return {Step::confirm, {}, Cause()}; }
    static Verdict ask() noexcept { return {Step::ask, {}, Cause()}; }
    static Verdict expired(const Cause& c) noexcept { return {Step::expired, {}, c}; }

    Step step;
    Clock::time_point until;  ///< for sleep; max() means: until something happens
    Cause cause;              ///< for expired

   private:
    Verdict(Step s, Clock::time_point t, const Cause& c) noexcept : step(s), until(t), cause(c) {}
  };

  StallState(const StallLimits& limits, Clock::time_point now) noexcept
      : limits_(limits), started_(now), since_(now) {}

  /// The attempt goes on to `phase`, whose clock starts at zero.
  void enter(Phase phase, Clock::time_point now) noexcept;

  /// A connect, write or read is pending from now on; also between two of them, if the pause is
  /// our own. Hot: one call for each socket read.
  void waiting(Clock::time_point now) noexcept {
    settle(now);
    running_ = true;
    noted_ = true;
    since_ = now;
  }

  /// Nothing is pending: the consumer works.
  void paused(Clock::time_point now) noexcept {
    settle(now);
    running_ = false;
  }

  /// The pending read brought `bytes`. Hot: needs no time.
  void heard(std::uint64_t bytes) noexcept { bytes_ += bytes; }

  /// What was heard was progress. Hot: one store for each event.
  void progressed() noexcept { progressed_ = true; }
  bool has_progressed() const noexcept { return progressed_; }

  /// What was heard was a heartbeat. True: silence has a limit now, which may be the next to expire.
  bool heartbeat(Clock::time_point now) noexcept;

  /// Something was delivered to the consumer: the share of the deadline no longer limits this attempt.
  void delivered() noexcept { delivered_ = true; }

  /// What to do now. `due` is when the caller meant to call; the lateness decides whether time is
  /// granted back (over 1 s: our own loop was blocked or the process stopped, not the provider).
  Verdict check(Clock::time_point now, Clock::time_point due) noexcept;

  /// The answer to Step::confirm: whether the pending operation could complete at once (bytes to read),
  /// so that only our own loop is behind. Puts the expiry off until they were read, and 1 s at most.
  void confirmed(bool ready, Clock::time_point now) noexcept;

  /// The answer to Step::ask. "No" turns every progress limit into `last_member` where that is longer.
  void answered(const Takeover& takeover, Clock::time_point now) noexcept;

  /// The earliest time at which anything could expire, if what is pending stays so.
  Clock::time_point next_due(Clock::time_point now) const noexcept;

  Phase phase() const noexcept { return phase_; }
  const StallLimits& limits() const noexcept { return limits_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t heartbeats() const noexcept { return heartbeats_; }

 private:
  /// A limit in force, and the time at which it expires if nothing happens.
  struct Running {
    Clock::time_point expires = Clock::time_point::max();
    Limit limit;
    LimitClock clock = LimitClock::none;
    bool progress = false;  // whether it asks for a takeover
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
  /// When to ask again whether another member may take over; max() if that is not to be asked.
  Clock::time_point next_ask(Clock::time_point now) const noexcept;
  Verdict act_on(const Running& running, Clock::time_point now) noexcept;
  Cause cause(const Running& expired, Clock::time_point now) const noexcept;

  StallLimits limits_;
  Clock::time_point started_;
  Clock::time_point since_;    // when the pending operation began
  Clock::duration age_{};      // time counted against the phase before since_
  Clock::duration granted_{};  // given back to what counts from the start
  Phase phase_ = Phase::none;
  bool running_ = false;
  bool noted_ = false;       // enter() or waiting() was called
  bool progressed_ = false;  // in what was heard since waiting()
  bool delivered_ = false;
  Answer answer_ = Answer::none;
  bool beat_in_this_read_ = false;
  Confirmation confirmation_ = Confirmation::none;
  std::optional<Clock::time_point> ask_again_at_;
  Clock::time_point confirmed_at_{};
  std::uint64_t bytes_at_confirmation_ = 0;
  Clock::duration behind_{};  // how late our loop was, in this phase
  std::optional<Clock::time_point> catch_up_until_;
  std::uint64_t bytes_ = 0;
  std::uint64_t heartbeats_ = 0;
  Clock::duration ran_{};  // all time counted so far, to measure gaps between heartbeats
  std::optional<Clock::duration> last_beat_;
  Clock::duration largest_gap_{};
  unsigned gaps_ = 0;
};

}  // namespace understudy
