// The sixteen of Failover Bench: scenarios.md 1. Clients and members speak openai_chat.
#include <algorithm>
#include <deque>

#include "scenario.hpp"
#include "understudy/runtime/scope.hpp"

namespace scenarios {
namespace {

Question chat(const Stage& stage, Clock::duration limit) {
  return Question(stage.route, Protocol::openai_chat).within(limit);
}

Reply rate_limited() { return Reply::status(429, "Rate limit reached for requests."); }

/// What all have in common whose first member never answers well: the second is asked, few times.
awaitable<Played> moved_on(Stage& stage, Row& row, Reply reply, Clock::duration limit) {
  stage.wall.server.reply_to(stage.first(), std::move(reply));
  auto played = co_await play(stage, row, chat(stage, limit));
  row.take(played.heard);
  co_return played;
}

/// An answer that was cut: another member goes on with it.
awaitable<void> cut(Stage& stage, Row& row, Reply reply, Clock::duration limit,
                    std::string_view text) {
  stage.wall.server.reply_to(stage.first(), std::move(reply));
  const auto played = co_await play(stage, row, chat(stage, limit));
  row.take(played.heard, text);
  row.require(!played.heard.answer.text().empty(), "what came before the cut was not delivered");
  if (!played.heard.complete()) {
    row.check_error(played.heard, "connection");
  }
}

awaitable<void> s01(Stage& stage, Row& row) {
  auto& server = stage.wall.server;
  server.reply_to(stage.first(), rate_limited().with_header("retry-after", "2"));
  server.reply_to(stage.first(), healthy());
  const auto played = co_await play(stage, row, chat(stage, 20s));
  row.take(played.heard);
  row.require(played.attempts_within(1500ms) <= 2, "more than 2 attempts in the first 1.5 s");
  const auto& first = played.first;
  row.advise(first.size() >= 2 && first[1].at() - first[0].at() >= 1800ms,
             "did not wait for the same member");
  row.check_report(played.heard, 2, stage.first(), {"rate_limit"});
}

awaitable<void> s02(Stage& stage, Row& row) {
  const auto played = co_await moved_on(stage, row, rate_limited(), 40s);
  row.require(played.attempts_within(3s) <= 4, "more than 4 attempts in the first 3 s");
  row.require(played.attempts() <= 6, "more than 6 attempts");
  row.check_report(played.heard, played.attempts(), stage.second(), {"rate_limit"});
}

awaitable<void> s03(Stage& stage, Row& row) {
  auto& server = stage.wall.server;
  server.reply_to(stage.first(), Reply::status(500, "The server had an error"));
  server.reply_to(stage.first(), healthy());
  const auto played = co_await play(stage, row, chat(stage, 20s));
  row.take(played.heard);
  row.advise(played.first.size() >= 2, "did not ask the same member again");
  row.check_report(played.heard, played.attempts(), stage.first(), {"server_error"});
}

awaitable<void> s04(Stage& stage, Row& row) {
  auto reply = Reply::status(503, "The engine is overloaded", "overloaded");
  const auto played = co_await moved_on(stage, row, std::move(reply), 40s);
  row.require(played.attempts() <= 6, "more than 6 attempts");
  row.check_report(played.heard, played.attempts(), stage.second(), {"overloaded"});
}

awaitable<void> s05(Stage& stage, Row& row) {
  auto& server = stage.wall.server;
  server.reply_to(stage.first(), healthy().before_head(Fault::reset()));
  server.reply_to(stage.first(), healthy());
  const auto played = co_await play(stage, row, chat(stage, 20s));
  row.take(played.heard);
  const bool failed_over = !played.second.empty();
  row.check_report(played.heard, played.attempts(), failed_over ? stage.second() : stage.first(),
                   {"connection"});
}

/// Two members, of which the first stalls before it has said anything.
awaitable<void> stalled(Stage& stage, Row& row, Reply reply, Clock::duration limit,
                        Clock::duration longest) {
  const auto played = co_await moved_on(stage, row, std::move(reply), limit);
  row.require_within(row.complete, Bound(longest, 0s), "the whole call");
  row.advise(played.first.size() == 1, "asked the silent member again");
  row.check_report(played.heard, played.attempts(), stage.second(),
                   {"timeout", "limit 2 s, user", "phase first_progress"});
  if (!played.first.empty() && !played.second.empty()) {
    const auto& last = played.first.back();
    row.abandoned(*last.connection, last.closed(), last.at() + 2s, played.second.front().at());
  }
}

awaitable<void> s06(Stage& stage, Row& row) {
  auto reply = healthy().before_head(Fault::pause(120s)).after(0, Fault::close());
  return stalled(stage, row, std::move(reply), 130s, 100s);
}

awaitable<void> s07(Stage& stage, Row& row) {
  auto reply = healthy().after(0, Fault::pause(20s));
  return stalled(stage, row, std::move(reply), 60s, 15s);
}

awaitable<void> s08(Stage& stage, Row& row) {
  stage.wall.answer_in_own_words(stage.second());
  const auto text = resumed_after(40);
  co_await cut(stage, row, healthy().after(41, Fault::close()), 40s, text);
}

awaitable<void> s09(Stage& stage, Row& row) {
  stage.wall.answer_in_own_words(stage.second());
  auto reply = healthy().after(21, Fault::pause(30s)).after(22, Fault::close());
  stage.wall.server.reply_to(stage.first(), std::move(reply));
  const auto played = co_await play(stage, row, chat(stage, 70s));
  row.take(played.heard, resumed_after(20));
  row.require_within(row.complete, Bound(45s, 0s), "the whole call");
  const auto& heard = played.heard;
  if (heard.failed() && heard.last_content && !played.first.empty()) {
    row.check_error(heard, "timeout");
    const auto& last = played.first.back();
    row.abandoned(*last.connection, last.closed(), *heard.last_content + 2s, heard.ended);
  }
}

awaitable<void> s10(Stage& stage, Row& row) {
  stage.wall.answer_in_own_words(stage.second());
  stage.wall.server.reply_to(stage.first(),
                             healthy().after(11, Fault::bytes("data: {\"choices\": [{\n\n")));
  const auto played = co_await play(stage, row, chat(stage, 30s));
  row.take(played.heard,
           resumed_after(10));  // what the event had is lost: another member resumes the answer
}

awaitable<void> s11(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().after_finish(Fault::end()));
  const auto played = co_await play(stage, row, chat(stage, 30s));
  row.take(played.heard);
  row.require_within(row.complete, Bound(8s, 0s), "the whole call");
  row.advise(played.heard.answer.usage.output.has_value(), "no usage");
  row.check_report(played.heard, 1, stage.first(), {"answered"});
}

awaitable<void> s12(Stage& stage, Row& row) {
  auto reply = Reply::status(400,
                             "This model's maximum context length is 8192 tokens. However, your "
                             "messages resulted in 9000 tokens.",
                             "invalid_request_error", "context_length_exceeded");
  const auto played = co_await moved_on(stage, row, std::move(reply), 20s);
  row.require(played.first.size() == 1, "asked again with the same prompt");
  row.require(played.attempts() <= 2, "more than 2 attempts");
  row.check_report(played.heard, played.attempts(), stage.second(), {"context_overflow"});
}

awaitable<void> s13(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(),
                             Reply::status(400, "Your request was rejected by our safety system.",
                                           "invalid_request_error", "content_policy_violation"));
  const auto played = co_await play(stage, row, chat(stage, 20s));
  row.take_error(played.heard, "content_policy_violation");
  row.require(played.first.size() == 1, "more than one attempt of the first");
  row.advise(played.second.empty(), "asked the next member");
}

