#include "understudy/failover/log_observer.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the lines of a call that fails over") {
  testing::VirtualTime time;
  asio::io_context context;
  State state;
  const Policy policy;
  const Chain chain{Member("a", "m"), Member("b", "m")};
  std::vector<std::string> lines;
  std::vector<LogLine> kinds;
  LogObserver log([&](LogLine what, std::string_view text) {
    kinds.push_back(what);
    lines.emplace_back(text);
  });
  const auto ask = [&](Attempt& attempt) -> asio::awaitable<Result<int>> {
    attempt.enter(Phase::connect);
    co_await sleep_for(1ms);
    if (attempt.member().provider() == "a") {
      co_return Failure(FailoverReason::overloaded, "no capacity").with_retry_after(1h);
    }
    attempt.heartbeat();
    attempt.progressed();
    co_return 7;
  };
  const auto call = [&]() -> asio::awaitable<void> {
    co_await failover(chain, policy, state, ask, CallOptions().with_observer(log));
  };
  time.run(context, call());
  REQUIRE(lines.size() == 9);
  CHECK(lines[0] == "asks a/m");
  CHECK(lines[1] == "  connects");
  CHECK(lines[2].starts_with("  overloaded: no capacity"));
  CHECK(lines[3].starts_with("  -> fail_over: "));
  CHECK(lines[4] == "asks b/m");
  CHECK(lines[6] == "  heartbeat");
  CHECK(lines[7] == "  first token");
  CHECK(lines[8].starts_with("b/m answered, after a/m: overloaded"));
  using L = LogLine;
  CHECK(kinds == std::vector<L>{L::attempt, L::phase, L::failure, L::decision, L::attempt, L::phase,
                                L::phase, L::progress, L::answered});
}
