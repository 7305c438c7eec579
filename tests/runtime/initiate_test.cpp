#include "understudy/runtime/initiate.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {

awaitable<std::string> word(std::string text, Clock::duration after = 0s) {
  if (after > 0s) {
    co_await sleep_for(after);
  }
  co_return text;
}

awaitable<std::string> broken() {
  throw std::runtime_error("broken");
  co_return "";
}

/// What a callback got.
struct Got {
  std::string text = "nothing";
  std::exception_ptr error;
  int calls = 0;

  auto callback() {
    return [this](const std::exception_ptr& e, std::string t) {
      error = e;
      text = std::move(t);
      ++calls;
    };
  }
  bool aborted() const {
    try {
      error ? std::rethrow_exception(error) : void();
    } catch (const boost::system::system_error& thrown) {
      return thrown.code() == asio::error::operation_aborted;
    }
    return false;
  }
};

/// An io_context in virtual time.
struct InitiateWorld {
  template <class Factory, class Token>
  auto start(Factory factory, Token&& token) {
    return initiate(context.get_executor(), std::move(factory), std::forward<Token>(token));
  }
  void run() {
    context.restart();
    time.run(context);
  }

  testing::VirtualTime time;
  asio::io_context context;
};

/// An io_context with a thread.
class Home {
 public:
  ~Home() {
    work_.reset();
    thread_.join();
  }
  asio::any_io_executor executor() { return context_.get_executor(); }
  std::thread::id id() const { return thread_.get_id(); }

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_{[this] { context_.run(); }};
};

}  // namespace

TEST_CASE("a callback gets the result once, and never from within the initiating function") {
  InitiateWorld world;
  Got got;
  auto started_inline = [&] {
    world.start([] { return word("yes"); }, got.callback());
    CHECK(got.calls == 0);
  };
  asio::post(world.context, started_inline);  // also where the executor could run it at once
  world.run();
  CHECK(got.calls == 1);
  CHECK(got.text == "yes");
  CHECK_FALSE(got.error);
}

TEST_CASE("an exception arrives with an empty result") {
  InitiateWorld world;
  Got got;
  world.start([] { return broken(); }, got.callback());
  world.run();
  CHECK(got.text.empty());
  CHECK_THROWS_WITH(std::rethrow_exception(got.error), "broken");
}

TEST_CASE("an operation without a result") {
  InitiateWorld world;
  int ended = 0;
  auto nothing = []() -> awaitable<void> { co_await sleep_for(1s); };
  world.start(nothing, [&](const std::exception_ptr& error) {
    CHECK_FALSE(error);
    ++ended;
  });
  world.run();
  CHECK(ended == 1);
}

TEST_CASE("use_awaitable, deferred and as_tuple") {
  InitiateWorld world;
  std::string all;
  auto use = [&]() -> awaitable<int> {
    auto make = [] { return word("a", 1s); };
    all += co_await world.start(make, asio::use_awaitable);
    auto later = world.start(make, asio::deferred);
    all += co_await std::move(later)(asio::use_awaitable);
    auto [error, text] = co_await world.start(make, asio::as_tuple(asio::use_awaitable));
    CHECK_FALSE(error);
    all += text;
    co_return 0;
  };
  world.time.run(world.context, use());
  CHECK(all == "aaa");
}

TEST_CASE("a deferred operation does nothing until it is started") {
  InitiateWorld world;
  bool ran = false;
  {
    auto never = world.start(
        [&] {
          ran = true;
          return word("");
        },
        asio::deferred);
  }
  world.run();
  CHECK_FALSE(ran);
}

TEST_CASE("use_future from a thread that is not the executor's") {
  Home home;
  auto where = []() -> awaitable<std::thread::id> { co_return std::this_thread::get_id(); };
  auto future = initiate(home.executor(), where, asio::use_future);
  CHECK(future.get() == home.id());
  auto failing = initiate(home.executor(), [] { return broken(); }, asio::use_future);
  CHECK_THROWS_WITH(failing.get(), "broken");
}

