// The runtime against the usual ways of plain Asio: the first three rows of design section 9.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "../coroutines.hpp"
#include "../harness.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/runtime/stall_timer.hpp"

namespace {

using namespace std::chrono_literals;
using namespace understudy;
using namespace asio::experimental::awaitable_operators;
using asio::awaitable;
using asio::use_awaitable;
using bench::drive;
using bench::way;

StallLimits limits() {
  return stall_limits(StallSettings(), StallFacts(),
                      StallCodes(asio::error::connection_reset, asio::error::timed_out));
}

// A read that suspends, and completes from the queue: what a socket does when data is there.
awaitable<int> call() {
  co_await asio::post(asio::deferred);
  co_return 1;
}

// A leaf as the library writes them: its abort is a value.
awaitable<void> never(asio::steady_timer& timer) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await timer.async_wait(asio::as_tuple(asio::deferred));
}

bool guarding_a_token() {
  const std::string bare = "the read alone";
  const std::string by_or = "read || timer";
  const std::string by_group = "parallel_group(read, timer)";
  const std::string by_rearm = "read, re-arming one steady_timer";
  const std::string ours = "read under StallTimer, one event a read";
  std::vector<bench::Way> ways;
  using Executor = const asio::any_io_executor&;
  ways.push_back(
      way(bare, [](Executor) -> awaitable<void> { co_await asio::post(asio::deferred); }));
  ways.push_back(way(by_or, [](Executor executor) -> awaitable<void> {
    asio::steady_timer timer(executor, 180s);
    co_await (asio::post(use_awaitable) || timer.async_wait(use_awaitable));
  }));
  ways.push_back(way(by_group, [](Executor executor) -> awaitable<void> {
    asio::steady_timer timer(executor, 180s);
    auto group = asio::experimental::make_parallel_group(asio::post(executor, asio::deferred),
                                                         timer.async_wait(asio::deferred));
    co_await group.async_wait(asio::experimental::wait_for_one(), use_awaitable);
  }));
  ways.push_back({by_rearm,
                  [](std::uint64_t n) {
                    const auto loop = [](std::uint64_t times) -> awaitable<void> {
                      asio::steady_timer timer(co_await asio::this_coro::executor);
                      for (std::uint64_t i = 0; i < times; ++i) {
                        timer.expires_after(180s);
                        timer.async_wait([](error_code) {});
                        co_await asio::post(asio::deferred);
                      }
                    };
                    drive(loop(n));
                  },
                  20'000,
                  {}});
  ways.push_back({ours,
                  [](std::uint64_t n) {
                    const auto loop = [](std::uint64_t times) -> awaitable<void> {
                      StallTimer stall(co_await asio::this_coro::executor, limits(), StallHooks());
                      stall.enter(Phase::first_progress);
                      for (std::uint64_t i = 0; i < times; ++i) {
                        stall.waiting();
                        co_await asio::post(asio::deferred);
                        stall.heard(100);
                        stall.progressed();
                        stall.paused();
                      }
                    };
                    drive(loop(n));
                  },
                  20'000,
                  {}});
  // Tight loops: what is added is too little to be seen beside a trip through the event loop.
  const auto tight = [](std::uint64_t reads, std::uint64_t events_a_read) {
    asio::io_context context(1);
    StallTimer stall(context.get_executor(), limits(), StallHooks());
    stall.enter(Phase::first_progress);
    for (std::uint64_t i = 0; i < reads; ++i) {
      stall.waiting();
      stall.heard(100);
      for (std::uint64_t event = 0; event < events_a_read; ++event) {
        stall.progressed();
        asm volatile("" ::: "memory");  // each event's store is made, as between two parsed events
      }
      stall.paused();
      asm volatile("" ::: "memory");
    }
  };
  const std::string one = "StallTimer's calls alone, one event a read";
  const std::string many = "StallTimer's calls alone, 1,001 events a read";
  const std::string now = "steady_clock::now() alone, for comparison";
  ways.push_back({one, [=](std::uint64_t n) { tight(n, 1); }, 1'000'000, {}});
  ways.push_back({many, [=](std::uint64_t n) { tight(n, 1'001); }, 2'000, {}});
  ways.push_back({now,
                  [](std::uint64_t n) {
                    for (std::uint64_t i = 0; i < n; ++i) {
                      [[maybe_unused]] const volatile auto t =
                          std::chrono::steady_clock::now().time_since_epoch().count();
                    }
                  },
                  1'000'000,
                  {}});
  bench::measure(ways);
  bench::print("Guarding one token against a stall (a read that brings one event)", ways);
  const auto ns = [&](const std::string& name) { return bench::figures(ways, name).nanoseconds; };
  const auto allocs = [&](const std::string& name) {
    return bench::figures(ways, name).allocations;
  };
  std::printf(
      "  added by ||: %.0f ns; by parallel_group: %.0f; by re-arming: %.0f; by StallTimer: %.0f\n",
      ns(by_or) - ns(bare), ns(by_group) - ns(bare), ns(by_rearm) - ns(bare), ns(ours) - ns(bare));
  bool all = bench::reach("a socket read", ns(one), 50, "ns");
  all &= bench::reach("each further event of it", (ns(many) - ns(one)) / 1'000, 3, "ns");
  all &= bench::reach("allocations added", allocs(ours) - allocs(bare), 0.01, "");
  return all;
}

bool an_attempt() {
  // The loops stand in the coroutine itself, as a chain's do: what is counted is the attempt's alone.
  const std::string usual = "call || timer";
  const std::string plain = "co_spawn(call), unguarded";
  const std::string ours = "with_scope and StallTimer around the call";
  const auto loop = [](std::string name, awaitable<void> (*f)(std::uint64_t)) {
    return bench::Way{std::move(name), [f](std::uint64_t n) { drive(f(n)); }, 20'000, {}};
  };
  std::vector<bench::Way> ways;
  ways.push_back(loop(usual, [](std::uint64_t times) -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    for (std::uint64_t i = 0; i < times; ++i) {
      asio::steady_timer timer(executor, 180s);
      co_await (call() || timer.async_wait(use_awaitable));
    }
  }));
  ways.push_back(loop(plain, [](std::uint64_t times) -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    for (std::uint64_t i = 0; i < times; ++i) {
      co_await asio::co_spawn(executor, call(), use_awaitable);
    }
  }));
  ways.push_back(loop(ours, [](std::uint64_t times) -> awaitable<void> {
    const auto stall_limits = limits();
    for (std::uint64_t i = 0; i < times; ++i) {
      std::optional<StallTimer> stall;
      co_await with_scope([&](Scope& scope) {
        stall.emplace(scope, stall_limits);
        stall->enter(Phase::first_progress);
        stall->waiting();
        return call();
      });
    }
  }));
  bench::measure(ways);
  bench::print("An attempt under its stall timer", ways);
  const auto& by_or = bench::figures(ways, usual);
  const auto& mine = bench::figures(ways, ours);
  bool all = bench::reach("of `call || timer`", mine.nanoseconds / by_or.nanoseconds, 0.4, "x");
  all &= bench::reach("allocations beyond co_spawn's",
                      mine.allocations - bench::figures(ways, plain).allocations, 0.01, "");
  return all;
}

bool races() {
  using Executor = const asio::any_io_executor&;
  const std::string or_both = "call || call";
  const std::string race_both = "race(call, call)";
  const std::string two = "two bare co_spawns, both waited for";
  const std::string or_loser = "call || a timer that waits";
  const std::string race_thrower = "race(call, a timer that waits)";
  const std::string race_loser = "race(call, a timer that waits, its abort a value)";
  std::vector<bench::Way> ways;
  ways.push_back(way(or_both, [](Executor) -> awaitable<void> { co_await (call() || call()); }));
  ways.push_back(
      way(race_both, [](Executor) -> awaitable<void> { co_await race(call(), call()); }));
  ways.push_back(way(two, [](Executor executor) -> awaitable<void> {
    int left = 2;
    auto wait = [&](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      const auto done = [&left, shared](const std::exception_ptr&, int) {
        if (--left == 0) {
          std::move (*shared)();
        }
      };
      asio::co_spawn(executor, call(), done);
      asio::co_spawn(executor, call(), done);
    };
    auto operation = asio::async_initiate<const asio::deferred_t, void()>(wait, asio::deferred);
    co_await std::move(operation);
  }));
  ways.push_back(way(or_loser, [](Executor executor) -> awaitable<void> {
    asio::steady_timer timer(executor, 180s);
    co_await (call() || timer.async_wait(use_awaitable));
  }));
  ways.push_back(way(race_thrower, [](Executor executor) -> awaitable<void> {
    asio::steady_timer timer(executor, 180s);
    co_await race(call(), timer.async_wait(use_awaitable));
  }));
  ways.push_back(way(race_loser, [](Executor executor) -> awaitable<void> {
    asio::steady_timer timer(executor, 180s);
    co_await race(call(), never(timer));
  }));
  bench::measure(ways);
  bench::print("race of two", ways);
  const auto ns = [&](const std::string& name) { return bench::figures(ways, name).nanoseconds; };
  bool all = bench::reach("both settle, of `||`", ns(race_both) / ns(or_both), 1.1, "x");
  all &= bench::reach("a waiting loser is cancelled, of `||`", ns(race_loser) / ns(or_loser), 0.4,
                      "x");
  std::printf("  (where the loser throws its abort: %.2f x; one exception costs about 2 us)\n",
              ns(race_thrower) / ns(or_loser));
  return all;
}

}  // namespace

int main() {
  bool all = guarding_a_token();
  all &= an_attempt();
  all &= races();
  std::printf("\n%s\n", all ? "every number was reached" : "some numbers were missed, see above");
}
