#include "understudy/runtime/stall_state.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using namespace understudy;

namespace {

constexpr Clock::duration tick = 1ns;
const error_code connection = asio::error::connection_reset;
const error_code timeout = asio::error::timed_out;
const StallCodes state_codes(connection, timeout);

/// A StallState with the loop of a StallTimer around it, on a clock that the test moves.
class Attempt {
 public:
  explicit Attempt(const StallLimits& limits) : state(limits, now) {}
  explicit Attempt(const StallSettings& settings = {}, const StallFacts& facts = {})
      : Attempt(stall_limits(settings, facts, state_codes)) {}

  /// Lets `duration` pass; wakes on time whenever the state asked for it. False once it has expired.
  bool pass(Clock::duration duration) {
    const auto end = now + duration;
    due = std::min(due, state.next_due(now));
    while (!cause && due <= end) {
      now = std::max(now, due);
      wake();
    }
    if (!cause) {
      now = end;
    }
    return !cause;
  }

  /// The loop was blocked: the wake-up comes `late`, and so does all else.
  void wake_late(Clock::duration late) {
    due = std::min(due, state.next_due(now));
    now = due + late;
    wake();
  }

  void read(std::uint64_t bytes) { state.heard(bytes); }
  void ping() {
    read(20);
    state.heartbeat(now);
    state.waiting(now);
  }
  void token() {
    read(50);
    state.progressed();
    state.waiting(now);
  }

  void enter(Phase phase) {
    state.enter(phase, now);
    state.waiting(now);
  }

  Clock::duration elapsed() const { return now - Clock::time_point{}; }

  Clock::time_point now{};
  Clock::time_point due = Clock::time_point::max();
  StallState state;
  std::optional<Cause> cause;
  bool ready = false;
  Takeover takeover = Takeover::yes();
  int asked = 0;
  int woken = 0;

 private:
  void wake() {
    ++woken;
    auto verdict = state.check(now, due);
    while (true) {
      switch (verdict.step) {
        case StallState::Step::sleep:
          CHECK(verdict.until > now);  // never a busy loop
          due = verdict.until;
          return;
        case StallState::Step::confirm: state.confirmed(ready, now); break;
        case StallState::Step::ask:
          ++asked;
          state.answered(takeover, now);
          break;
        case StallState::Step::expired: cause = verdict.cause; return;
      }
      verdict = state.check(now, now);
    }
  }
};

void check_expires_after(Attempt& attempt, Clock::duration limit) {
  CHECK(attempt.pass(limit - tick));
  CHECK_FALSE(attempt.pass(tick));
}

}  // namespace

TEST_CASE("Law 9: the arithmetic is pure: no allocation, no exception, no clock of its own") {
  static_assert(std::is_trivially_destructible_v<StallState>);
  using Time = const Clock::time_point&;
  static_assert(noexcept(std::declval<StallState&>().waiting(std::declval<Time>())));
  static_assert(noexcept(std::declval<StallState&>().progressed()));
  static_assert(
      noexcept(std::declval<StallState&>().check(std::declval<Time>(), std::declval<Time>())));
  CHECK(sizeof(StallState) <= 768);  // part of the 12 KiB that an idle stream may cost
}

TEST_CASE("the phase table, exact to the tick") {
  struct Row {
    Phase phase;
    Clock::duration limit;
    error_code code;
    LimitClock clock;
  };
  const Row rows[] = {
      {Phase::pool_wait, 10s, connection, LimitClock::phase},
      {Phase::connect, 10s, connection, LimitClock::phase},
      {Phase::write, 30s, connection, LimitClock::phase},
      {Phase::first_progress, 180s, timeout, LimitClock::progress},
      {Phase::whole_answer, 600s, timeout, LimitClock::phase},
      {Phase::error_body, 5s, connection, LimitClock::phase},
      {Phase::finish, 5s, connection, LimitClock::phase},
  };
  for (const auto& row : rows) {
    CAPTURE(to_string(row.phase));
    Attempt attempt;
    attempt.enter(row.phase);
    check_expires_after(attempt, row.limit);
    REQUIRE(attempt.cause);
    CHECK(attempt.cause->code == row.code);
    const auto& evidence = attempt.cause->evidence;
    CHECK(evidence.phase == row.phase);
    CHECK(evidence.clock == row.clock);
    CHECK(evidence.limit == row.limit);
    CHECK(evidence.origin == LimitOrigin::standard);
    CHECK(evidence.lateness == 0s);
    CHECK(attempt.woken == 1);
  }
}

