#include "understudy/runtime/stall_timer.hpp"

#include <doctest/doctest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <vector>

#include "understudy/testing/virtual_time.hpp"
#include "world.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using boost::system::system_error;
using runtime_test::World;

namespace {

const error_code connection_code = asio::error::connection_reset;
const error_code timeout_code = asio::error::timed_out;

StallLimits limits(const StallSettings& settings = {}) {
  return stall_limits(settings, {}, StallCodes(connection_code, timeout_code));
}

/// A provider that sends `what` (t: token, p: ping) every `gap` and then says no more.
awaitable<void> read_from(StallTimer& stall, const char* what, Clock::duration gap) {
  stall.enter(Phase::first_progress);
  for (; *what != '\0'; ++what) {
    stall.waiting();
    co_await sleep_for(gap);
    stall.heard(10);
    *what == 't' ? stall.progressed() : stall.heartbeat();
  }
  stall.waiting();
  co_await sleep_for(Clock::duration::max());
}

}  // namespace

TEST_CASE("a stalled attempt is cancelled, with the cause, at the tick") {
  World world;
  Cause seen;
  const auto attempt = [&](Scope& scope) -> awaitable<void> {
    auto hooks = StallHooks();
    hooks.on_expired([&](const Cause& cause) { seen = cause; });
    StallTimer stall(scope, limits(), std::move(hooks));
    co_await read_from(stall, "tptp", 50s);
  };
  error_code code;
  try {
    world.run(with_scope(attempt));
  } catch (const system_error& error) {
    code = error.code();
  }
  CHECK(code == timeout_code);
  CHECK(seen.code == timeout_code);
  CHECK(seen.evidence.heartbeats == 2);
  CHECK(world.time.elapsed() == 150s + 180s);
}

TEST_CASE(
    "Law 8 (Fact 6, A3 estuary/flow #3273): tokens cost no timer: it wakes elapsed / limit times, "
    "however many come") {
  World world;
  std::uint64_t wakeups = 0;
  const auto attempt = [&](Scope& scope) -> awaitable<void> {
    StallTimer stall(scope, limits(StallSettings().with_stale(30s)));
    stall.enter(Phase::first_progress);
    for (int read = 0; read < 300; ++read) {
      stall.waiting();
      co_await sleep_for(1s);
      for (int token = 0; token < 1000; ++token) {
        stall.heard(10);
        stall.progressed();
      }
    }
    wakeups = stall.wakeups();
  };
  world.run(with_scope(attempt));
  CHECK(world.time.elapsed() == 300s);
  CHECK(wakeups <= 11);
  CHECK(world.time.jumps() <= 300 + 11);
}

TEST_CASE("the incident of 15 minutes: five stalled attempts of 180 s, each cancelled for itself") {
  World world;
  std::vector<Cause> causes;
  const auto incident = [&]() -> awaitable<void> {
    for (int attempt = 0; attempt < 5; ++attempt) {
      const auto body = [&](Scope& scope) -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        StallTimer stall(scope, limits());
        stall.enter(Phase::first_progress);
        Timer pings(scope.get_executor());
        while (!scope.cancelled()) {
          stall.waiting();
          pings.expires_after(10s);
          co_await pings.async_wait(asio::as_tuple(asio::use_awaitable));
          if (!scope.cancelled()) {
            stall.heard(20);
            stall.heartbeat();
          }
        }
        causes.push_back(scope.cause());
      };
      co_await with_scope(body);  // the loop itself is not cancelled
    }
  };
  world.run(incident());
  CHECK(world.time.elapsed() == 15min);
  REQUIRE(causes.size() == 5);
  for (const auto& cause : causes) {
    CHECK(cause.code == timeout_code);
    CHECK(cause.evidence.since_last_progress == 180s);
    CHECK(cause.evidence.lateness == 0s);
  }
  CHECK(world.time.jumps() <= 5 * 20);
}

TEST_CASE("without a scope the handler is called, once, and may destroy the timer") {
  World world;
  int calls = 0;
  std::unique_ptr<StallTimer> stall;
  auto hooks = StallHooks();
  hooks.on_expired([&](const Cause&) {
    ++calls;
    stall.reset();
  });
  stall = std::make_unique<StallTimer>(world.context.get_executor(), limits(), std::move(hooks));
  stall->enter(Phase::connect);
  stall->waiting();
  world.time.run(world.context);
  CHECK(calls == 1);
  CHECK(!stall);
  CHECK(world.time.elapsed() == 10s);
}

TEST_CASE("a timer that is stopped or destroyed does not call back") {
  World world;
  int calls = 0;
  auto hooks = StallHooks();
  hooks.on_expired([&](const Cause&) { ++calls; });
  auto stall =
      std::make_unique<StallTimer>(world.context.get_executor(), limits(), std::move(hooks));
  stall->enter(Phase::connect);
  stall->waiting();
  world.time.run_for(world.context, 9s);
  SUBCASE("stopped") { stall->stop(); }
  SUBCASE("destroyed") { stall.reset(); }
  SUBCASE("destroyed by a handler of the same instant (fact 8)") {
    Timer rival(world.context.get_executor());
    // The stall timer's wait began first, so this one fires second; destroy before it is looked at.
    rival.expires_after(1s);
    rival.async_wait([&](error_code) { stall.reset(); });
    world.time.run_for(world.context, 1s);
    CHECK(calls == 1);
    calls = 0;
  }
  world.time.run(world.context);
  CHECK(calls == 0);
}

TEST_CASE(
    "an attempt asks its owner whether the socket is ready, and whether a member could take over") {
  World world;
  int ready_asked = 0;
  int takeover_asked = 0;
  const auto attempt = [&](Scope& scope) -> awaitable<void> {
    auto hooks = StallHooks();
    hooks
        .with_ready([&] {
          ++ready_asked;
          return false;
        })
        .with_takeover([&] {
          ++takeover_asked;
          return Takeover::no();
        });
    StallTimer stall(scope, limits(StallSettings().with_stale(5s)), std::move(hooks));
    co_await read_from(stall, "", 0s);
  };
  CHECK_THROWS_AS(world.run(with_scope(attempt)), system_error);
  CHECK(world.time.elapsed() == 600s);
  CHECK(takeover_asked == 1);
  CHECK(ready_asked == 2);
}

TEST_CASE("a rhythm of heartbeats that stops is noticed before the progress limit") {
  World world;
  const auto attempt = [&](Scope& scope) -> awaitable<void> {
    StallTimer stall(scope, limits(StallSettings().with_stale(1h)));
    co_await read_from(stall, "ppppp", 10s);
  };
  error_code code;
  try {
    world.run(with_scope(attempt));
  } catch (const system_error& error) {
    code = error.code();
  }
  CHECK(code == connection_code);
  CHECK(world.time.elapsed() == 50s + 90s);
}

TEST_CASE("B3 lazy re-arm, in real time: a stall is seen after its limit, never before") {
  asio::io_context context;
  Clock::duration elapsed{};
  const auto attempt = [&](Scope& scope) -> awaitable<void> {
    StallTimer stall(scope, limits(StallSettings().with_stale(30ms)));
    const auto start = Clock::now();
    try {
      co_await read_from(stall, "ttt", 10ms);
    } catch (const system_error&) {
      elapsed = Clock::now() - start;
    }
  };
  asio::co_spawn(context, with_scope(attempt), [](const std::exception_ptr&) {});
  context.run();
  CHECK(elapsed >= 60ms);
  CHECK(elapsed < 5s);
}
