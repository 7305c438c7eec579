#include "understudy/runtime/stall_state.hpp"

namespace understudy {
namespace {

using namespace std::chrono_literals;
using detail::later;

/// A wake-up that is later than this was held up by our own side (failover.md 2.6).
constexpr Clock::duration granted_from = 1s;
/// How long readable bytes can put an expiry off, and how often they are looked at.
constexpr Clock::duration longest_confirmation = 1s;
constexpr Clock::duration confirmation_step = 1ms;
/// Heartbeats come every 30 s where they are sparse (protocols.md 9.1); three of them make a rhythm.
constexpr unsigned gaps_to_learn = 3;
constexpr Clock::duration least_learned_silence = 90s;
/// Later than this means that the loop was busy: it hands out 128 descriptors a turn, and then all timers.
constexpr Clock::duration behind_from = 10ms;
/// While the consumer has the floor no limit can expire, so one that is over already can be looked at
/// at leisure.
constexpr Clock::duration paused_step = 100ms;
/// However often "ask me again now" is answered.
constexpr Clock::duration least_between_asks = 100ms;

}  // namespace

void StallState::enter(Phase phase, Clock::time_point now) noexcept {
  settle(now);
  since_ = now;
  age_ = {};
  phase_ = phase;
  noted_ = true;
  answer_ = Answer::none;
  confirmation_ = Confirmation::none;
  behind_ = {};
  catch_up_until_.reset();
}

void StallState::settle(Clock::time_point now) noexcept {
  if (progressed_) {
    progress_seen();
  } else if (running_) {
    age_ += now - since_;
    ran_ += now - since_;
  }
  beat_in_this_read_ = false;
}

void StallState::progress_seen() noexcept {
  progressed_ = false;
  age_ = {};
  answer_ = Answer::none;
  ask_again_at_.reset();
  confirmation_ = Confirmation::none;
  last_beat_.reset();
  largest_gap_ = {};
  gaps_ = 0;
  if (phase_ == Phase::first_progress) {
    phase_ = Phase::progress;
  }
}

bool StallState::heartbeat(Clock::time_point now) noexcept {
  ++heartbeats_;
  if (beat_in_this_read_ || progressed_ || !streaming()) {
    return false;  // several in one read are no rhythm, and progress begins a new one
  }
  beat_in_this_read_ = true;
  const auto beat = ran_ + silent(now);
  if (last_beat_) {
    largest_gap_ = std::max(largest_gap_, beat - *last_beat_);
    ++gaps_;
  }
  last_beat_ = beat;
  return gaps_ == gaps_to_learn && limits_.silence.origin == LimitOrigin::learned;
}

Clock::duration StallState::age(Clock::time_point now) const noexcept {
  if (progressed_) {
    return {};
  }
  // Writing is judged by each write alone: an accepted byte starts its clock anew.
  const auto before = phase_ == Phase::write ? Clock::duration::zero() : age_;
  return before + silent(now);
}

Limit StallState::phase_limit() const noexcept {
  switch (phase_) {
    case Phase::none: return {};
    case Phase::pool_wait:
    case Phase::connect: return limits_.connect;
    case Phase::write: return limits_.write;
    case Phase::first_progress: return limits_.first_progress;
    case Phase::progress: return limits_.stale;
    case Phase::whole_answer: return limits_.whole_answer;
    case Phase::error_body: return limits_.error_body;
    case Phase::finish: return limits_.finish;
  }
  return {};
}

StallState::Running StallState::phase_running(Clock::time_point now,
                                              bool as_last_member) const noexcept {
  Running running;
  running.limit = phase_limit();
  if (running.limit.origin == LimitOrigin::none) {
    return running;
  }
  running.progress = streaming() || phase_ == Phase::whole_answer;
  running.clock = streaming() ? LimitClock::progress : LimitClock::phase;
  if (running.progress && as_last_member && limits_.last_member.after > running.limit.after) {
    running.limit = limits_.last_member;
  }
  running.expires = later(now, running.limit.after - age(now));
  return running;
}

Clock::duration StallState::silence_limit() const noexcept {
  switch (limits_.silence.origin) {
    case LimitOrigin::none: return {};
    case LimitOrigin::learned:
      return gaps_ < gaps_to_learn ? Clock::duration::zero()
                                   : std::max(least_learned_silence, 3 * largest_gap_);
    case LimitOrigin::user:
    case LimitOrigin::scaled:
    case LimitOrigin::floor:
    case LimitOrigin::standard:
    case LimitOrigin::share_of_deadline: break;
  }
  return limits_.silence.after;
}

StallState::Running StallState::silence_running(Clock::time_point now) const noexcept {
  Running running;
  const auto limit = streaming() ? silence_limit() : Clock::duration::zero();
  if (limit > 0s) {
    running.limit = Limit(limit, limits_.silence.code, limits_.silence.origin);
    running.clock = LimitClock::transport;
    running.expires = later(now, limit - silent(now));
  }
  return running;
}

StallState::Running StallState::since_start(const Limit& limit, LimitClock clock) const noexcept {
  Running running;
  running.limit = limit;
  running.clock = clock;
  running.progress = true;
  running.expires = later(later(started_, limit.after), granted_);
  return running;
}

StallState::Running StallState::attempt_running(bool as_last_member) const noexcept {
  if (noted_ || limits_.attempt.origin == LimitOrigin::none) {
    return {};
  }
  const bool longer = as_last_member && limits_.last_member.after > limits_.attempt.after;
  return since_start(longer ? limits_.last_member : limits_.attempt, LimitClock::attempt);
}

StallState::Running StallState::share_running(bool as_last_member) const noexcept {
  if (!noted_ || limits_.share.origin == LimitOrigin::none || delivered_ || as_last_member ||
      phase_limit().origin == LimitOrigin::user) {
    return {};
  }
  return since_start(limits_.share, LimitClock::wall);
}

StallState::Running StallState::first(Clock::time_point now) const noexcept {
  const bool as_last_member = answer_ == Answer::no;
  auto earliest = phase_running(now, as_last_member);
  for (const auto& other :
       {attempt_running(as_last_member), silence_running(now), share_running(as_last_member)}) {
    if (other.expires < earliest.expires) {
      earliest = other;
    }
  }
  return earliest;
}

Clock::time_point StallState::next_due(Clock::time_point now) const noexcept {
  return std::min(
      {first(now).expires, limits_.deadline.value_or(Clock::time_point::max()), next_ask(now)});
}

Clock::time_point StallState::next_ask(Clock::time_point now) const noexcept {
  if (answer_ != Answer::no || !ask_again_at_) {
    return Clock::time_point::max();
  }
  const auto expires = std::min({phase_running(now, false).expires, attempt_running(false).expires,
                                 share_running(false).expires});
  return std::max(expires, *ask_again_at_);
}

StallState::Verdict StallState::check(Clock::time_point now, Clock::time_point due) noexcept {
  const auto late = now - due;
  if (late > granted_from) {
    granted_ += late;
    since_ = std::min(now, since_ + late);
  }
  if (late > behind_from) {
    behind_ = late;
  }
  if (limits_.deadline && now >= *limits_.deadline) {
    Running running;
    running.limit = Limit(*limits_.deadline - started_, StopReason::deadline, LimitOrigin::user);
    running.clock = LimitClock::wall;
    running.expires = *limits_.deadline;
    return Verdict::expired(cause(running, now));
  }
  if (noted_ && !pending()) {
    return Verdict::sleep(std::max(next_due(now), now + paused_step));
  }
  if (now >= next_ask(now)) {
    return Verdict::ask();
  }
  const auto running = first(now);
  if (now < running.expires) {
    confirmation_ = Confirmation::none;
    return Verdict::sleep(next_due(now));
  }
  return act_on(running, now);
}

StallState::Verdict StallState::act_on(const Running& running, Clock::time_point now) noexcept {
  switch (confirmation_) {
    case Confirmation::none: return Verdict::confirm();
    case Confirmation::ready:
      if (bytes_ == bytes_at_confirmation_ && now - confirmed_at_ < longest_confirmation) {
        return Verdict::sleep(now + confirmation_step);
      }
      break;
    case Confirmation::quiet:
      if (unseen() && behind_ > Clock::duration::zero()) {
        const auto catch_up = now + std::min(behind_, longest_confirmation);
        catch_up_until_ = catch_up_until_.value_or(catch_up);
        if (now < *catch_up_until_) {
          confirmation_ = Confirmation::none;
          return Verdict::sleep(
              std::min(*catch_up_until_, limits_.deadline.value_or(Clock::time_point::max())));
        }
      }
      break;
  }
  if (running.progress && answer_ == Answer::none) {
    return Verdict::ask();
  }
  return Verdict::expired(cause(running, now));
}

void StallState::confirmed(bool ready, Clock::time_point now) noexcept {
  confirmation_ = ready ? Confirmation::ready : Confirmation::quiet;
  confirmed_at_ = now;
  bytes_at_confirmation_ = bytes_;
}

void StallState::answered(const Takeover& takeover, Clock::time_point now) noexcept {
  answer_ = takeover.possible ? Answer::yes : Answer::no;
  ask_again_at_ = takeover.ask_again_at;
  if (ask_again_at_) {
    ask_again_at_ = std::max(*ask_again_at_, now + least_between_asks);
  }
}

Cause StallState::cause(const Running& expired, Clock::time_point now) const noexcept {
  Evidence evidence;
  evidence.phase = phase_;
  evidence.clock = expired.clock;
  evidence.origin = expired.limit.origin;
  evidence.limit = expired.limit.after;
  evidence.since_last_byte = noted_ ? silent(now) : now - started_;
  evidence.since_last_progress = noted_ ? age(now) : now - started_;
  // Where nobody could take over at first, it is not late before that was to be asked again.
  evidence.lateness = now - std::max(expired.expires, ask_again_at_.value_or(expired.expires));
  evidence.bytes = bytes_;
  evidence.heartbeats = heartbeats_;
  return Cause(expired.limit.code, evidence);
}

}  // namespace understudy