TEST_CASE("between progress: the clock starts anew with each") {
  Attempt attempt;
  attempt.enter(Phase::first_progress);
  for (int i = 0; i < 10; ++i) {
    CHECK(attempt.pass(180s - tick));
    attempt.token();
    CHECK(attempt.state.phase() == Phase::progress);
  }
  check_expires_after(attempt, 180s);
  CHECK(attempt.cause->code == timeout);
  CHECK(attempt.cause->evidence.phase == Phase::progress);
  CHECK(attempt.cause->evidence.bytes == 500);
  CHECK(attempt.cause->evidence.since_last_progress == 180s);
}

TEST_CASE("no phase, no limit") {
  Attempt attempt;
  attempt.state.waiting(attempt.now);
  CHECK(attempt.pass(1000h));
}

TEST_CASE("a phase begins with its own clock at zero, but connecting has one for all its steps") {
  Attempt attempt;
  attempt.enter(Phase::connect);
  CHECK(attempt.pass(6s));  // resolving
  attempt.state.waiting(attempt.now);
  CHECK(attempt.pass(3s));  // connecting
  attempt.enter(Phase::write);
  CHECK(attempt.pass(29s));
  attempt.state.waiting(attempt.now);  // some bytes were accepted, and the rest is pending
  CHECK(attempt.pass(29s));
  attempt.enter(Phase::connect);
  CHECK(attempt.pass(6s));
  attempt.state.waiting(attempt.now);
  check_expires_after(attempt, 4s);
}

TEST_CASE("endless heartbeats are not progress") {
  Attempt attempt;
  attempt.enter(Phase::first_progress);
  while (attempt.pass(10s)) {
    attempt.ping();
  }
  CHECK(attempt.elapsed() == 180s);
  CHECK(attempt.cause->code == timeout);
  const auto& evidence = attempt.cause->evidence;
  CHECK(evidence.clock == LimitClock::progress);
  CHECK(evidence.heartbeats == 17);
  CHECK(evidence.since_last_progress == 180s);
  CHECK(evidence.since_last_byte == 10s);
  CHECK(to_string(*attempt.cause)
            .find("180 s without progress (limit 180 s, default; phase "
                  "first_progress; last byte 10 s ago; 340 bytes, 17 "
                  "heartbeats)") != std::string::npos);
}

TEST_CASE("heartbeats between tokens do not feed the progress clock either") {
  Attempt attempt;
  attempt.enter(Phase::first_progress);
  attempt.token();
  while (attempt.pass(7s)) {
    attempt.ping();
  }
  CHECK(attempt.elapsed() == 180s);
  CHECK(attempt.cause->evidence.phase == Phase::progress);
}

TEST_CASE("a model that thinks for 90 s is not killed: with pings, with one, with two, with none") {
  const std::vector<std::vector<int>> pings_at = {
      {10, 20, 30, 40, 50, 60, 70, 80}, {1}, {1, 2}, {}};
  for (const auto& pings : pings_at) {
    CAPTURE(pings.size());
    Attempt attempt;
    attempt.enter(Phase::first_progress);
    int at = 0;
    for (const int ping : pings) {
      CHECK(attempt.pass(std::chrono::seconds(ping - at)));
      at = ping;
      attempt.ping();
    }
    CHECK(attempt.pass(std::chrono::seconds(90 - at)));
    attempt.token();
    CHECK(attempt.pass(179s));
  }
}

