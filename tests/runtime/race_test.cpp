#include "understudy/runtime/race.hpp"

#include <doctest/doctest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <string>

#include "understudy/testing/virtual_time.hpp"
#include "world.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using boost::system::system_error;
using runtime_test::World;

namespace {

template <class T>
awaitable<T> after(Clock::duration delay, T value) {
  co_await sleep_for(delay);
  co_return value;
}

awaitable<int> fail_after(Clock::duration delay, const char* what) {
  co_await sleep_for(delay);
  throw std::runtime_error(what);
}

/// Takes `stubborn` to end after it was cancelled, and then returns a value all the same.
awaitable<int> deaf(Clock::duration delay, Clock::duration stubborn, int value) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(delay);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  timer.expires_after(stubborn);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return value;
}

}  // namespace

TEST_CASE("race returns the index and the value of the first contender to settle") {
  World world;
  const auto result = world.run(race(after(3s, 1), after(2s, std::string("two")), sleep_for(4s)));
  REQUIRE(result.index() == 1);
  CHECK(std::get<1>(result) == "two");
  CHECK(world.time.elapsed() == 2s);

  const auto nothing = world.run(race(after(3s, 1), sleep_for(1s)));
  CHECK(nothing.index() == 1);  // void is std::monostate

  const auto same_types = world.run(race(after(2s, 1), after(1s, 2)));
  CHECK(same_types.index() == 1);
  CHECK(std::get<1>(same_types) == 2);

  const auto alone = world.run(race(after(1s, 5)));
  CHECK(std::get<0>(alone) == 5);
}

TEST_CASE("contenders may be callables, with or without the race's scope") {
  World world;
  const auto result =
      world.run(race([] { return after(2s, 1); },
                     [](Scope& scope) -> awaitable<std::unique_ptr<int>> {
                       co_await with_scope(scope, [](Scope&) { return sleep_for(1s); });
                       co_return std::make_unique<int>(7);
                     }));
  REQUIRE(result.index() == 1);
  CHECK(*std::get<1>(result) == 7);
}

TEST_CASE("Fact 3: the first to settle wins, also with an error, where Asio's || would wait") {
  {
    World world;
    CHECK_THROWS_WITH(world.run(race(fail_after(1s, "reset"), sleep_for(50s))), "reset");
    CHECK(world.time.elapsed() == 1s);
  }
  {
    using namespace asio::experimental::awaitable_operators;
    World world;
    const auto usual = []() -> awaitable<std::size_t> {
      const auto result = co_await (fail_after(1s, "reset") || sleep_for(50s));
      co_return result.index();
    };
    CHECK(world.run(usual()) == 1);  // the reset connection, reported as a late timeout
    CHECK(world.time.elapsed() == 50s);
  }
}

TEST_CASE("one that settles at once wins, and those after it never start") {
  World world;
  bool started = false;
  bool cancelled = false;
  const auto second = [&]() -> awaitable<int> {
    started = true;
    co_return 2;
  };
  SUBCASE("with a value") {
    const auto result = world.run(race([]() -> awaitable<int> { co_return 1; }, second));
    CHECK(result.index() == 0);
  }
  SUBCASE("with an error") {
    const auto failing = []() -> awaitable<int> {
      throw std::runtime_error("at once");
      co_return 1;
    };
    CHECK_THROWS_WITH(world.run(race(failing, second)), "at once");
  }
  SUBCASE("those before it are cancelled") {
    const auto first = [&]() -> awaitable<int> {
      try {
        co_await sleep_for(1h);
      } catch (const system_error&) {
        cancelled = true;
        throw;
      }
      co_return 0;
    };
    const auto result = world.run(race(first, []() -> awaitable<int> { co_return 1; }, second));
    CHECK(result.index() == 1);
    CHECK(cancelled);
  }
  CHECK(!started);
  CHECK(world.time.elapsed() == 0s);
}

TEST_CASE("settling counts, not the order in which completions are handed out") {
  // The second settles at once while the first, which suspends for one turn only, comes through sooner.
  World world;
  const auto one_turn = []() -> awaitable<int> {
    co_await asio::post(asio::use_awaitable);
    co_return 1;
  };
  const auto result = world.run(race(one_turn, []() -> awaitable<int> { co_return 2; }));
  CHECK(result.index() == 1);
}

