#include "understudy/failover/call_slots.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <deque>
#include <exception>
#include <future>
#include <string>
#include <vector>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {

/// Calls that use one of two credentials for a while, and the order in which they did.
class SlotsWorld {
 public:
  /// A call that comes after `comes`, waits for at most `patience`, and uses the credential for `uses`.
  void call(const std::string& name, Clock::duration comes, Clock::duration uses,
            Clock::duration patience = 1h, std::size_t credential = 0) {
    asio::co_spawn(context, run(name, comes, uses, patience, credential),
                   asio::bind_cancellation_slot(stops.emplace_back().slot(),
                                                [](const std::exception_ptr&) {}));
  }
  void pass(Clock::duration duration) {
    auto sleep = [&]() -> awaitable<int> {
      co_await sleep_for(duration);
      co_return 0;
    };
    time.run(context, sleep());
  }

  std::deque<asio::cancellation_signal>
      stops;  // of each call; they outlive the context's coroutines
  testing::VirtualTime time;
  asio::io_context context;
  std::shared_ptr<CallSlots> slots = std::make_shared<CallSlots>(2);
  std::vector<std::string> log;

 private:
  awaitable<void> run(std::string name, Clock::duration comes, Clock::duration uses,
                      Clock::duration patience, std::size_t credential) {
    co_await sleep_for(comes);
    const auto slot = co_await slots->wait(credential, Clock::now() + patience);
    log.push_back(name + (slot ? " began" : " left"));
    if (slot) {
      co_await sleep_for(uses);
      log.push_back(name + " ended");
    }
  }
};

using Log = std::vector<std::string>;

}  // namespace

TEST_CASE("without a limit nothing waits and nothing is counted") {
  SlotsWorld world;
  CHECK_FALSE(world.slots->limited());
  CHECK_FALSE(world.slots->full(0));
  CHECK(world.slots->load(0).in_use == 0);
}

TEST_CASE("a call waits while the credential is in use, and they get it in their order") {
  SlotsWorld world;
  world.slots->limit(CallLimit(1));
  world.call("a", 0s, 10s);
  world.call("b", 1s, 10s);
  world.call("c", 2s, 10s);
  world.call("other", 2s, 1s, 1h, 1);
  world.pass(5s);
  CHECK(world.log == Log{"a began", "other began", "other ended"});
  CHECK(world.slots->full(0));
  CHECK_FALSE(world.slots->full(1));
  CHECK(world.slots->load(0).in_use == 1);
  CHECK(world.slots->load(0).queued == 2);
  world.pass(60s);
  CHECK(world.log == Log{"a began", "other began", "other ended", "a ended", "b began", "b ended",
                         "c began", "c ended"});
  CHECK(world.slots->load(0).in_use == 0);
}

TEST_CASE("one that waits too long leaves, and is not given the slot later") {
  SlotsWorld world;
  world.slots->limit(CallLimit(1));
  world.call("a", 0s, 10s);
  world.call("b", 1s, 10s, 2s);
  world.call("c", 2s, 1s);
  world.pass(60s);
  CHECK(world.log == Log{"a began", "b left", "a ended", "c began", "c ended"});
  CHECK(world.slots->load(0).in_use == 0);
  CHECK(world.slots->load(0).queued == 0);
}

TEST_CASE("a full queue: the call leaves at once") {
  SlotsWorld world;
  world.slots->limit(CallLimit(1).with_queued(1));
  world.call("a", 0s, 10s);
  world.call("b", 1s, 1s);
  world.call("c", 2s, 1s);
  world.pass(3s);
  CHECK(world.log == Log{"a began", "c left"});
  world.pass(60s);
  CHECK(world.log == Log{"a began", "c left", "a ended", "b began", "b ended"});
}

TEST_CASE("a call that is cancelled while it waits gives up its place") {
  SlotsWorld world;
  world.slots->limit(CallLimit(1));
  world.call("a", 0s, 10s);
  world.pass(1s);
  world.call("b", 0s, 10s);
  world.pass(1s);
  CHECK(world.slots->load(0).queued == 1);
  world.stops.back().emit(asio::cancellation_type::terminal);
  world.pass(1s);
  CHECK(world.slots->load(0).queued == 0);
  world.pass(60s);
  CHECK(world.log.back() == "a ended");
  CHECK(world.slots->load(0).in_use == 0);
}

TEST_CASE("a larger limit, or none, lets waiting calls in") {
  SlotsWorld world;
  world.slots->limit(CallLimit(1));
  for (const char* name : {"a", "b", "c", "d"}) {
    world.call(name, 0s, 10s);
  }
  world.pass(1s);
  CHECK(world.log == Log{"a began"});
  world.slots->limit(CallLimit(2));
  world.pass(1s);
  CHECK(world.log == Log{"a began", "b began"});
  world.slots->limit(std::nullopt);
  world.pass(1s);
  CHECK(world.log == Log{"a began", "b began", "c began", "d began"});
  world.pass(60s);
  CHECK(world.slots->load(0).in_use == 0);
}

TEST_CASE("many threads: never more than the limit, and every call gets its turn") {
  constexpr std::size_t most = 3;
  constexpr int calls = 400;
  const auto slots = std::make_shared<CallSlots>(1);
  slots->limit(CallLimit(most).with_queued(calls));
  std::atomic<std::size_t> now = 0;
  std::atomic<std::size_t> highest = 0;
  std::atomic<int> served = 0;
  asio::thread_pool threads(4);
  auto call = [&]() -> awaitable<void> {
    const auto slot = co_await slots->wait(0, Clock::time_point::max());
    if (slot) {
      const std::size_t with_this = ++now;
      highest = std::max(highest.load(), with_this);
      co_await asio::post(asio::deferred);
      --now;
      ++served;
    }
  };
  std::vector<std::future<void>> all;
  for (int i = 0; i < calls; ++i) {
    all.push_back(asio::co_spawn(asio::make_strand(threads), call, asio::use_future));
  }
  for (auto& one : all) {
    one.get();
  }
  CHECK(served == calls);
  CHECK(highest <= most);
  CHECK(slots->load(0).in_use == 0);
}
