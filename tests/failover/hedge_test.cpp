#include "understudy/failover/hedge.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;
using testing::VirtualTime;

namespace {

/// A leg that ends after a time, and remembers whether it was cut short.
class LegOf {
 public:
  LegOf(Clock::duration takes, std::optional<FailoverReason> fails = std::nullopt)
      : takes_(takes), fails_(fails) {}

  awaitable<Result<std::string>> run(std::string name) {
    class Ended {
     public:
      explicit Ended(LegOf& leg) : leg_(leg) {}
      Ended(const Ended&) = delete;
      Ended& operator=(const Ended&) = delete;
      ~Ended() { leg_.ended_at = Clock::now(); }

     private:
      LegOf& leg_;
    } const ended(*this);
    began_at = Clock::now();
    co_await sleep_for(takes_);
    finished = true;
    if (fails_) {
      co_return *fails_;
    }
    co_return name;
  }

  std::optional<Clock::time_point> began_at;
  std::optional<Clock::time_point> ended_at;
  bool finished = false;

 private:
  Clock::duration takes_;
  std::optional<FailoverReason> fails_;
};

class Race {
 public:
  Race(LegOf f, LegOf s) : first(std::move(f)), second(std::move(s)) {}

  Hedged<std::string> run(Clock::duration after) { return *time.run(context, run_it(after)); }

  VirtualTime time;
  asio::io_context context;
  LegOf first;
  LegOf second;

 private:
  awaitable<std::optional<Hedged<std::string>>> run_it(Clock::duration after) {
    co_return co_await hedge(
        after, [&] { return first.run("first"); }, [&] { return second.run("second"); });
  }
};

}  // namespace

TEST_CASE("the second never starts when the first succeeds in time") {
  Race race(LegOf(400ms), LegOf(1ms));
  const auto hedged = race.run(500ms);
  CHECK(hedged.result.value() == "first");
  CHECK(hedged.winner == 0);
  CHECK_FALSE(race.second.began_at);
  CHECK(race.time.elapsed() == 400ms);
}

TEST_CASE("the second starts after the delay; the first success wins and the loser is joined") {
  Race race(LegOf(10s), LegOf(300ms));
  const auto hedged = race.run(500ms);
  CHECK(hedged.result.value() == "second");
  CHECK(hedged.winner == 1);
  CHECK(race.time.elapsed() == 800ms);
  CHECK_FALSE(race.first.finished);
  CHECK(race.first.ended_at->time_since_epoch() == 800ms);  // cancelled, and ended by then
}

TEST_CASE("the first may still win after the second has started") {
  Race race(LegOf(700ms), LegOf(5s));
  const auto hedged = race.run(500ms);
  CHECK(hedged.result.value() == "first");
  CHECK(race.time.elapsed() == 700ms);
  CHECK_FALSE(race.second.finished);
}

TEST_CASE("a first that fails starts the second at once") {
  Race race(LegOf(100ms, FailoverReason::overloaded), LegOf(300ms));
  const auto hedged = race.run(5s);
  CHECK(hedged.result.value() == "second");
  CHECK(race.time.elapsed() == 400ms);
}

TEST_CASE("an error never wins while the other may succeed") {
  // model-hotel #803: an error frame won the race and cancelled healthy calls 36 times.
  Race race(LegOf(1500ms), LegOf(1ms, FailoverReason::server_error));
  const auto hedged = race.run(500ms);
  CHECK(hedged.result.value() == "first");
  CHECK(race.time.elapsed() == 1500ms);
}

TEST_CASE("when both fail the failure holds both, in order") {
  Race race(LegOf(2s, FailoverReason::billing), LegOf(1ms, FailoverReason::overloaded));
  const auto hedged = race.run(500ms);
  REQUIRE(hedged.result.has_error());
  const auto failure = hedged.result.error();
  CHECK(failure.code() == FailoverReason::billing);  // the one that failed last
  REQUIRE(failure.attempts().size() == 2);
  CHECK(failure.attempts()[0].code() == FailoverReason::billing);
  CHECK(failure.attempts()[1].code() == FailoverReason::overloaded);
}

TEST_CASE("legs that settle at once") {
  VirtualTime time;
  asio::io_context context;
  const auto yes = []() -> awaitable<Result<int>> { co_return 1; };
  const auto no = []() -> awaitable<Result<int>> { co_return FailoverReason::unknown; };
  const auto both = [&]() -> awaitable<void> {
    auto hedged = co_await hedge(1s, yes, yes);
    CHECK(hedged.winner == 0);
    hedged = co_await hedge(1s, no, yes);
    CHECK(hedged.winner == 1);
    hedged = co_await hedge(0s, no, no);
    CHECK(hedged.result.has_error());
  };
  time.run(context, both());
  CHECK(time.elapsed() == 0s);
}

TEST_CASE("what a leg throws is rethrown after both have ended") {
  VirtualTime time;
  asio::io_context context;
  LegOf other(10s);
  const auto throws = []() -> awaitable<Result<std::string>> {
    co_await sleep_for(1s);
    throw std::logic_error("a bug");
  };
  const auto run = [&]() -> awaitable<void> {
    co_await hedge(500ms, throws, [&] { return other.run("other"); });
  };
  CHECK_THROWS_AS(time.run(context, run()), std::logic_error);
  CHECK(time.elapsed() == 1s);
  CHECK(other.ended_at);
  CHECK_FALSE(other.finished);
}

TEST_CASE("a cancelled caller cancels both legs") {
  VirtualTime time;
  asio::io_context context;
  LegOf first(1h);
  LegOf second(1h);
  asio::cancellation_signal signal;
  std::exception_ptr end;
  const auto run = [&]() -> awaitable<void> {
    co_await hedge(500ms, [&] { return first.run("first"); }, [&] { return second.run("second"); });
  };
  asio::co_spawn(
      context, run(),
      asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& e) { end = e; }));
  time.run_for(context, 2s);
  signal.emit(asio::cancellation_type::all);
  time.run(context);
  REQUIRE(end);
  CHECK(detail::is_abort(end));
  CHECK(time.elapsed() == 2s);
  CHECK(second.began_at);
  CHECK_FALSE(first.finished);
}

TEST_CASE("a hedge for completion tokens: a callback, and a cancellation by its slot") {
  VirtualTime time;
  asio::io_context context;
  LegOf slow(10s);
  LegOf quick(1s);
  std::exception_ptr error;
  std::optional<Hedged<std::string>> hedged;
  asio::cancellation_signal signal;
  const auto start = [&] {
    async_hedge(
        context.get_executor(), 2s, [&] { return slow.run("slow"); },
        [&] { return quick.run("quick"); },
        asio::bind_cancellation_slot(signal.slot(),
                                     [&](const std::exception_ptr& e, Hedged<std::string> h) {
                                       error = e;
                                       hedged = std::move(h);
                                     }));
  };
  SUBCASE("the second one wins") {
    start();
    time.run(context, sleep_for(5s));
    REQUIRE(hedged);
    CHECK_FALSE(error);
    CHECK(hedged->result.value() == "quick");
    CHECK(hedged->winner == 1);
    CHECK(slow.ended_at);
  }
  SUBCASE("cancelled: both have ended") {
    start();
    const auto cancel = [&]() -> awaitable<void> {
      co_await sleep_for(2500ms);
      signal.emit(asio::cancellation_type::all);
      co_await sleep_for(1s);
    };
    time.run(context, cancel());
    REQUIRE(hedged);
    CHECK(error);
    CHECK(hedged->result.has_error());
    CHECK_FALSE(quick.finished);
    CHECK(slow.ended_at);
    CHECK(quick.ended_at);
  }
}
