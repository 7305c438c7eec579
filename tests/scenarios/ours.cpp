// What Failover Bench does not ask: scenarios.md 2, but for the crowds.
#include <algorithm>
#include <ctime>

#include "scenario.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/runtime/scope.hpp"

namespace scenarios {
namespace {

using enum Protocol;

constexpr Clock::duration beat = 200ms;

awaitable<void> s17(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().after(0, Fault::silence(beat)));
  return rescued(stage, row,
                 Rescue(anthropic_messages, Bound(2s, 200ms),
                        {"timeout", "without progress", "limit 2 s, user", "phase first_progress"})
                     .at_limit(2s));
}

/// An answer that breaks off after 20 words: the next member's own words within the bound, or a typed error.
/// `until_noticed`: from the last word on.
awaitable<Played> broken_off(Stage& stage, Row& row, Protocol client, Reply reply,
                             Bound until_noticed, std::string_view word) {
  stage.wall.server.reply_to(stage.first(), std::move(reply));
  stage.wall.answer_in_own_words(stage.second());
  auto played = co_await play(stage, row, Question(stage.route, client));
  const auto& heard = played.heard;
  row.take(heard, resumed_after(20));
  row.require(heard.last_content.has_value(), "nothing came before the break");
  if (heard.complete()) {
    constexpr auto repeated = 300ms;  // what the second says again of what was delivered
    until_noticed.base += repeated;
    row.require_within(heard.longest_gap, until_noticed, "next token");
  } else if (heard.last_content) {
    row.require_within(heard.ended - *heard.last_content, until_noticed, "the error");
    row.report = heard.error && heard.error->find(word) != std::string::npos;
    row.require(*row.report,
                "the error does not say `" + std::string(word) + "`: " + heard.error.value_or("-"));
  }
  co_return played;
}

awaitable<void> s18(Stage& stage, Row& row) {
  const auto played =
      co_await broken_off(stage, row, openai_chat, healthy().after(21, Fault::silence(beat)),
                          Bound(2s, 200ms), "without progress");
  const auto& heard = played.heard;
  if (heard.failed() && heard.last_content && !played.first.empty()) {
    const auto& last = played.first.back();
    row.abandoned(*last.connection, last.closed(), *heard.last_content + 2s, heard.ended);
  }
}

awaitable<void> s19(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().after(1, Fault::silence()));
  return rescued(stage, row,
                 Rescue(openai_responses, Bound(2s, 200ms),
                        {"timeout", "without progress", "limit 2 s, user", "phase first_progress"})
                     .at_limit(2s));
}

awaitable<void> s20(Stage& stage, Row& row) {
  constexpr std::string_view ten = "one two three four five six seven eight nine ten";
  stage.wall.server.reply_to(stage.first(), Reply::answer(std::string(ten)).dripping(1500ms));
  return answered_by_first(stage, row, Question(stage.route, openai_chat), ten);
}

/// 90 s before the first word.
awaitable<void> patient(Stage& stage, Row& row, Protocol client, Reply reply) {
  stage.wall.server.reply_to(stage.first(), std::move(reply));
  auto question = Question(stage.route, client).within(150s);
  co_await answered_by_first(stage, row, std::move(question));
}

awaitable<void> s21(Stage& stage, Row& row) {
  return patient(stage, row, anthropic_messages, healthy().after(1, Fault::pause(90s, 10s)));
}

awaitable<void> s22(Stage& stage, Row& row) {
  return patient(stage, row, openai_chat, healthy().before_head(Fault::pause(90s)));
}

awaitable<void> s22b(Stage& stage, Row& row) {
  auto reply = healthy().after(0, Fault::pause(1s, 700ms)).after(1, Fault::pause(90s));
  return patient(stage, row, anthropic_messages, std::move(reply));
}

awaitable<void> s22c(Stage& stage, Row& row) {
  auto reply = healthy().after(0, Fault::pause(1s, 400ms)).after(1, Fault::pause(90s));
  return patient(stage, row, openai_responses, std::move(reply));
}

awaitable<void> s23(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(),
                             healthy().after(0, Fault::error("overloaded_error", "Overloaded")));
  return rescued(stage, row, Rescue(openai_chat, Bound(0s, 500ms), {"overloaded"}));
}

