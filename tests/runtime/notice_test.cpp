#include "understudy/runtime/notice.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

#include "world.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using runtime_test::World;

namespace {

void start(World& world, Notice& notice, Clock::time_point until, std::optional<bool>& changed) {
  auto wait = [&notice, until, &changed,
               seen = notice.version()]() -> boost::asio::awaitable<void> {
    changed = co_await notice.wait(seen, until);
  };
  boost::asio::co_spawn(world.context, std::move(wait), boost::asio::detached);
}

}  // namespace

TEST_CASE("a change before the wait ends it at once") {
  World world;
  Notice notice;
  const auto seen = notice.version();
  notice.notify();
  CHECK(notice.version() != seen);
  CHECK(world.run(notice.wait(seen, Clock::time_point::max())));
  CHECK(world.time.elapsed() == 0s);
}

TEST_CASE("without a change the wait ends at its time") {
  World world;
  Notice notice;
  CHECK_FALSE(world.run(notice.wait(notice.version(), Clock::now() + 3s)));
  CHECK(world.time.elapsed() == 3s);
}

TEST_CASE("a change wakes all waiters") {
  World world;
  Notice notice;
  std::optional<bool> first;
  std::optional<bool> second;
  start(world, notice, Clock::time_point::max(), first);
  start(world, notice, Clock::now() + 1h, second);
  auto change = [&]() -> boost::asio::awaitable<int> {
    co_await sleep_for(2s);
    notice.notify();
    co_await sleep_for(1ms);
    co_return 0;
  };
  world.run(change());
  CHECK(first == true);
  CHECK(second == true);
  CHECK(world.time.elapsed() == 2s + 1ms);
}

TEST_CASE("a change by another thread wakes a waiter on its own executor") {
  boost::asio::io_context context;
  Notice notice;
  std::optional<std::thread::id> woken;
  auto wait = [&, seen = notice.version()]() -> boost::asio::awaitable<void> {
    if (co_await notice.wait(seen, Clock::now() + 1min)) {
      woken = std::this_thread::get_id();
    }
  };
  boost::asio::co_spawn(context, std::move(wait), boost::asio::detached);
  std::thread other([&] { notice.notify(); });
  context.run();
  other.join();
  CHECK(woken == std::this_thread::get_id());
}
