#include "understudy/failover/detail/second_round.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using namespace std::chrono_literals;
using detail::SecondRound;
using R = FailoverReason;

TEST_CASE("a member may return if it failed for a cause that passes") {
  struct Row {
    R reason;
    bool returns;
  };
  for (const auto& row :
       {Row{R::timeout, true}, Row{R::connection, true}, Row{R::rate_limit, true},
        Row{R::overloaded, true}, Row{R::server_error, true}, Row{R::malformed_response, false},
        Row{R::billing, false}, Row{R::auth_permanent, false}, Row{R::model_not_found, false}}) {
    CAPTURE(to_string(row.reason));
    SecondRound round(2);
    CHECK(round.fresh(0));
    round.asked(0, Clock::time_point());
    CHECK_FALSE(round.fresh(0));
    CHECK_FALSE(round.may_return(0));
    round.marked(0, row.reason);
    CHECK(round.may_return(0) == row.returns);
    CHECK(round.fresh(1));
  }
}

TEST_CASE("the member whose answer broke is asked once after each break, at once or last") {
  struct Row {
    R reason;
    bool at_once;
  };
  for (const auto& row :
       {Row{R::connection, true}, Row{R::stale_connection, true}, Row{R::malformed_response, true},
        Row{R::incomplete_response, true}, Row{R::timeout, false}, Row{R::overloaded, false},
        Row{R::server_error, false}, Row{R::rate_limit, false}}) {
    CAPTURE(to_string(row.reason));
    SecondRound round(2);
    round.asked(1, Clock::time_point());
    CHECK_FALSE(round.resuming());
    round.broke(1, row.reason, 1);
    CHECK(round.resuming());
    CHECK(round.itself() == std::size_t{1});
    CHECK(round.itself_at_once() == row.at_once);
    round.asked(1, Clock::time_point());
    CHECK_FALSE(round.itself());
    round.broke(1, row.reason, 2);
    CHECK(round.itself());
  }
}

TEST_CASE("after the first break: 2 attempts a member, and 2 more") {
  SecondRound round(3);
  CHECK(round.attempts_left(1000));
  round.broke(0, R::connection, 5);
  CHECK(round.attempts_left(5 + 7));
  CHECK_FALSE(round.attempts_left(5 + 8));
  round.broke(1, R::connection, 9);  // still the first one's bound
  CHECK_FALSE(round.attempts_left(5 + 8));
}

TEST_CASE("the intervals between attempts that wait out an outage double") {
  SecondRound round(1);
  const Clock::time_point now{};
  round.asked(0, now);
  CHECK(round.next_return() == Clock::time_point());
  for (const auto gap : {2s, 4s, 8s}) {
    round.marked(0, R::overloaded);
    round.asked(0, now);
    CHECK(round.next_return() == now + gap);
    CHECK(round.next_well() == now + 1s);
  }
}