awaitable<void> s24(Stage& stage, Row& row) {
  co_await broken_off(stage, row, anthropic_messages,
                      healthy().after(21, Fault::error("overloaded_error", "Overloaded")),
                      Bound(0s, 1s), "verloaded");
}

/// The cut comes amid a tool call's arguments: they must not look complete.
awaitable<void> s25(Stage& stage, Row& row) {
  constexpr std::string_view said = "Let me look.";
  const std::string arguments = R"({"city": "Oslo", "unit": "celsius", "days": 3})";
  const auto reply = Reply::answer(std::string(said)).call("call_1", "weather", arguments);
  constexpr std::size_t up_to_the_cut = 1 + 3 + 1 + 3;  // start, words, call, a part of it
  stage.wall.server.reply_to(stage.first(), Reply(reply).after(up_to_the_cut, Fault::close()));
  stage.wall.server.reply_to(
      stage.second(), Reply::answer(std::string(said)).call("its_own_id", "weather", arguments));
  const auto played = co_await play(stage, row, Question(stage.route, openai_chat));
  const auto& heard = played.heard;
  row.take(heard, said);
  row.require_within(heard.ended - heard.began, Bound(0s, 1s), "complete, or the error");
  for (const auto& block : heard.answer.blocks) {
    if (block.kind == AnswerBlock::Kind::tool_call && block.complete) {
      row.require(heard.complete() && block.arguments == arguments,
                  "complete arguments: " + block.arguments);
    }
  }
  if (!heard.complete()) {
    row.check_error(heard, "connection");
  }
}

awaitable<void> s26(Stage& stage, Row& row) {
  co_await broken_off(stage, row, openai_responses, healthy().after(21, Fault::reset()),
                      Bound(0s, 1s), "connection");
}

awaitable<void> s27(Stage& stage, Row& row) {
  stage.wall.server.reply_to(
      stage.first(), Reply::status(429, "Rate limit reached").with_header("retry-after", "8259"));
  return rescued(stage, row, Rescue(openai_chat, Bound(0s, 500ms), {"rate_limit"}));
}

/// The first says when to come again, in one of many ways, and is well by then.
awaitable<void> come_again(Stage& stage, Row& row, Protocol client) {
  const auto played = co_await play(stage, row, Question(stage.route, client));
  row.take(played.heard);
  row.require(played.first.size() == 2 && played.second.empty(), "two attempts of the first");
  if (played.first.size() == 2) {
    const auto gap = played.first[1].at() - played.first[0].at();
    row.require(gap >= 1800ms, "came again too early");
    row.require_within(gap, Bound(3s, 200ms), "came again");
  }
  row.check_report(played.heard, 2, stage.first(), {"rate_limit"});
}

/// The first whole second that is at least two seconds ahead, as HTTP writes it (RFC 9110 5.6.7).
std::string http_date_ahead() {
  using namespace std::chrono;
  const auto then = system_clock::to_time_t(ceil<seconds>(system_clock::now() + 2s));
  std::tm parts{};
  ::gmtime_r(&then, &parts);
  std::string text(64, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  return text;
}

awaitable<void> s28(Stage& stage, Row& row) {
  auto first = std::make_shared<bool>(true);
  stage.wall.server.reply_to(stage.first(), [first](const SeenRequest&) {
    return std::exchange(*first, false)
               ? Reply::status(429, "Rate limited").with_header("retry-after", http_date_ahead())
               : healthy();
  });
  return come_again(stage, row, openai_chat);
}

awaitable<void> s28b(Stage& stage, Row& row) {
  auto& server = stage.wall.server;
  server.reply_to(stage.first(),
                  Reply::status(429, "Rate limit reached for requests. Please try again in 2s."));
  server.reply_to(stage.first(), healthy());
  return come_again(stage, row, anthropic_messages);
}

awaitable<void> s29(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().before_head(Fault::silence()));
  stage.wall.server.reply_to(stage.second(), healthy().before_head(Fault::pause(5s)));
  return rescued(stage, row,
                 Rescue(anthropic_messages, Bound(7s, 500ms),
                        {"timeout", "limit 2 s, user", "phase first_progress"})
                     .at_limit(2s));
}