TEST_CASE("losers are cancelled with `lost` and have ended when race completes") {
  World world;
  error_code cause;
  bool ended = false;
  const auto loser = [&](Scope& scope) -> awaitable<int> {
    const auto value = co_await deaf(1h, 3s, 1);
    cause = scope.cause().code;
    ended = true;
    co_return value;
  };
  const auto result = world.run(race(sleep_for(1s), loser));
  CHECK(result.index() == 0);
  CHECK(cause == StopReason::lost);
  CHECK(ended);
  CHECK(world.time.elapsed() == 4s);
}

TEST_CASE("a loser's late value goes to on_discard, or is destroyed") {
  World world;
  std::vector<int> discarded;
  const auto collect = on_discard([&](auto&& value) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, int>) {
      discarded.push_back(value);
    }
  });
  SUBCASE("a loser's") {
    const auto result =
        world.run(race(collect, deaf(1h, 1s, 1), after(1s, std::string("won")), deaf(1h, 1s, 3)));
    CHECK(result.index() == 1);
    CHECK(discarded == std::vector{1, 3});
  }
  SUBCASE("the winner's too, when a loser fails") {
    const auto fails_late = [](Clock::duration delay) -> awaitable<int> {
      co_await deaf(delay, 0s, 0);
      throw std::runtime_error("late");
    };
    CHECK_THROWS_WITH(world.run(race(collect, after(1s, 1), fails_late(1h))), "late");
    CHECK(discarded == std::vector{1});
  }
  SUBCASE("destroyed") {
    const auto token = std::make_shared<int>(1);
    const auto late = [&]() -> awaitable<std::shared_ptr<int>> {
      co_await deaf(1h, 1s, 0);
      co_return token;
    };
    world.run(race(sleep_for(1s), late));
    CHECK(token.use_count() == 1);
  }
}

TEST_CASE("a loser's own exception is rethrown, its unwinding is not; the winner's comes first") {
  World world;
  const auto fails_late = [](Clock::duration delay) -> awaitable<int> {
    co_await deaf(delay, 0s, 0);
    throw std::runtime_error("late");
  };
  CHECK_THROWS_WITH(world.run(race(sleep_for(1s), fails_late(1h))), "late");
  CHECK_THROWS_WITH(world.run(race(fail_after(1s, "first"), fails_late(1h))), "first");
  CHECK(world.run(race(sleep_for(1s), sleep_for(1h))).index() == 0);
}

TEST_CASE("a caller's cancel cancels all contenders and is passed on") {
  World world;
  asio::cancellation_signal signal;
  error_code code;
  int discarded = 0;
  const auto count = on_discard([&](auto&&) { ++discarded; });
  const auto contest = [&]() -> awaitable<void> {
    co_await race(count, deaf(1h, 1s, 1), sleep_for(1h), deaf(1h, 2s, 2));
  };
  asio::co_spawn(world.context, contest(),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) {
                   try {
                     std::rethrow_exception(error);
                   } catch (const system_error& thrown) {
                     code = thrown.code();
                   }
                 }));
  world.time.run_for(world.context, 1s);
  signal.emit(asio::cancellation_type::all);
  world.time.run(world.context);
  CHECK(code == asio::error::operation_aborted);
  CHECK(discarded == 2);
  CHECK(world.time.elapsed() == 3s);
}

TEST_CASE("a race inside a scope reports that scope's cause") {
  World world;
  error_code cause;
  const auto body = [&](Scope& scope) -> awaitable<void> {
    scope.deadline(2s);
    const auto contender = [&](Scope& own) -> awaitable<int> {
      const auto value = co_await deaf(1h, 0s, 1);
      cause = own.cause().code;
      co_return value;
    };
    co_await race(scope, contender, sleep_for(1h));
  };
  CHECK_THROWS_AS(world.run(with_scope(body)), system_error);
  CHECK(cause == StopReason::deadline);
}

TEST_CASE("races in a loop do not eat the stack") {
  World world;
  const auto many = []() -> awaitable<std::size_t> {
    std::size_t sum = 0;
    for (int i = 0; i < 50'000; ++i) {
      const auto result = co_await race([]() -> awaitable<void> { co_return; }, sleep_for(1h));
      sum += result.index();
    }
    co_return sum;
  };
  CHECK(world.run(many()) == 0);
}

TEST_CASE("children of a contender's scope are waited for") {
  World world;
  bool ended = false;
  const auto spawner = [&](Scope& scope) -> awaitable<int> {
    scope.spawn_shielded(1h, [&]() -> awaitable<void> {
      co_await sleep_for(5s);
      ended = true;
    });
    co_return 1;
  };
  const auto result = world.run(race(spawner, sleep_for(1h)));
  CHECK(result.index() == 0);
  CHECK(ended);
  CHECK(world.time.elapsed() == 5s);
}