TEST_CASE("silence: learned from three gaps, at least 90 s, three times the largest") {
  // A floor of an hour keeps the progress clock out of the way.
  struct Row {
    const char* what;
    std::vector<int> gaps;
    std::optional<Clock::duration> silence;
  };
  const Row rows[] = {
      {"two gaps are none yet", {10, 10}, std::nullopt},
      {"three short ones", {10, 10, 10}, 90s},
      {"three of 30 s", {30, 30, 30}, 90s},
      {"the largest counts", {10, 40, 10}, 120s},
      {"and goes on to", {10, 10, 10, 50}, 150s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Attempt attempt({}, StallFacts().with_floor(1h));
    attempt.enter(Phase::first_progress);
    attempt.pass(5s);
    attempt.ping();
    for (const int gap : row.gaps) {
      CHECK(attempt.pass(std::chrono::seconds(gap)));
      attempt.ping();
    }
    if (row.silence) {
      check_expires_after(attempt, *row.silence);
      CHECK(attempt.cause->code == connection);
      CHECK(attempt.cause->evidence.clock == LimitClock::transport);
      CHECK(attempt.cause->evidence.origin == LimitOrigin::learned);
      CHECK(attempt.cause->evidence.since_last_byte == *row.silence);
      CHECK(attempt.asked == 0);  // a dead transport is no question of who takes over
    } else {
      CHECK(attempt.pass(30min));
    }
  }
}

TEST_CASE("silence is not learned from pings in one read, and forgotten at progress") {
  Attempt attempt({}, StallFacts().with_floor(1h));
  attempt.enter(Phase::first_progress);
  for (int i = 0; i < 10; ++i) {
    attempt.state.heartbeat(attempt.now);  // ": keep-alive" ten times, out of one buffer
  }
  attempt.state.waiting(attempt.now);
  CHECK(attempt.pass(59min));
  for (int i = 0; i < 5; ++i) {
    attempt.ping();
    CHECK(attempt.pass(10s));
  }
  attempt.token();
  CHECK(attempt.pass(59min));
}

TEST_CASE("silence: the user's limit holds from the first byte on, and any byte feeds it") {
  Attempt attempt(StallSettings().with_silence(20s));
  attempt.enter(Phase::first_progress);
  CHECK(attempt.pass(20s - tick));
  attempt.ping();
  check_expires_after(attempt, 20s);
  CHECK(attempt.cause->evidence.clock == LimitClock::transport);
  CHECK(attempt.cause->evidence.origin == LimitOrigin::user);
}

TEST_CASE("a consumer busy for an hour is not a stalled provider") {
  Attempt attempt;
  attempt.enter(Phase::first_progress);
  SUBCASE("with content") {
    attempt.read(50);
    attempt.state.progressed();
    attempt.state.paused(attempt.now);
    CHECK(attempt.pass(1h));
    attempt.state.waiting(attempt.now);
    check_expires_after(attempt, 180s);
  }
  SUBCASE("with an event that is not progress: the time counted before still counts") {
    CHECK(attempt.pass(100s));
    attempt.read(50);
    attempt.state.paused(attempt.now);
    CHECK(attempt.pass(1h));
    attempt.state.waiting(attempt.now);
    check_expires_after(attempt, 80s);
  }
  SUBCASE("a caller that omits paused() after content loses nothing") {
    attempt.read(50);
    attempt.state.progressed();
    CHECK(attempt.pass(1h));
    attempt.state.waiting(attempt.now);
    check_expires_after(attempt, 180s);
  }
  SUBCASE("a limit that was over already when the consumer took the floor") {
    attempt.now += 200s;  // the loop is behind: the timer has not fired
    attempt.read(50);
    attempt.state.paused(attempt.now);
    CHECK(attempt.pass(1h));
    CHECK(attempt.woken < 40'000);
    attempt.state.waiting(attempt.now);
    CHECK_FALSE(attempt.pass(100ms));
  }
}

TEST_CASE("the deadline is wall time and never stops") {
  auto limits = stall_limits({}, {}, state_codes);
  limits.deadline = Clock::time_point{} + 50s;
  Attempt attempt(limits);
  attempt.enter(Phase::first_progress);
  attempt.token();
  attempt.state.paused(attempt.now);
  check_expires_after(attempt, 50s);
  CHECK(attempt.cause->code == StopReason::deadline);
  CHECK(attempt.cause->evidence.clock == LimitClock::wall);
  CHECK(attempt.cause->evidence.limit == 50s);
}

TEST_CASE("an expiry is confirmed: readable data on a late wake-up ends no attempt") {
  Attempt attempt;
  attempt.enter(Phase::first_progress);
  attempt.ready = true;  // 500 ms late: the token has been on the socket for a while
  attempt.wake_late(500ms);
  CHECK(!attempt.cause);
  attempt.token();
  CHECK(attempt.pass(180s - tick));
  SUBCASE("bytes that turn out not to be progress postpone it no longer") {
    attempt.wake_late(tick);
    CHECK(!attempt.cause);
    attempt.ping();
    CHECK_FALSE(attempt.pass(2ms));
    CHECK(attempt.cause->code == timeout);
  }
  SUBCASE("nor do unread bytes, beyond a second") {
    attempt.wake_late(tick);
    CHECK(attempt.pass(990ms));
    CHECK_FALSE(attempt.pass(20ms));
  }
}

TEST_CASE("pings that are always there to be read put an expiry off once") {
  Attempt attempt;
  attempt.ready = true;
  attempt.enter(Phase::first_progress);
  while (attempt.pass(1ms) && attempt.elapsed() < 200s) {
    attempt.ping();
  }
  CHECK(attempt.cause);
  CHECK(attempt.elapsed() <= 180s + 2ms);
}

TEST_CASE("a wake-up over 1 s late is our own fault, and the time is granted back") {
  struct Row {
    Clock::duration late;
    Clock::duration granted;
  };
  for (const auto& row : {Row{1s, 0s}, Row{1s + tick, 1s + tick}, Row{3s, 3s}, Row{1h, 1h}}) {
    CAPTURE(row.late.count());
    Attempt attempt;
    attempt.enter(Phase::first_progress);
    attempt.wake_late(row.late);
    if (row.granted == 0s) {
      REQUIRE(attempt.cause);
      CHECK(attempt.cause->evidence.lateness == row.late);
    } else {
      // The limit was due exactly when we should have woken; with all of the lateness granted it is
      // due now, and the socket is asked first.
      CHECK(attempt.cause);
      CHECK(attempt.cause->evidence.lateness == 0s);
    }
  }
  Attempt attempt;
  attempt.enter(Phase::first_progress);
  CHECK(attempt.pass(100s));
  attempt.ping();
  attempt.state.paused(attempt.now);
  CHECK(attempt.pass(1s));
  attempt.state.waiting(attempt.now);
  attempt.wake_late(5s);  // meant for 180 s, where 179 s have been counted: 5 s of them are ours
  CHECK(!attempt.cause);
  check_expires_after(attempt, 1s);
}

TEST_CASE("a connect that is done in the kernel while our loop is behind is not killed") {
  const auto settings = StallSettings().with_connect(1s).with_write(1s);
  for (const auto phase : {Phase::connect, Phase::write}) {
    for (const auto late : {Clock::duration(980ms), Clock::duration(5s)}) {
      CAPTURE(late.count());
      Attempt done(settings);
      done.enter(phase);
      done.wake_late(late);
      CHECK(!done.cause);
      CHECK(done.pass(tick));
      done.enter(Phase::first_progress);  // the loop has come to it
      check_expires_after(done, 180s);

      Attempt not_done(settings);
      not_done.enter(phase);
      not_done.wake_late(late);
      CHECK(not_done.pass(std::min<Clock::duration>(late, 1s) - tick));
      CHECK_FALSE(not_done.pass(tick));  // once, and a second of it at most
      CHECK(not_done.cause->code == connection);
    }
    Attempt on_time(settings);
    on_time.enter(phase);
    check_expires_after(on_time, 1s);
    auto limits = stall_limits(settings, {}, state_codes);
    limits.deadline = Clock::time_point{} + 1500ms;
    Attempt with_deadline(limits);
    with_deadline.enter(phase);
    with_deadline.wake_late(400ms);
    check_expires_after(with_deadline, 100ms);
    CHECK(with_deadline.cause->code == StopReason::deadline);
  }
}

TEST_CASE("S38: 3 s of SIGSTOP during healthy streams ends none") {
  // limits of 2 s, a token every 20 ms; the process stops right after a token
  Attempt attempt(StallSettings().with_stale(2s));
  attempt.enter(Phase::first_progress);
  for (int i = 0; i < 50; ++i) {
    CHECK(attempt.pass(20ms));
    attempt.token();
  }
  attempt.ready = true;  // tokens have arrived meanwhile
  attempt.wake_late(1500ms);
  CHECK(!attempt.cause);
  attempt.token();
  CHECK(attempt.pass(2s - tick));
}

TEST_CASE("at the limit it asks: if no member can take over, the limit becomes last_member") {
  SUBCASE("yes: it has expired, and it did not ask before") {
    Attempt attempt;
    attempt.enter(Phase::first_progress);
    CHECK(attempt.pass(180s - tick));
    CHECK(attempt.asked == 0);
    CHECK_FALSE(attempt.pass(tick));
    CHECK(attempt.asked == 1);
  }
  SUBCASE("no: 600 s, explicit limits too") {
    for (const auto& settings : {StallSettings(), StallSettings().with_stale(2s)}) {
      Attempt attempt(settings);
      attempt.takeover = Takeover::no();
      attempt.enter(Phase::first_progress);
      check_expires_after(attempt, 600s);
      CHECK(attempt.asked == 1);
      CHECK(attempt.cause->evidence.limit == 600s);
      CHECK(attempt.cause->code == timeout);
    }
  }
  SUBCASE("no, but the limit is longer than last_member") {
    Attempt attempt(StallSettings().with_stale(700s));
    attempt.takeover = Takeover::no();
    attempt.enter(Phase::first_progress);
    check_expires_after(attempt, 700s);
    CHECK(attempt.cause->evidence.origin == LimitOrigin::user);
  }
  SUBCASE("no; and an answer comes after 500 s: the slow only member is not killed") {
    Attempt attempt;
    attempt.takeover = Takeover::no();
    attempt.enter(Phase::first_progress);
    CHECK(attempt.pass(500s));
    attempt.token();
    CHECK(attempt.asked == 1);
    CHECK(attempt.pass(599s));  // and the next stall asks anew
    CHECK(attempt.asked == 2);
  }
  SUBCASE("asked again when a cooldown ends") {
    Attempt attempt;
    attempt.takeover = Takeover::no(Clock::time_point{} + 250s);
    attempt.enter(Phase::first_progress);
    CHECK(attempt.pass(250s - tick));
    attempt.takeover = Takeover::yes();
    CHECK_FALSE(attempt.pass(tick));
    CHECK(attempt.elapsed() == 250s);
    CHECK(attempt.asked == 2);
    CHECK(attempt.cause->evidence.limit == 180s);
    CHECK(attempt.cause->evidence.since_last_progress == 250s);
  }
  SUBCASE("a caller that always answers 'ask me again now' is asked at intervals") {
    Attempt attempt;
    attempt.takeover = Takeover::no(Clock::time_point{});
    attempt.enter(Phase::first_progress);
    CHECK(attempt.pass(190s));
    CHECK(attempt.asked <= 101);
  }
  SUBCASE("connecting and writing do not ask") {
    Attempt attempt;
    attempt.takeover = Takeover::no();
    attempt.enter(Phase::connect);
    check_expires_after(attempt, 10s);
    CHECK(attempt.asked == 0);
  }
  SUBCASE("an answer that is not streamed asks too") {
    Attempt attempt(StallSettings().with_whole_answer(30s));
    attempt.takeover = Takeover::no();
    attempt.enter(Phase::whole_answer);
    check_expires_after(attempt, 600s);
    CHECK(attempt.asked == 1);
  }
}

TEST_CASE("the share of a deadline") {
  const auto with_share = [](const StallSettings& settings) {
    auto limits = stall_limits(settings, {}, state_codes);
    limits.share = Limit(2s, timeout, LimitOrigin::share_of_deadline);
    limits.deadline = Clock::time_point{} + 6s;
    return limits;
  };
  SUBCASE("covers all phases together, and is a timeout") {
    Attempt attempt(with_share({}));
    attempt.enter(Phase::connect);
    CHECK(attempt.pass(1s));
    attempt.enter(Phase::first_progress);
    check_expires_after(attempt, 1s);
    CHECK(attempt.cause->code == timeout);
    CHECK(attempt.cause->evidence.origin == LimitOrigin::share_of_deadline);
    CHECK(attempt.cause->evidence.limit == 2s);
  }
  SUBCASE("leaves explicit limits aside") {
    Attempt attempt(with_share(StallSettings().with_stale(4s)));
    attempt.enter(Phase::first_progress);
    check_expires_after(attempt, 4s);
    CHECK(attempt.cause->evidence.origin == LimitOrigin::user);
  }
  SUBCASE("ends when something was delivered") {
    Attempt attempt(with_share({}));
    attempt.enter(Phase::first_progress);
    CHECK(attempt.pass(1s));
    attempt.token();
    attempt.state.delivered();
    CHECK(attempt.pass(5s - tick));
    CHECK_FALSE(attempt.pass(tick));
    CHECK(attempt.cause->code == StopReason::deadline);
  }
  SUBCASE("does not apply if no member can take over") {
    Attempt attempt(with_share({}));
    attempt.takeover = Takeover::no();
    attempt.enter(Phase::first_progress);
    check_expires_after(attempt, 6s);
    CHECK(attempt.cause->code == StopReason::deadline);
  }
}

TEST_CASE("an attempt that notes nothing has one limit, which counts from its start") {
  const auto of_2s = [] {
    auto limits = stall_limits(StallSettings(), StallFacts(), state_codes);
    limits.attempt = Limit(2s, timeout, LimitOrigin::user);
    return limits;
  };
  SUBCASE("nothing at all") {
    Attempt attempt(of_2s());
    check_expires_after(attempt, 2s);
    CHECK(attempt.cause->code == timeout);
    CHECK(attempt.cause->evidence.clock == LimitClock::attempt);
    CHECK(attempt.cause->evidence.since_last_progress == 2s);
    CHECK(to_string(*attempt.cause) == "Connection timed out: no answer in 2 s (limit 2 s, user)");
  }
  SUBCASE("what was heard changes nothing, nor does a pause") {
    Attempt attempt(of_2s());
    CHECK(attempt.pass(1s));
    attempt.state.heard(10);
    attempt.state.heartbeat(attempt.now);
    attempt.state.progressed();
    attempt.state.paused(attempt.now);
    check_expires_after(attempt, 1s);
  }
  SUBCASE("a phase ends it") {
    Attempt attempt(of_2s());
    CHECK(attempt.pass(2s - tick));
    attempt.enter(Phase::first_progress);
    check_expires_after(attempt, 180s);
  }
  SUBCASE("so does a wait") {
    Attempt attempt(of_2s());
    CHECK(attempt.pass(2s - tick));
    attempt.state.waiting(attempt.now);
    CHECK(attempt.pass(1h));
  }
  SUBCASE("it asks as all limits on progress do") {
    Attempt attempt(of_2s());
    attempt.takeover = Takeover::no(Clock::time_point{} + 100s);
    CHECK(attempt.pass(100s - tick));
    attempt.takeover = Takeover::no();
    check_expires_after(attempt, 500s + tick);
    CHECK(attempt.asked == 2);
    CHECK(attempt.cause->evidence.limit == 600s);
  }
  SUBCASE("what our own loop was late by is given back") {
    Attempt attempt(of_2s());
    attempt.wake_late(500ms);
    CHECK(!attempt.cause);
    check_expires_after(attempt, 500ms);
    Attempt stopped(of_2s());
    stopped.wake_late(1h);
    CHECK(!stopped.cause);
  }
  SUBCASE("none means none") {
    auto limits = of_2s();
    limits.attempt = Limit();
    Attempt attempt(limits);
    CHECK(attempt.pass(100h));
  }
}

TEST_CASE("limits at the end of the clock's range do not wrap around") {
  Attempt attempt(StallSettings()
                      .with_stale(Clock::duration::max())
                      .with_last_member(Clock::duration::max())
                      .with_silence(Clock::duration::max()));
  attempt.enter(Phase::first_progress);
  CHECK(attempt.pass(100'000h));
}
