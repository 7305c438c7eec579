// Random incidents found a StallState whose share of the deadline had expired while nobody could take
// over, and for which it was time to ask again from then on: it said "wake me now" for ever.
#include <doctest/doctest.h>

#include <boost/asio/error.hpp>

#include "understudy/runtime/stall_state.hpp"

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr Clock::time_point start{1h};
const error_code timeout = boost::asio::error::timed_out;

/// What is asked for at each ask: the end of a cooldown as others see it.
using NextAsk = std::optional<Clock::time_point> (*)(Clock::time_point now);

StallLimits limits_with_share(Clock::duration share) {
  auto limits = stall_limits(StallSettings(), StallFacts(),
                             StallCodes(boost::asio::error::connection_reset, timeout));
  limits.share = Limit(share, timeout, LimitOrigin::share_of_deadline);
  limits.deadline = start + 900s;
  return limits;
}

}  // namespace

TEST_CASE("a share that is spent while nobody can take over: time advances with every wake-up") {
  const NextAsk asks[] = {
      [](Clock::time_point) -> std::optional<Clock::time_point> { return std::nullopt; },
      [](Clock::time_point) -> std::optional<Clock::time_point> { return Clock::time_point{}; },
      [](Clock::time_point now) -> std::optional<Clock::time_point> { return now; },
      [](Clock::time_point now) -> std::optional<Clock::time_point> { return now + 1ns; },
      [](Clock::time_point) -> std::optional<Clock::time_point> { return start + 90s; },
      [](Clock::time_point) -> std::optional<Clock::time_point> { return start + 200s; },
      [](Clock::time_point) -> std::optional<Clock::time_point> {
        return Clock::time_point::max();
      },
  };
  for (const auto phase : {Phase::connect, Phase::first_progress, Phase::whole_answer}) {
    for (const auto next_ask : asks) {
      CAPTURE(to_string(phase));
      auto now = start;
      StallState state(limits_with_share(60s), now);
      state.enter(phase, now);
      state.waiting(now);
      bool over = false;
      int asked = 0;
      while (!over) {
        const auto due = state.next_due(now);
        REQUIRE(due > now);
        now = due;
        auto verdict = state.check(now, due);
        for (int answers = 0; verdict.step != StallState::Step::sleep && !over; ++answers) {
          REQUIRE(answers < 4);  // confirm, ask, and again: what is asked is answered
          switch (verdict.step) {
            case StallState::Step::confirm: state.confirmed(false, now); break;
            case StallState::Step::ask:
              ++asked;
              state.answered(Takeover::no(next_ask(now)), now);
              break;
            case StallState::Step::expired: over = true; break;
            case StallState::Step::sleep: break;
          }
          if (!over) {
            verdict = state.check(now, now);
          }
        }
        REQUIRE((over || verdict.until > now));
      }
      CHECK(now <= start + 900s);
      CHECK(asked <= 600s / 100ms);  // least_between_asks
    }
  }
}
