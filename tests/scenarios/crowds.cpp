// Many calls at once: S31, S32 and S38 of scenarios.md 2.
#include <algorithm>

#include "scenario.hpp"
#include "understudy/runtime/scope.hpp"

namespace scenarios {
namespace {

/// Each asks the stage's route in chat, one after the other over `spread`.
awaitable<std::vector<Heard>> many(Stage& stage, std::size_t calls, Clock::duration spread,
                                   Protocol client) {
  std::vector<Heard> heard(calls);
  auto body = [&](Scope& scope) -> awaitable<void> {
    for (std::size_t i = 0; i < calls; ++i) {
      auto call = [&, i]() -> awaitable<void> {
        if (spread > 0s) {
          co_await sleep_for(spread * static_cast<int>(i) / static_cast<int>(calls));
        }
        heard[i] = co_await stage.ask(client);
      };
      scope.spawn(std::move(call));
    }
    co_await scope.join();
  };
  co_await with_scope(std::move(body));
  co_return heard;
}

void count(Stage& stage, Row& row) {
  row.count(
      {stage.wall.attempts(stage.first()).size(), stage.wall.attempts(stage.second()).size()});
}

awaitable<void> s31(Stage& stage, Row& row) {
  constexpr std::size_t calls = 1000;
  constexpr std::size_t budget_floor = 10;
  stage.wall.server.reply_to(stage.first(), Reply::status(500, "oh", "server_error"));
  stage.wall.server.reply_to(stage.second(), Reply::answer(sixty_words));
  const auto heard = co_await many(stage, calls, 0s, Protocol::openai_chat);
  row.take_all(heard);
  count(stage, row);
  const auto first = stage.wall.attempts(stage.first()).size();
  row.require(first <= calls * 12 / 10 + budget_floor,
              std::to_string(first) + " attempts of the first");
}

/// How long each waited for its first word, the longest last.
std::vector<Clock::duration> waits(const std::vector<Heard>& heard) {
  std::vector<Clock::duration> waited;
  for (const auto& one : heard) {
    waited.push_back(one.first_content_after().value_or(1min));
  }
  std::sort(waited.begin(), waited.end());
  return waited;
}

/// The first is sick for 4 s, and then takes a while over the first answer: the probe. The first 1,000 calls come
/// while it rests and go to the second, which is well: what they wait is what a healthy call waits on this
/// machine. Another 1,000 come from a second before the rest ends until a second and a half after.
awaitable<void> s32(Stage& stage, Row& row) {
  constexpr std::size_t calls = 1000;
  constexpr std::string_view said = "one two three";
  const auto well = Reply::answer(std::string(said));
  auto& server = stage.wall.server;
  server.reply_to(stage.first(),
                  Reply::status(503, "overloaded", "overloaded").with_header("retry-after", "4"));
  server.reply_to(stage.first(), Reply(well).before_head(Fault::pause(300ms)));
  server.reply_to(stage.first(), well);
  server.reply_to(stage.second(), well);
  const auto sick = co_await stage.ask(Protocol::openai_chat);
  row.take(sick, said);
  const auto before = co_await many(stage, calls, 2500ms, Protocol::openai_chat);
  row.take_all(before, said);
  co_await sleep_for(3s - (Clock::now() - sick.began));
  const auto heard = co_await many(stage, calls, 2500ms, Protocol::openai_chat);
  row.take_all(heard, said);
  count(stage, row);

  const auto first = stage.wall.attempts(stage.first());
  row.require(first.size() > 2, "the first did not come back");
  if (first.size() <= 2) {
    co_return;
  }
  const auto probe_ended = first[1].at() + 300ms;
  const auto probes = std::count_if(first.begin() + 1, first.end(),
                                    [&](const auto& a) { return a.at() < probe_ended; });
  row.require(probes == 1, std::to_string(probes) + " probes at a time");
  // If calls waited for the probe, 120 of them would. A busy machine makes stray ones late.
  constexpr std::size_t stray = calls / 50;
  const auto healthy_one = waits(before).back();
  const auto waited = waits(heard);
  row.first_content = waited[calls - 2];  // the last is the probe
  row.require_within(waited[calls - 1 - stray], Bound(healthy_one, 50ms), "all but the probe");
}

/// 400 streams flow while the gateway itself stands still for longer than the limit.
awaitable<void> s38(Stage& stage, Row& row) {
  constexpr std::size_t calls = 400;
  stage.wall.server.reply_to(stage.first(), Reply::answer(sixty_words).dripping(100ms));
  std::vector<Heard> heard;
  auto body = [&](Scope& scope) -> awaitable<void> {
    auto stand_still = [&]() -> awaitable<void> {
      co_await sleep_for(2500ms);
      stage.gateway.suspend();
      co_await sleep_for(3s);
      stage.gateway.resume();
    };
    scope.spawn(std::move(stand_still));
    heard = co_await many(stage, calls, 1s, Protocol::anthropic_messages);
    co_await scope.join();
  };
  co_await with_scope(std::move(body));
  row.take_all(heard);
  count(stage, row);
  row.false_kills = stage.wall.attempts(stage.second()).size();
  for (const auto& one : heard) {
    row.false_kills += one.complete() ? 0 : 1;
  }
  row.require(row.false_kills == 0, "false kills");
  row.require(stage.wall.attempts(stage.first()).size() == calls, "one attempt each");
}

}  // namespace

std::vector<Scenario> crowds() {
  using S = Scenario::Setup;
  using L = Scenario::Length;
  return {
      {"S31", "500, which is retried, for 1,000 calls", S::ours, L::crowd, s31},
      {"S32", "a probe amid 1,000 calls", S::ours, L::crowd, s32},
      {"S38", "the gateway stopped for 3 s, 400 streams", S::own_process, L::crowd, s38},
  };
}

}  // namespace scenarios
