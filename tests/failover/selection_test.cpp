#include "understudy/failover/detail/selection.hpp"

#include <doctest/doctest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "understudy/failover/detail/call.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using detail::Call;
using detail::Choice;
using detail::health_keys;
using detail::Leg;

namespace {

/// Members a, b, c, and one call to them, which begins with `call()`.
class SelectionWorld {
 public:
  void keep(std::size_t members) {
    while (chain.size() > members) {
      chain.pop_back();
    }
  }
  Call& call() {
    if (!call_) {
      call_ =
          std::make_unique<Call>(chain, policy, state, options, std::source_location::current());
    }
    return *call_;
  }
  /// Marks a member, as another call does whose attempt there has failed just now.
  void fail(std::size_t member, FailoverReason reason = FailoverReason::timeout,
            std::optional<Clock::duration> retry_after = std::nullopt) {
    Health::Probe none;
    state.health().failed(health_keys(chain[member], std::nullopt), reason, retry_after,
                          state.next_call(), Clock::now(), Clock::now(), none);
  }
  void pass(Clock::duration duration) {
    auto sleep = [&]() -> asio::awaitable<int> {
      co_await sleep_for(duration);
      co_return 0;
    };
    time.run(context, sleep());
  }
  /// The name of the chosen member, or what else is to be done.
  std::string next(Leg leg = Leg::only) {
    choice = call().selection.choose(leg);
    if (choice.run) {
      return chain[choice.run->member].provider() + (choice.run->probe ? ", a probe" : "") +
             (choice.hedge_after ? ", hedged" : "");
    }
    return choice.wait_until ? "wait" : "nothing";
  }

  testing::VirtualTime time;
  asio::io_context context;
  Chain chain{Member("a", "m"), Member("b", "m"), Member("c", "m")};
  Policy policy;
  State state;
  CallOptions options;
  Choice choice;

 private:
  std::unique_ptr<Call> call_;
};

}  // namespace

TEST_CASE("all healthy: each member once, in the chain's order") {
  SelectionWorld world;
  CHECK(world.next() == "a");
  CHECK(world.next() == "b");
  CHECK(world.next() == "c");
  CHECK(world.next() == "nothing");
}

TEST_CASE("a member that is the same by another name is not asked") {
  SelectionWorld world;
  world.chain.insert(world.chain.begin() + 1, Member("another name", "m").with_base_url("a"));
  CHECK(world.next() == "a");
  CHECK(world.next() == "b");
}

TEST_CASE("after the end nothing is chosen") {
  SelectionWorld world;
  CHECK(world.next() == "a");
  world.call().selection.end();
  CHECK(world.next() == "nothing");
  CHECK(world.call().selection.ended());
}

TEST_CASE("windows: one that is too small, and one that has proved too small") {
  SelectionWorld world;
  world.chain[0].with_context_window(1000);
  world.chain[1].with_context_window(4000);
  world.options.with_prompt(2000);
  CHECK(world.next() == "b");
  world.call().selection.require_window_above(4000);
  CHECK(world.next() == "c");
  CHECK(world.call().record.report().skipped[0].because == Eligibility::window_too_small);
}

TEST_CASE("an estimate that fits no member does not count") {
  SelectionWorld world;
  for (auto& member : world.chain) {
    member.with_context_window(1000);
  }
  world.options.with_prompt(2000);
  CHECK(world.next() == "a");
}

TEST_CASE("a member in cooldown is passed over, and reported with its reason") {
  SelectionWorld world;
  world.fail(0);
  CHECK(world.next() == "b");
  const auto& skipped = world.call().record.report().skipped;
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].reason == FailoverReason::timeout);
}

TEST_CASE("after the cooldown: a probe, hedged while another member is healthy") {
  SelectionWorld world;
  world.policy.with_probe_grace(3s);
  world.fail(0);
  world.pass(15s);
  CHECK(world.next() == "a, a probe, hedged");
  CHECK(world.choice.hedge_after == 3s);
}

TEST_CASE("a probe may cost at most half of the deadline") {
  SelectionWorld world;
  world.policy.with_probe_grace(3s).with_deadline(4s);
  world.fail(0);
  world.pass(15s);
  CHECK(world.next() == "a, a probe, hedged");
  CHECK(world.choice.hedge_after == 2s);
}

TEST_CASE("the second leg of a hedge does not probe") {
  SelectionWorld world;
  world.fail(0);
  world.pass(15s);
  CHECK(world.next(Leg::second) == "b");
}

TEST_CASE("Policy::hedge_after: every call whose member could be replaced") {
  SelectionWorld world;
  world.policy.with_hedge_after(500ms);
  CHECK(world.next() == "a, hedged");
  CHECK(world.next(Leg::second) == "b");
  CHECK(world.next(Leg::second) == "c");
}

TEST_CASE("no member is healthy: one call probes early, another waits for the verdict") {
  SelectionWorld world;
  world.keep(1);
  world.fail(0);
  CHECK(world.next() == "wait");
  CHECK(*world.choice.wait_until - Clock::now() == early_probe_gap);
  world.pass(early_probe_gap);
  CHECK(world.next() == "a, a probe");
  Call other(world.chain, world.policy, world.state, world.options,
             std::source_location::current());
  const auto choice = other.selection.choose(Leg::only);
  CHECK_FALSE(choice.run);
  REQUIRE(choice.wait_until);
  CHECK(*choice.wait_until - Clock::now() == world.policy.patience);
  world.pass(world.policy.patience);
  CHECK_FALSE(other.selection.choose(Leg::only).wait_until);
}