awaitable<void> s30(Stage& stage, Row& row) {
  const auto played =
      co_await play(stage, row, Question(stage.route, anthropic_messages).leave_after(10));
  row.first_content = played.heard.first_content_after();
  row.require(played.heard.pieces >= 10, "ten words did not come");
  co_await sleep_for(500ms);
  row.require(
      stage.wall.attempts(stage.first()).size() == 1 && stage.wall.attempts(stage.second()).empty(),
      "asked again for a client that was gone");
  for (const auto& attempt : played.first) {
    row.abandoned(*attempt.connection, attempt.closed(), played.heard.ended, played.heard.ended);
  }
  const auto status = co_await get(stage.http, stage.gateway.port(), "/status");
  const auto marks_at = status.find(R"("marks":)");
  const auto recent_at = status.find(R"("recent":)");
  row.require(marks_at < recent_at && recent_at != std::string::npos, "/status: " + status);
  if (row.verdict == Verdict::pass) {
    const auto marks = status.substr(marks_at, recent_at - marks_at);
    row.report = marks.find("/" + stage.route) == std::string::npos;
    row.require(*row.report, "a mark on the member: " + marks);
    row.require(
        status.find(stage.first() + " was answering, stopped", recent_at) != std::string::npos,
        "it does not say that it was stopped: " + status.substr(recent_at));
  }
}

awaitable<void> s33(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().before_head(Fault::pause(1500ms)));
  stage.wall.server.reply_to(stage.second(),
                             healthy().after(0, Fault::error("overloaded", "Overloaded")));
  const auto played = co_await play(stage, row, Question(stage.route, openai_responses));
  row.take(played.heard);
  row.require(played.first.size() == 1, "one attempt of the first");
  row.require(!played.second.empty(), "no hedge");
  row.false_kills = played.first.size() == 1 && played.heard.complete() ? 0 : 1;
  row.check_report(played.heard, played.attempts(), stage.first(), {"overloaded"});
}

/// A chat answer with CRLF, comments, and characters of up to four bytes.
std::string awkward_stream(const std::string& text, const std::string& model) {
  const auto encoder = codec_for(openai_chat).encoder(Request(model));
  std::string lines;
  const auto write = [&](const Event::Body& body) {
    encoder->write(Event(body), lines);
    lines += ": and a comment\n\n:\n\n";
  };
  write(Start("chatcmpl-34", model));
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at + 1), text.size());
    write(Text(0, std::string_view(text).substr(at, end - at)));
    at = end;
  }
  write(Finish(FinishReason::stop, {}));
  encoder->write(Event(End()), lines);
  std::string out;
  for (const char c : lines) {
    out += c == '\n' ? "\r\n" : std::string(1, c);
  }
  return out;
}

awaitable<void> s34(Stage& stage, Row& row) {
  const std::string text = "Der Tank faßt 12 m³ – très bien, 水は満タン, 🙂 и всё.";
  stage.wall.server.reply_to(
      stage.first(), Reply::page(200, "text/event-stream", awkward_stream(text, stage.first()))
                         .dripping_bytes(50us));
  co_await answered_by_first(stage, row, Question(stage.route, openai_chat), text);
  const auto again = co_await stage.ask(anthropic_messages);  // which is written anew
  row.take(again, text);
  row.check_report(again, 1, stage.first(), {"answered"});
}

/// The first stalls whenever it is asked. A call a second, and a little more: the third then comes after the
/// first one's limit, not at the same instant.
awaitable<void> s35(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().after(1, Fault::silence(beat)));
  std::vector<Heard> heard(5);
  auto body = [&](Scope& scope) -> awaitable<void> {
    for (std::size_t i = 0; i < heard.size(); ++i) {
      auto call = [&heard, &stage, i]() -> awaitable<void> {
        co_await sleep_for(1100ms * static_cast<int>(i));
        heard[i] = co_await stage.ask(anthropic_messages);
      };
      scope.spawn(std::move(call));
    }
    co_await scope.join();
  };
  co_await with_scope(std::move(body));
  row.take_all(heard);
  std::vector<Clock::duration> later;
  for (const auto& one : heard) {
    row.require_within(one.first_content_after(), Bound(2s, 200ms), "first token");
    later.push_back(one.first_content_after().value_or(1min));
  }
  later.erase(later.begin());
  std::sort(later.begin(), later.end());
  row.require_within((later[1] + later[2]) / 2, Bound(0s, 300ms), "the median of the later ones");
  row.count(
      {stage.wall.attempts(stage.first()).size(), stage.wall.attempts(stage.second()).size()});
}

