#include "understudy/failover/call_options.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;

namespace {

class Count : public Observer {
 public:
  void attempt_began(const AttemptReport&) override { ++attempts; }
  void call_ended(const CallReport&) override { ++calls; }

  int attempts = 0;
  int calls = 0;
};

/// Starts a call with these options to one member, and returns the limits of its attempt.
StallLimits limits_with(const CallOptions& options, const StallSettings& settings = {}) {
  testing::VirtualTime time;
  asio::io_context context;
  const Chain chain{Member("a", "m").with_stall(settings)};
  const Policy policy;
  State state;
  StallLimits limits;
  auto call = [&]() -> asio::awaitable<int> {
    auto ask = [&](Attempt& attempt) -> asio::awaitable<int> {
      limits = attempt.limits();
      co_return 1;
    };
    const auto outcome = co_await failover(chain, policy, state, std::move(ask), options);
    co_return outcome.result.value();
  };
  CHECK(time.run(context, call()) == 1);
  return limits;
}

}  // namespace

TEST_CASE("the default asks for nothing") {
  const CallOptions options;
  CHECK(options.prompt_tokens == 0);
  CHECK(options.scaled_stale == 0s);
  CHECK(options.observer == nullptr);
  CHECK(options.parent == nullptr);
  CHECK(limits_with(options).stale.after == 180s);
}

TEST_CASE("a scaled limit raises the default, and not an explicit limit") {
  const auto scaled = CallOptions().with_scaled_stale(240s);
  CHECK(limits_with(scaled).stale.after == 240s);
  CHECK(limits_with(scaled).stale.origin == LimitOrigin::scaled);
  CHECK(limits_with(scaled).first_progress.after == 240s);
  CHECK(limits_with(scaled, StallSettings().with_stale(20s)).stale.after == 20s);
}

TEST_CASE("the size of the prompt is not a limit by itself") {
  CHECK(limits_with(CallOptions().with_prompt(1'000'000)).stale.after == 180s);
}

TEST_CASE("the observer receives the events") {
  Count count;
  limits_with(CallOptions().with_observer(count));
  CHECK(count.attempts == 1);
  CHECK(count.calls == 1);
}