TEST_CASE("the coroutine runs on the operation's executor, the handler on its own") {
  Home home;
  asio::thread_pool pool(2);
  const auto strand = asio::make_strand(pool);
  std::promise<bool> on_strand;
  std::thread::id ran_on;
  auto where = [&]() -> awaitable<int> {
    ran_on = std::this_thread::get_id();
    co_return 7;
  };
  initiate(home.executor(), where,
           asio::bind_executor(strand, [&](const std::exception_ptr&, int result) {
             on_strand.set_value(strand.running_in_this_thread() && result == 7);
           }));
  CHECK(on_strand.get_future().get());
  CHECK(ran_on == home.id());
}

TEST_CASE("cancelled before it has begun, in the middle, and too late") {
  for (const auto when : {0s, 1s, 5s}) {
    CAPTURE(when.count());
    InitiateWorld world;
    Got got;
    asio::cancellation_signal stop;
    world.start([] { return word("done", 3s); },
                asio::bind_cancellation_slot(stop.slot(), got.callback()));
    if (when == 0s) {
      stop.emit(asio::cancellation_type::terminal);
    } else {
      auto emit = [&]() -> awaitable<int> {
        co_await sleep_for(when);
        stop.emit(asio::cancellation_type::terminal);
        co_return 0;
      };
      world.time.run(world.context, emit());
    }
    world.run();
    CHECK(got.calls == 1);
    CHECK(got.aborted() == (when < 3s));
    CHECK(got.text == (when < 3s ? "" : "done"));
  }
}

TEST_CASE("a coroutine that ignores the cancellation completes with its result") {
  InitiateWorld world;
  Got got;
  asio::cancellation_signal stop;
  auto stubborn = []() -> awaitable<std::string> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_return "anyway";
  };
  world.start(stubborn, asio::bind_cancellation_slot(stop.slot(), got.callback()));
  stop.emit(asio::cancellation_type::terminal);
  world.run();
  CHECK(got.calls == 1);
  CHECK(got.text == "anyway");
}

TEST_CASE("parallel_group: the first one ends the others") {
  InitiateWorld world;
  std::string first;
  std::string second;
  auto quick = [] { return word("quick", 1s); };
  auto slow = [] { return word("slow", 1h); };
  asio::experimental::make_parallel_group(world.start(quick, asio::deferred),
                                          world.start(slow, asio::deferred))
      .async_wait(asio::experimental::wait_for_one(),
                  [&](const auto&, const std::exception_ptr&, std::string a,
                      const std::exception_ptr& error, std::string b) {
                    first = std::move(a);
                    second = error ? "cancelled" : std::move(b);
                  });
  world.run();
  CHECK(first == "quick");
  CHECK(second == "cancelled");
  CHECK(world.time.elapsed() < 1min);
}

TEST_CASE("a context that is destroyed takes operations and handlers with it") {
  const auto alive = std::make_shared<int>(1);
  {
    InitiateWorld world;
    world.start([alive] { return word("never", 1h); },
                [alive](const std::exception_ptr&, const std::string&) { FAIL("called"); });
    world.context.poll();
    CHECK(alive.use_count() > 1);
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("many threads start operations on one executor") {
  constexpr int each = 200;
  Home home;
  int on_home = 0;  // accessed there alone
  std::atomic<int> ended = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        auto count = [&]() -> awaitable<int> { co_return ++on_home; };
        ended += initiate(home.executor(), count, asio::use_future).get() > 0 ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(ended == 4 * each);
  CHECK(on_home == 4 * each);
}

TEST_CASE("cancelled from another thread than the coroutine's") {
  Home home;
  for (int i = 0; i < 50; ++i) {
    asio::io_context here;
    asio::cancellation_signal stop;
    bool called = false;
    initiate(
        home.executor(), [] { return word("late", 1min); },
        asio::bind_executor(
            here, asio::bind_cancellation_slot(
                      stop.slot(), [&](const std::exception_ptr& error, const std::string&) {
                        called = error != nullptr;
                      })));
    asio::post(here, [&] { stop.emit(asio::cancellation_type::terminal); });
    here.run();
    CHECK(called);
  }
}
