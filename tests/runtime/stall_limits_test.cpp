#include "understudy/runtime/stall_limits.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>

using namespace std::chrono_literals;
using namespace understudy;

namespace {

const StallCodes codes(asio::error::connection_reset, asio::error::timed_out);

struct Row {
  const char* what;
  StallSettings settings;
  StallFacts facts;
  Clock::duration stale;
  LimitOrigin stale_origin;
  Clock::duration first_progress;
  LimitOrigin first_origin;
};

}  // namespace

TEST_CASE("stale and first_progress: default, scaled, floor, and the user's word over all") {
  using enum LimitOrigin;
  const Row rows[] = {
      {"nothing known", {}, {}, 180s, standard, 180s, standard},
      {"scaled below the default",
       {},
       StallFacts().with_scaled(179s),
       180s,
       standard,
       180s,
       standard},
      {"scaled", {}, StallFacts().with_scaled(240s), 240s, scaled, 240s, scaled},
      {"scaled by a little", {}, StallFacts().with_scaled(181s), 181s, scaled, 181s, scaled},
      {"scaled by more", {}, StallFacts().with_scaled(300s), 300s, scaled, 300s, scaled},
      {"floor", {}, StallFacts().with_floor(600s), 600s, floor, 600s, floor},
      {"floor below the default", {}, StallFacts().with_floor(60s), 180s, standard, 180s, standard},
      {"floor above scaling",
       {},
       StallFacts().with_scaled(240s).with_floor(300s),
       300s,
       floor,
       300s,
       floor},
      {"scaling above floor",
       {},
       StallFacts().with_scaled(300s).with_floor(240s),
       300s,
       scaled,
       300s,
       scaled},
      {"user's stale over both", StallSettings().with_stale(20s),
       StallFacts().with_scaled(300s).with_floor(600s), 20s, user, 20s, user},
      {"user's first_progress alone", StallSettings().with_first_progress(7s),
       StallFacts().with_floor(600s), 600s, floor, 7s, user},
      {"both", StallSettings().with_first_progress(7s).with_stale(9s), {}, 9s, user, 7s, user},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto limits = stall_limits(row.settings, row.facts, codes);
    CHECK(limits.stale.after == row.stale);
    CHECK(limits.stale.origin == row.stale_origin);
    CHECK(limits.first_progress.after == row.first_progress);
    CHECK(limits.first_progress.origin == row.first_origin);
    CHECK(limits.stale.code == asio::error::timed_out);
    CHECK(limits.first_progress.code == asio::error::timed_out);
  }
}

TEST_CASE("the other limits: defaults and the user's") {
  const auto standard = stall_limits({}, {}, codes);
  CHECK(standard.connect.after == 10s);
  CHECK(standard.write.after == 30s);
  CHECK(standard.whole_answer.after == 600s);
  CHECK(standard.last_member.after == 600s);
  CHECK(standard.error_body.after == 5s);
  CHECK(standard.finish.after == 5s);
  CHECK(standard.silence.origin == LimitOrigin::learned);
  CHECK(standard.share.origin == LimitOrigin::none);
  CHECK(!standard.deadline);
  CHECK(standard.connect.code == asio::error::connection_reset);
  CHECK(standard.silence.code == asio::error::connection_reset);
  CHECK(standard.whole_answer.code == asio::error::timed_out);

  const auto set = stall_limits(StallSettings()
                                    .with_connect(1s)
                                    .with_write(2s)
                                    .with_silence(3s)
                                    .with_whole_answer(4s)
                                    .with_last_member(5s),
                                {}, codes);
  CHECK(set.connect.after == 1s);
  CHECK(set.write.after == 2s);
  CHECK(set.silence.after == 3s);
  CHECK(set.whole_answer.after == 4s);
  CHECK(set.last_member.after == 5s);
  for (const auto& limit :
       {set.connect, set.write, set.silence, set.whole_answer, set.last_member}) {
    CHECK(limit.origin == LimitOrigin::user);
  }
}

TEST_CASE(
    "the limit of an attempt that notes nothing: explicit first_progress, else whole_answer") {
  class Row {
   public:
    StallSettings settings;
    Clock::duration attempt;
    LimitOrigin origin;
  };
  const Row rows[] = {
      {{}, 600s, LimitOrigin::standard},
      {StallSettings().with_stale(20s), 600s, LimitOrigin::standard},
      {StallSettings().with_whole_answer(30s), 30s, LimitOrigin::user},
      {StallSettings().with_whole_answer(30s).with_first_progress(2s), 2s, LimitOrigin::user},
  };
  for (const auto& row : rows) {
    const auto limits = stall_limits(row.settings, StallFacts().with_floor(1h), codes);
    CHECK(limits.attempt.after == row.attempt);
    CHECK(limits.attempt.origin == row.origin);
    CHECK(limits.attempt.code == asio::error::timed_out);
  }
}

TEST_CASE("the share of a deadline") {
  struct Row {
    Clock::duration remaining;
    std::size_t eligible;
    std::optional<Clock::duration> share;
  };
  const Row rows[] = {
      {6s, 3, 2s},
      {4s, 2, 2s},
      {2s, 1, 2s},
      {3s, 3, 1s},
      {2999ms, 3, std::nullopt},
      {999ms, 1, std::nullopt},
      {0s, 1, std::nullopt},
      {-5s, 2, std::nullopt},
      {5s, 0, 5s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.remaining.count());
    CHECK(share_of_deadline(row.remaining, row.eligible, 1s) == row.share);
  }
}
