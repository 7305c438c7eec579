#include "understudy/failover/detail/call_record.hpp"

#include <doctest/doctest.h>

#include <string>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using detail::CallContext;
using detail::CallRecord;

namespace {

class RecordWatcher : public Observer {
 public:
  void attempt_began(const AttemptReport& attempt) override {
    words += attempt.member.name() + ' ';
  }
  void call_ended(const CallReport& report) override { words += report.code.message(); }

  std::string words;
};

class RecordWorld {
 public:
  testing::VirtualTime time;
  Chain chain{Member("a", "m"), Member("b", "m"), Member("other name", "m").with_base_url("b")};
  Policy policy;
  State state;
  RecordWatcher watcher;
  CallContext context{chain, policy, state, CallOptions().with_observer(watcher),
                      std::source_location::current()};
  CallRecord record{context};
};

}  // namespace

TEST_CASE("attempts in their order, as the observer sees them") {
  RecordWorld world;
  CHECK_FALSE(world.record.attempted());
  CHECK(world.record.attempt_began(AttemptReport(world.chain[0], AttemptKind::plain, 0s)) == 0);
  CHECK(world.record.attempt_began(AttemptReport(world.chain[1], AttemptKind::hedge, 2s)) == 1);
  CHECK(world.record.attempted());
  world.record.attempt(1).tokens_spent = 7;
  CHECK(world.record.report().attempts[1].tokens_spent == 7);
  world.record.finish(FailoverReason::timeout);
  CHECK(world.watcher.words == "a/m b/m timeout");
}

TEST_CASE("a member that is passed over is named once, with the reason of its cooldown") {
  RecordWorld world;
  Health::Outlook sick;
  sick.reason = FailoverReason::billing;
  world.record.skipped(0, Eligibility::cooling, sick);
  world.record.skipped(0, Eligibility::no_time, Health::Outlook());
  world.record.skipped(1, Eligibility::window_too_small, sick);
  world.record.skipped(2, Eligibility::window_too_small, sick);  // the same as 1
  const auto& skipped = world.record.report().skipped;
  REQUIRE(skipped.size() == 2);
  CHECK(skipped[0].because == Eligibility::cooling);
  CHECK(skipped[0].reason == FailoverReason::billing);
  CHECK_FALSE(skipped[1].reason);
}

TEST_CASE("how long the call took") {
  RecordWorld world;
  const auto began = world.context.began;
  SUBCASE("until its answer") {
    world.record.answered(began + 5s);
    CHECK(world.record.has_answer());
    CHECK(world.record.finish(error_code()).took == 5s);
  }
  SUBCASE("until now, if the answer was lost") {
    world.record.answered(began + 5s);
    world.record.answer_lost();
    CHECK_FALSE(world.record.has_answer());
    CHECK(world.record.finish(FailoverReason::connection).took == 0s);
  }
}
