// failover() against one guarded attempt and against retries by hand: design section 9's rows for it.
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <string>

#include "../coroutines.hpp"
#include "../harness.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/stall_scaling.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/simulation.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using bench::way;
using testing::Behaviour;
using testing::ScriptedProvider;
using testing::VirtualTime;

StallLimits limits() {
  return stall_limits(StallSettings(), StallFacts(),
                      StallCodes(FailoverReason::connection, FailoverReason::timeout));
}

// The call itself: one trip through the event loop, and an answer.
awaitable<Result<int>> call() {
  co_await asio::post(asio::deferred);
  co_return 1;
}

awaitable<Result<int>> guarded() {
  auto body = [&](Scope& scope) -> awaitable<Result<int>> {
    StallTimer stall(scope, limits());
    stall.enter(Phase::first_progress);
    stall.waiting();
    co_return co_await call();
  };
  co_return co_await with_scope(std::move(body));
}

awaitable<Result<int>> in_attempt(Attempt& attempt) {
  attempt.enter(Phase::first_progress);
  attempt.waiting();
  co_return co_await call();
}

bool around_a_success() {
  static State state;
  static const Policy policy;
  static const Chain chain{Member("anthropic", "claude-opus-4-7"), Member("openai", "gpt-5.5")};
  static const Chain with_key{Member("anthropic", "claude-opus-4-7")
                                  .with_credentials(std::make_shared<CredentialPool>(
                                      "anthropic", std::vector{Credential("a", Secret("key"))}))};
  const std::string bare = "one guarded attempt (with_scope, StallTimer, the call)";
  const std::string ours = "failover() around the same call";
  const std::string keyed = "failover(), with a credential pool";
  using Executor = const asio::any_io_executor&;
  std::vector<bench::Way> ways;
  ways.push_back(way(bare, [](Executor) -> awaitable<void> { co_await guarded(); }));
  ways.push_back(way(ours, [](Executor) -> awaitable<void> {
    co_await failover(chain, policy, state, in_attempt);
  }));
  ways.push_back(way(keyed, [](Executor) -> awaitable<void> {
    co_await failover(with_key, policy, state, in_attempt);
  }));
  bench::measure(ways);
  bench::print("a call that succeeds", ways);
  return bench::reach(
      "failover() on top of a guarded attempt",
      bench::figures(ways, ours).nanoseconds - bench::figures(ways, bare).nanoseconds, 300, "ns");
}

void deciding() {
  const Policy policy;
  std::vector<bench::Way> ways;
  ways.push_back({"decide(), over all reasons in turn",
                  [&](std::uint64_t n) {
                    for (std::uint64_t i = 0; i < n; ++i) {
                      Situation situation(all_reasons()[i % reason_count].reason);
                      situation.member_left = i % 2 == 0;
                      const auto decision = decide(policy, situation);
                      asm volatile("" : : "r"(&decision) : "memory");
                    }
                  },
                  1'000'000,
                  {}});
  Health health;
  const std::string keys[] = {"member a", "endpoint b", "credential c", "credential c\nd"};
  const auto look = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto outlook = health.look(keys, CallId{1}, Clock::time_point(1s));
      asm volatile("" : : "r"(&outlook) : "memory");
    }
  };
  ways.push_back({"Health::look, everybody well", look, 1'000'000, {}});
  Health sick;
  HealthKeys used;
  used[Concern::member] = "member a";
  Health::Probe none;
  sick.failed(used, FailoverReason::timeout, std::nullopt, CallId{2}, {}, {}, none);
  ways.push_back({"Health::look, one of four keys marked",
                  [&](std::uint64_t n) {
                    for (std::uint64_t i = 0; i < n; ++i) {
                      const auto outlook = sick.look(keys, CallId{1}, Clock::time_point(1s));
                      asm volatile("" : : "r"(&outlook) : "memory");
                    }
                  },
                  1'000'000,
                  {}});
  bench::measure(ways);
  bench::print("a decision", ways);
}