TEST_CASE("a time that the provider named is not probed early") {
  SelectionWorld world;
  world.keep(1);
  world.fail(0, FailoverReason::rate_limit, 60s);
  world.pass(2s);
  CHECK(world.next() == "nothing");
  CHECK(world.call().selection.returns_first(Clock::now()).returns == Clock::now() + 58s);
}

TEST_CASE("takeover: another member, the other leg, another credential, or the end of a cooldown") {
  SelectionWorld world;
  CHECK(world.next() == "a");
  const auto& selection = world.call().selection;
  const auto takeover = [&] { return selection.takeover(*world.choice.run, Clock::now()); };
  CHECK(takeover().possible);
  SUBCASE("none is left") {
    world.next();
    world.next();
    CHECK_FALSE(takeover().possible);
    CHECK_FALSE(takeover().ask_again_at);
  }
  SUBCASE("the rest is in cooldown") {
    world.fail(1);
    world.pass(5s);
    world.fail(2);
    CHECK_FALSE(takeover().possible);
    CHECK(takeover().ask_again_at == Clock::now() + 10s);
  }
  SUBCASE("a second leg is under way") {
    world.choice = world.call().selection.choose(Leg::second);
    const auto second = std::move(world.choice);
    CHECK(world.next() == "c");
    CHECK(takeover().possible);
    CHECK_FALSE(selection.takeover(*second.run, Clock::now()).possible);
  }
}

TEST_CASE("a credential may take over only if `recover` has timeouts") {
  SelectionWorld world;
  world.keep(1);
  world.chain[0].with_credentials(std::make_shared<CredentialPool>(
      "a", std::vector<Credential>{Credential("one", Secret("first")),
                                   Credential("two", Secret("second"))}));
  CHECK(world.next() == "a");
  CHECK_FALSE(world.call().selection.takeover(*world.choice.run, Clock::now()).possible);
  world.policy.with_recover({FailoverReason::timeout});
  CHECK(world.call().selection.takeover(*world.choice.run, Clock::now()).possible);
}

TEST_CASE(
    "the least time: any for the first attempt, then min_attempt, or a quarter of the deadline") {
  SelectionWorld world;
  world.policy.with_min_attempt(5s).with_deadline(60s);
  auto& call = world.call();
  CHECK(call.selection.least_time() == Clock::duration(1));
  call.record.attempt_began(AttemptReport(world.chain[0], AttemptKind::plain, 0s));
  CHECK(call.selection.least_time() == 5s);
  world.policy.with_deadline(8s);
  CHECK(call.selection.least_time() == 2s);
  world.pass(7s);
  CHECK(world.next() == "nothing");
  CHECK(call.record.report().skipped[0].because == Eligibility::no_time);
}

TEST_CASE("limits: the deadline is shared by the member that is asked and those that are left") {
  SelectionWorld world;
  world.policy.with_deadline(60s);
  const auto share = [&](std::size_t member) {
    return world.call().selection.limits(member, Clock::now()).share.after;
  };
  CHECK(share(0) == 20s);
  CHECK(world.next() == "a");
  CHECK(share(0) == 20s);
  CHECK(world.next() == "b");
  CHECK(share(1) == 30s);
  CHECK(world.next() == "c");
  CHECK(share(2) == 0s);
}

namespace {

/// What member `i` has stated with an answer.
void state_quota(SelectionWorld& world, std::size_t i, double left, Clock::duration resets = 1h) {
  const std::array one{Allowance("5h", left, resets)};
  const auto keys = health_keys(world.chain[i], std::nullopt);
  world.state.quotas().note(keys[Concern::credential], one, world.policy.quota_reserve,
                            Clock::now());
}

}  // namespace

TEST_CASE("a member that is about to run out of quota is passed over, and said to be") {
  SelectionWorld world;
  state_quota(world, 0, 0.01);
  CHECK(world.next() == "b");
  const auto& skipped = world.call().record.report().skipped;
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].because == Eligibility::low_quota);
  CHECK(skipped[0].member.name() == "a/m");
  CHECK(world.next() == "c");
  CHECK(world.next() == "a");  // before the call fails
  CHECK(world.next() == "nothing");
}

TEST_CASE("where all are low, the chain's order counts, and no member is passed over") {
  SelectionWorld world;
  for (std::size_t i = 0; i < 3; ++i) {
    state_quota(world, i, 0);
  }
  CHECK(world.next() == "a");
  CHECK(world.call().record.report().skipped.empty());
  CHECK(world.next() == "b");
}

TEST_CASE("a low member is asked before one that may be sick is probed") {
  SelectionWorld world;
  state_quota(world, 0, 0.01);
  world.fail(1);
  world.fail(2);
  world.pass(1min);
  CHECK(world.next() == "a");
}

TEST_CASE("a low quota ends with its window") {
  SelectionWorld world;
  state_quota(world, 0, 0.01, 5min);
  world.pass(5min);
  CHECK(world.next() == "a");
}

TEST_CASE("a chain of one is asked however little is left") {
  SelectionWorld world;
  world.keep(1);
  state_quota(world, 0, 0);
  CHECK(world.next() == "a");
}