awaitable<void> s14(Stage& stage, Row& row) {
  stage.wall.refuse_prefill(stage.second());
  co_await cut(stage, row, healthy().after(41, Fault::close()), 40s, sixty_words);
  const bool refused = stage.wall.prefill_refusals > 0;
  row.require(row.verdict == Verdict::pass || !refused, "failed after a refused prefill");
}

constexpr Clock::duration outage = 60s;

/// Twenty calls, one every 4 s, while the first member is down for a minute.
awaitable<void> s15(Stage& stage, Row& row) {
  constexpr std::size_t calls = 20;
  constexpr std::size_t in_outage = 15;
  const auto began = Clock::now();
  stage.wall.server.reply_to(stage.first(), [began](const SeenRequest&) {
    return Clock::now() - began < outage ? Reply::status(503, "overloaded", "overloaded")
                                         : healthy();
  });
  std::vector<Heard> heard(calls);
  auto body = [&](Scope& scope) -> awaitable<void> {
    for (std::size_t i = 0; i < calls; ++i) {
      auto call = [&heard, &stage, i]() -> awaitable<void> {
        co_await sleep_for(4s * static_cast<int>(i));
        heard[i] = co_await stage.ask(chat(stage, 30s));
      };
      scope.spawn(std::move(call));
    }
    co_await scope.join();
  };
  co_await with_scope(std::move(body));
  row.take_all(heard);
  std::optional<Clock::duration> back;
  for (std::size_t i = in_outage; i < calls && !back; ++i) {
    if (heard[i].header("x-understudy-member").ends_with(stage.first())) {
      back = heard[i].began - began - outage;
    }
  }
  row.require_within(back, Bound(30s, 0s), "the first member answers again");
  const auto first = stage.wall.attempts(stage.first());
  row.count({first.size(), stage.wall.attempts(stage.second()).size()});
}

awaitable<void> s16(Stage& stage, Row& row) {
  auto reply = Reply::status(503, "overloaded", "overloaded");
  const auto played = co_await moved_on(stage, row, std::move(reply), 40s);
  row.require(played.heard.last_model.find(stage.second()) != std::string::npos,
              "the last model is " + played.heard.last_model);
  row.advise(played.heard.answer.usage.output.has_value(), "no usage");
  row.require(played.attempts() <= 6, "more than 6 attempts");
  row.check_report(played.heard, played.attempts(), stage.second(), {"overloaded"});
}

}  // namespace

std::vector<Scenario> failover_bench() {
  constexpr auto file = Scenario::Setup::failover_bench;
  using L = Scenario::Length;
  return {
      {"S01", "429 with Retry-After: 2, then well", file, L::quick, s01},
      {"S02", "429, always", file, L::quick, s02},
      {"S03", "500, then well", file, L::quick, s03},
      {"S04", "503, always", file, L::quick, s04},
      {"S05", "reset before any byte, then well", file, L::quick, s05},
      {"S06", "silent for 120 s", file, L::quick, s06},
      {"S07", "headers, first event after 20 s", file, L::quick, s07},
      {"S08", "40 words, then FIN; own words", file, L::quick, s08},
      {"S09", "20 words, then silence; own words", file, L::quick, s09},
      {"S10", "a hole after 10 words; own words", file, L::quick, s10},
      {"S11", "no [DONE]", file, L::quick, s11},
      {"S12", "400 context_length_exceeded", file, L::quick, s12},
      {"S13", "400 content_policy_violation", file, L::quick, s13},
      {"S14", "40 words, then FIN; the same words", file, L::quick, s14},
      {"S15", "down for 60 s; 20 calls, one every 4 s", file, L::very_long, s15},
      {"S16", "503, always: whose model and usage", file, L::quick, s16},
  };
}

}  // namespace scenarios