awaitable<void> s36(Stage& stage, Row& row) {
  stage.wall.server.reply_to(stage.first(), healthy().before_head(Fault::silence()));
  stage.wall.server.reply_to(stage.second(), healthy().after(1, Fault::silence()));
  const auto played = co_await play(stage, row, Question(stage.route, openai_chat));
  row.take(played.heard);
  row.require_within(row.complete, Bound(6s, 0s), "the whole call");
  row.check_report(played.heard, 3, stage.third(), {"timeout", "share_of_deadline"});
}

awaitable<void> s37(Stage& stage, Row& row) {
  constexpr std::size_t eight_mib = std::size_t{8} << 20;
  const auto usual = co_await stage.ask(Question("alive", openai_chat).with_padding(eight_mib));
  const auto played =
      co_await play(stage, row, Question(stage.route, openai_chat).with_padding(eight_mib));
  row.take(played.heard);
  row.began = played.heard.began;  // our own work on the requests delays nobody
  // 1.3 s, where the machine is quick enough to bring the same to one that listens within 200 ms.
  const auto margin =
      std::max<Clock::duration>(300ms, usual.first_content_after().value_or(0s) + 100ms);
  row.require_within(row.first_content, Bound(1s, margin), "first token");
  const auto& peers = stage.wall.deaf.connections();
  row.attempts.clear();
  row.count({peers.size(), played.second.size()});
  row.check_report(played.heard, 2, stage.second(),
                   {"connection", "limit 1 s, user", "phase write"});
  if (peers.size() == 1 && !played.second.empty()) {
    using End = SeenConnection::End;
    const bool closed = peers[0].end == End::client_reset || peers[0].end == End::client_closed;
    row.abandoned(peers[0], closed ? std::optional(peers[0].ended) : std::nullopt,
                  peers[0].began + 1s, played.second.front().at());
  }
}

}  // namespace

std::vector<Scenario> ours() {
  using S = Scenario::Setup;
  using L = Scenario::Length;
  return {
      {"S17", "headers, then heartbeats for ever", S::ours, L::quick, s17},
      {"S18", "20 words, then heartbeats; own words", S::ours, L::quick, s18},
      {"S19", "a role-only delta, then silence", S::ours, L::quick, s19},
      {"S20", "a token every 1.5 s", S::ours, L::medium, s20},
      {"S21", "90 s of heartbeats, then well", S::defaults, L::very_long, s21},
      {"S22", "90 s of silence, then well", S::defaults, L::very_long, s22},
      {"S22b", "one heartbeat, 90 s of silence, then well", S::defaults, L::very_long, s22b},
      {"S22c", "two heartbeats, 90 s of silence, then well", S::defaults, L::very_long, s22c},
      {"S23", "200, and an error for a first frame", S::ours, L::quick, s23},
      {"S24", "20 words, then an error; own words", S::ours, L::quick, s24},
      {"S25", "cut amid a tool call's arguments", S::ours, L::quick, s25},
      {"S26", "20 words, then a reset; own words", S::ours, L::quick, s26},
      {"S27", "429 with Retry-After: 8259", S::ours, L::quick, s27},
      {"S28", "429 with Retry-After as a date in 2 s", S::ours, L::quick, s28},
      {"S28b", "429 with 2 s in the body alone", S::ours, L::quick, s28b},
      {"S29", "silence; the second's first token after 5 s", S::ours, L::medium, s29},
      {"S30", "well; the client goes after 10 words", S::ours, L::quick, s30},
      {"S33", "slow; the hedge answers with an error", S::ours, L::quick, s33},
      {"S34", "CRLF, comments, UTF-8, byte by byte", S::ours, L::quick, s34},
      {"S35", "stalls in each of 5 calls, one a second", S::ours, L::medium, s35},
      {"S36", "a deadline of 6 s, two of three dead", S::defaults, L::medium, s36},
      {"S37", "never reads a request of 8 MiB", S::ours, L::crowd, s37},
  };
}

}  // namespace scenarios
