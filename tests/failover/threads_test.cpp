// Four threads, each with its io_context and its calls, one State and one credential pool for all.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "understudy/failover/failover.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {

constexpr int threads = 4;
constexpr int calls = 1000;

/// Runs `call(n)` for n in [0, calls), spread over the threads, and waits for all.
template <class F>
void on_all_threads(F call) {
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([t, &call] {
      asio::io_context context(1);
      for (int n = t; n < calls; n += threads) {
        asio::co_spawn(context, call(n), [](const std::exception_ptr& error) {
          if (error) {
            std::terminate();  // thrown across threads it would only confuse
          }
        });
      }
      context.run();
    });
  }
  for (auto& worker : workers) {
    worker.join();
  }
}

}  // namespace

TEST_CASE("threads: a cooldown that is over is probed exactly once") {
  State state;
  const auto policy = Policy().with_probe_grace(1h);  // no hedge, however slow the machine is
  const Chain chain{Member("a", "m"), Member("b", "m")};
  HealthKeys sick;
  sick[Concern::member] = "member " + chain[0].key();
  Health::Probe none;
  const auto long_ago =
      Clock::now() - 20s;  // beyond a cooldown; not before a fresh machine's start
  state.health().failed(sick, FailoverReason::overloaded, std::nullopt, CallId{}, long_ago,
                        long_ago, none);

  std::atomic<int> probes{0};
  std::atomic<int> probing{0};
  std::atomic<int> answered{0};
  const auto ask = [&](Attempt& attempt) -> awaitable<Result<int>> {
    co_await asio::post(asio::deferred);
    if (attempt.member().provider() == "a") {
      // Until all the others have ended, so that a second probe has its chance.
      ++probing;
      while (answered + probing < calls) {
        co_await sleep_for(1ms);
      }
    }
    co_return 1;
  };
  on_all_threads([&](int) -> awaitable<void> {
    const auto outcome = co_await failover(chain, policy, state, ask);
    answered += outcome.result ? 1 : 0;
    for (const auto& attempt : outcome.report.attempts) {
      probes += attempt.kind == AttemptKind::probe ? 1 : 0;
    }
  });
  CHECK(answered == calls);
  CHECK(probes == 1);
  CHECK(state.health().all_well());
}

TEST_CASE("threads: an expired token is refreshed exactly once") {
  State state;
  const Policy policy;
  std::atomic<int> refreshes{0};
  std::atomic<int> answered{0};
  const auto refresh = [&](const Secret&) -> awaitable<Result<Tokens>> {
    ++refreshes;
    co_await sleep_for(50ms);
    co_return Tokens(Secret("new"));
  };
  const auto pool = std::make_shared<CredentialPool>(
      "a", std::vector{Credential("login", Secret("old"))
                           .with_refresher(Refresher(Secret("once"), refresh, [](const Tokens&) {
                             return Result<void>();
                           }))});
  const Chain chain{Member("a", "m").with_credentials(pool)};
  const auto ask = [&](Attempt& attempt) -> awaitable<Result<int>> {
    co_await sleep_for(1ms);
    if (attempt.credential()->secret.reveal() != "new") {
      co_return FailoverReason::auth;
    }
    co_return 1;
  };

  asio::io_context root_context(1);
  std::promise<Remote> entered;
  const auto root = [&]() -> awaitable<void> {
    co_await with_scope([&](Scope& scope) -> awaitable<void> {
      pool->attach(scope);
      entered.set_value(scope.remote());
      co_await sleep_for(1h);
    });
  };
  asio::co_spawn(root_context, root(), [](const std::exception_ptr&) {});
  std::thread root_thread([&] { root_context.run(); });
  auto remote = entered.get_future().get();
  on_all_threads([&](int) -> awaitable<void> {
    const auto outcome = co_await failover(chain, policy, state, ask);
    answered += outcome.result ? 1 : 0;
  });
  remote.cancel(StopReason::shutdown);
  root_thread.join();
  CHECK(refreshes == 1);
  CHECK(answered == calls);
  CHECK(state.health().all_well());
}

TEST_CASE("threads: all in cooldown, one looks and wakes the waiting calls of every thread") {
  State state;
  const auto policy = Policy().with_patience(1h);
  const Chain chain{Member("a", "m")};
  HealthKeys sick;
  sick[Concern::member] = "member " + chain[0].key();
  Health::Probe none;
  const auto now = Clock::now();
  state.health().failed(sick, FailoverReason::overloaded, std::nullopt, CallId{}, now, now, none);
  std::atomic<int> probes{0};
  std::atomic<int> answered{0};
  const auto ask = [&](Attempt&) -> awaitable<Result<int>> {
    co_await sleep_for(50ms);
    co_return 1;
  };
  on_all_threads([&](int) -> awaitable<void> {
    const auto outcome = co_await failover(chain, policy, state, ask);
    answered += outcome.result ? 1 : 0;
    probes += outcome.report.attempts.at(0).kind == AttemptKind::probe ? 1 : 0;
  });
  CHECK(answered == calls);
  CHECK(probes == 1);
}