/// 1,000 callers at once, every attempt fails with 503.
bool total_outage() {
  constexpr int calls = 1'000;
  const auto overloaded = [](const testing::Asked&) {
    return Behaviour::fail(FailoverReason::overloaded, 20ms);
  };
  const auto ours = [&] {
    VirtualTime time;
    asio::io_context context;
    State state;
    const Policy policy;
    ScriptedProvider provider("primary", overloaded);
    const Chain chain{Member("primary", "model")};
    auto ask = [&](Attempt& attempt) { return provider.ask(attempt); };
    auto once = [&]() -> awaitable<void> { co_await failover(chain, policy, state, ask); };
    for (int i = 0; i < calls; ++i) {
      asio::co_spawn(context, once(), [](const std::exception_ptr&) {});
    }
    time.run(context);
    return provider.asked().size();
  }();
  const auto theirs = [&] {  // two retries with backoff each, as the official SDKs do
    VirtualTime time;
    asio::io_context context;
    std::size_t attempts = 0;
    auto once = [&]() -> awaitable<void> {
      for (int attempt = 0; attempt < 3; ++attempt) {
        ++attempts;
        co_await sleep_for(20ms);
        co_await sleep_for(500ms * (1 << attempt));
      }
    };
    for (int i = 0; i < calls; ++i) {
      asio::co_spawn(context, once(), [](const std::exception_ptr&) {});
    }
    time.run(context);
    return attempts;
  }();
  std::printf("\nattempts on one provider in a total outage, %d calls at once\n", calls);
  std::printf("  %-58s %12zu\n", "two retries a call, as the official SDKs do", theirs);
  std::printf("  %-58s %12zu\n", "failover(), with its retry budget", ours);
  const BudgetSettings budget;
  return bench::reach("attempts", static_cast<double>(ours),
                      (1 + budget.ratio) * calls + budget.floor, "attempts");
}

bool virtual_time() {
  // The founding incident under the old policy: the same provider four times, 240 s each.
  const auto incident = [] {
    VirtualTime time;
    asio::io_context context;
    State state;
    const auto policy = Policy().with_eager_on_timeout(false).with_max_retries(3);
    ScriptedProvider sick("sick", [](const testing::Asked&) { return Behaviour::stall(10s); });
    ScriptedProvider well("well", [](const testing::Asked&) { return Behaviour::answer(5ms); });
    const Chain chain{Member("sick", "model"), Member("well", "model")};
    auto ask = [&](Attempt& attempt) {
      return (attempt.member().provider() == "sick" ? sick : well).ask(attempt);
    };
    auto once = [&]() -> awaitable<void> {
      co_await failover(
          chain, policy, state, ask,
          CallOptions().with_prompt(60'000).with_scaled_stale(llm::scaled_stale(60'000)));
    };
    time.run(context, once());
    return time.elapsed();
  };
  std::vector<bench::Way> ways;
  ways.push_back({"a 16-minute incident in virtual time",
                  [&](std::uint64_t n) {
                    for (std::uint64_t i = 0; i < n; ++i) {
                      incident();
                    }
                  },
                  20,
                  {}});
  bench::measure(ways);
  bench::print("virtual time", ways);
  bool reached = bench::reach("the incident", ways[0].figures.nanoseconds / 1e6, 5, "ms");

  constexpr std::uint64_t schedules = 2'000;
  const auto start = std::chrono::steady_clock::now();
  const auto result = testing::simulate(1, schedules, 2);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double a_minute = static_cast<double>(schedules) / took.count() * 60;
  std::printf("  %-58s %12.0f, %zu calls each in the median (to reach: >= 10000, >= 10)  %s\n",
              "simulated schedules a minute, two threads", a_minute, result.median_calls,
              a_minute >= 10'000 && result.median_calls >= 10 ? "reached" : "MISSED");
  return reached && a_minute >= 10'000 && result.failures.empty();
}

}  // namespace

int main() {
  bool reached = around_a_success();
  deciding();
  reached = total_outage() && reached;
  reached = virtual_time() && reached;
  std::printf("\n%s\n", reached ? "all goals reached" : "some goals MISSED");
}
