#include "understudy/failover/detail/attempt_limits.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using namespace std::chrono_literals;
using detail::attempt_limits;
using detail::longest_attempt;
using detail::SharedDeadline;

namespace {

const Clock::time_point noon = Clock::time_point() + 12h;

SharedDeadline shared(Clock::duration remaining, std::size_t members) {
  return {noon + remaining, remaining, members};
}

}  // namespace

TEST_CASE("the member's settings before the policy's, key by key") {
  const auto policy =
      Policy().with_stall(StallSettings().with_stale(60s).with_connect(5s).with_whole_answer(90s));
  const auto member = Member("a", "m").with_stall(StallSettings().with_stale(20s));
  const auto limits = attempt_limits(member, policy, CallOptions(), std::nullopt);
  CHECK(limits.stale.after == 20s);
  CHECK(limits.connect.after == 5s);
  CHECK(limits.attempt.after == 90s);
  CHECK_FALSE(limits.deadline);
  CHECK(limits.share.origin == LimitOrigin::none);
}

TEST_CASE("expiry means `connection` or `timeout`") {
  const auto limits = attempt_limits(Member("a", "m"), Policy(), CallOptions(), std::nullopt);
  CHECK(limits.connect.code == FailoverReason::connection);
  CHECK(limits.stale.code == FailoverReason::timeout);
}

TEST_CASE("Policy::attempt replaces what the settings say of a whole attempt") {
  const auto policy = Policy().with_attempt(2s).with_stall(StallSettings().with_first_progress(7s));
  const auto limits = attempt_limits(Member("a", "m"), policy, CallOptions(), std::nullopt);
  CHECK(limits.attempt.after == 2s);
  CHECK(limits.attempt.origin == LimitOrigin::user);
}

TEST_CASE("the reasoning floor and the call's scaling raise the default") {
  const auto member = Member("a", "m").with_reasoning_floor(200s);
  CHECK(attempt_limits(member, Policy(), CallOptions(), std::nullopt).stale.after == 200s);
  const auto scaled = CallOptions().with_scaled_stale(240s);
  CHECK(attempt_limits(member, Policy(), scaled, std::nullopt).stale.after == 240s);
}

TEST_CASE("the share of a deadline") {
  struct Row {
    const char* what;
    StallSettings settings;
    SharedDeadline deadline;
    LimitOrigin attempt;
    Clock::duration share;  // zero: none
  };
  const Row rows[] = {
      {"two members share a minute", {}, shared(60s, 2), LimitOrigin::share_of_deadline, 30s},
      {"the last member has all that remains", {}, shared(60s, 1), LimitOrigin::standard, 0s},
      {"at least min_attempt", {}, shared(2s, 4), LimitOrigin::share_of_deadline, 1s},
      {"an explicit first_progress has no share", StallSettings().with_first_progress(50s),
       shared(60s, 2), LimitOrigin::user, 0s},
      {"an explicit stale does not hold an attempt that notes nothing",
       StallSettings().with_stale(50s), shared(60s, 2), LimitOrigin::share_of_deadline, 0s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto member = Member("a", "m").with_stall(row.settings);
    const auto limits = attempt_limits(member, Policy(), CallOptions(), row.deadline);
    CHECK(limits.deadline == row.deadline.at);
    CHECK(limits.attempt.origin == row.attempt);
    CHECK(limits.share.after == row.share);
  }
}

TEST_CASE("the longest attempt: connect, write, and the longest wait for progress") {
  auto limits = attempt_limits(Member("a", "m"), Policy(), CallOptions(), std::nullopt);
  CHECK(longest_attempt(limits) == 10s + 30s + 600s);
  limits.first_progress.after = 700s;
  CHECK(longest_attempt(limits) == 10s + 30s + 700s);
  limits.attempt.after = Clock::duration::max();
  CHECK(longest_attempt(limits) == Clock::duration::max());
}
