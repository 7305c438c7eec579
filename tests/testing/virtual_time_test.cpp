#include "understudy/testing/virtual_time.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "understudy/runtime/scope.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using testing::VirtualTime;

TEST_CASE("a year passes at once, and exactly") {
  VirtualTime time;
  asio::io_context context;
  for (int i = 0; i < 365; ++i) {
    time.run(context, sleep_for(24h));
  }
  CHECK(time.elapsed() == 365 * 24h);
  CHECK(time.jumps() == 365);
}

TEST_CASE("timers fire by expiry, equal ones in the order in which their waits began") {
  VirtualTime time;
  asio::io_context context;
  std::string order;
  const auto after = [&](Clock::duration delay, char name) {
    asio::co_spawn(
        context,
        [&order, delay, name]() -> asio::awaitable<void> {
          co_await sleep_for(delay);
          order += name;
        },
        [](const std::exception_ptr&) {});
  };
  after(3s, 'd');
  after(1s, 'a');
  after(2s, 'b');
  after(2s, 'c');
  after(0s, '0');
  time.run(context);
  CHECK(order == "0abcd");
  CHECK(time.elapsed() == 3s);
}

TEST_CASE("run_for runs what is due and stops at the time given") {
  VirtualTime time;
  asio::io_context context;
  bool early = false;
  bool late = false;
  Timer a(context.get_executor());
  Timer b(context.get_executor());
  a.expires_after(10s);
  a.async_wait([&](error_code) { early = true; });
  b.expires_after(10s + 1ns);
  b.async_wait([&](error_code) { late = true; });
  time.run_for(context, 10s);
  CHECK(early);
  CHECK(!late);
  CHECK(time.elapsed() == 10s);
}

TEST_CASE("run returns what the coroutine returns and throws what it throws") {
  VirtualTime time;
  asio::io_context context;
  const auto answer = []() -> asio::awaitable<int> {
    co_await sleep_for(1s);
    co_return 42;
  };
  CHECK(time.run(context, answer()) == 42);
  const auto failure = []() -> asio::awaitable<void> {
    co_await sleep_for(1s);
    throw std::runtime_error("no");
  };
  CHECK_THROWS_WITH(time.run(context, failure()), "no");
}

TEST_CASE("what can never wake is said, with the places in the source") {
  VirtualTime time;
  asio::io_context context;
  const auto line = std::to_string(__LINE__ + 2);
  const auto forever = [](Scope& scope) -> asio::awaitable<void> {
    scope.spawn([] { return sleep_for(Clock::duration::max()); });
    co_await scope.join();
  };
  std::string message;
  try {
    time.run(context, with_scope(forever));
  } catch (const testing::Stuck& stuck) {
    message = stuck.what();
  }
  CAPTURE(message);
  CHECK(message.find("never expire") != std::string::npos);
  CHECK(message.find("a child spawned at ") != std::string::npos);
  CHECK(message.find("virtual_time_test.cpp:" + line) != std::string::npos);
}

TEST_CASE("virtual time belongs to one thread") {
  VirtualTime time;
  CHECK(Clock::now() == Clock::time_point{});
  Clock::time_point elsewhere{};
  std::thread([&] { elsewhere = Clock::now(); }).join();
  CHECK(elsewhere != Clock::time_point{});
  CHECK_THROWS_AS(VirtualTime(), std::logic_error);
}
