#include "scenario.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace scenarios {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto closed_within = 50ms;

std::string in_seconds(Clock::duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s",
                std::chrono::duration<double>(duration).count());
  return text.data();
}

/// The length of the longest text that both contain, with gaps.
std::size_t common(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1, 0);
  for (const char c : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto above = row[j + 1];
      row[j + 1] = c == b[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

std::string cell(const std::optional<Clock::duration>& time) {
  if (!time) {
    return "-";
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f", Milliseconds(*time).count());
  return text.data();
}

std::string text_cell(const Row& row) {
  if (row.missing == 0 && row.doubled == 0) {
    return "exact";
  }
  return "-" + std::to_string(row.missing) + "+" + std::to_string(row.doubled);
}

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::fail: return "fail";
    case Verdict::safe: return "safe";
    case Verdict::partial: return "partial";
    case Verdict::pass: return "pass";
  }
  return "unknown";
}

void Row::lower(bool holds, Verdict to, const std::string& why) {
  if (!holds) {
    verdict = std::min(verdict, to);
    notes.push_back(why);
  }
}

awaitable<void> Punctuality::watch() {
  constexpr auto tick = 5ms;
  constexpr auto worth_noting = 1ms;
  while (true) {
    const auto due = Clock::now() + tick;
    co_await sleep_for(tick);
    const auto now = Clock::now();
    if (now - due > worth_noting) {
      late_.emplace_back(due, now - due);
    }
  }
}

Clock::duration Punctuality::worst_since(Clock::time_point time) const {
  Clock::duration worst{};
  for (const auto& [due, late] : late_) {
    worst = due >= time ? std::max(worst, late) : worst;
  }
  return worst;
}

void Row::require_within(std::optional<Clock::duration> measured, const Bound& bound,
                         const std::string& name) {
  const auto machine = punctuality->worst_since(began);
  const auto longest = bound.base + machine +
                       std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(bound.margin) * slack);
  require(measured && *measured <= longest,
          name + ": " + (measured ? in_seconds(*measured) : "never") + ", may take " +
              in_seconds(longest) + ", " + in_seconds(machine) + " of it for this machine");
}

void Row::take(const Heard& heard, std::string_view text) {
  first_content = heard.first_content_after();
  complete = heard.ended - heard.began;
  const auto got = heard.answer.text();
  const auto shared = common(text, got);
  missing = text.size() - shared;
  doubled = got.size() - shared;
  require(!heard.hung, "hung");
  if (heard.hung) {
    return;
  }
  if (heard.complete()) {
    require(got == text, "took for complete: " + got);
  } else if (heard.failed()) {
    lower(false, Verdict::safe, "an error: " + heard.error.value_or("the connection was cut"));
  } else {
    require(false, "a neat end of what was not complete, after: " + got);
  }
}

void Row::take_all(const std::vector<Heard>& all, std::string_view text) {
  for (const auto& heard : all) {
    if (heard.complete() && heard.answer.text() == text) {
      complete = std::max(complete.value_or(Clock::duration()), heard.ended - heard.began);
      first_content = std::max(first_content.value_or(Clock::duration()),
                               heard.first_content_after().value_or(Clock::duration()));
      const bool right = heard.header("x-understudy-member").ends_with("/" + heard.answer.model);
      report = report.value_or(true) && right;
      require(right, heard.answer.model + " answered, and the report names " +
                         heard.header("x-understudy-member"));
    } else {
      take(heard, text);
    }
  }
}

void Row::take_error(const Heard& heard, std::string_view word) {
  first_content = heard.first_content_after();
  complete = heard.ended - heard.began;
  require(!heard.hung, "hung");
  require(heard.failed(), "no error");
  check_error(heard, word);
}

void Row::check_error(const Heard& heard, std::string_view word) {
  report = heard.error && heard.error->find(word) != std::string::npos;
  require(*report, "the error does not say `" + std::string(word) +
                       "`: " + heard.error.value_or("the connection was cut"));
}

void Row::count(const std::vector<std::size_t>& of_members) {
  for (const auto n : of_members) {
    attempts += (attempts.empty() ? "" : "+") + std::to_string(n);
  }
}

void Row::check_report(const Heard& heard, std::size_t of_all, std::string_view member,
                       const std::vector<std::string>& words) {
  const auto why = heard.header("x-understudy-why");
  bool correct = heard.header("x-understudy-attempts") == std::to_string(of_all) &&
                 heard.header("x-understudy-member").ends_with(member);
  for (const auto& word : words) {
    correct = correct && why.find(word) != std::string::npos;
  }
  report = report.value_or(true) && correct;
  require(correct, "the report is not right: attempts " + heard.header("x-understudy-attempts") +
                       ", member " + heard.header("x-understudy-member") + ", why " + why);
}

void Row::abandoned(const SeenConnection& connection, std::optional<Clock::time_point> closed,
                    Clock::time_point due, Clock::time_point decided) {
  bytes_after += connection.sent_after(decided);
  require(closed.has_value(), "the abandoned attempt's connection stays open");
  if (closed) {
    late = std::max(late.value_or(Clock::duration::min()), *closed - due);
    closed_after = std::max(closed_after.value_or(Clock::duration::min()), *closed - decided);
    require_within(closed_after, Bound(0ms, closed_within), "the abandoned attempt closed");
  }
}

Stage::Stage(Wall& w, HttpClient& h, GatewayProcess& g, const std::string& id)
    : wall(w), http(h), gateway(g), route("s" + id.substr(1)) {}

std::size_t Played::attempts_within(Clock::duration since_asked) const {
  std::size_t n = 0;
  for (const auto* member : {&first, &second, &third}) {
    for (const auto& attempt : *member) {
      n += attempt.at() - heard.began <= since_asked ? 1 : 0;
    }
  }
  return n;
}

awaitable<Played> play(Stage& stage, Row& row, Question question) {
  Played played;
  played.heard = co_await stage.ask(std::move(question));
  played.first = stage.wall.attempts(stage.first());
  played.second = stage.wall.attempts(stage.second());
  played.third = stage.wall.attempts(stage.third());
  std::vector<std::size_t> counts{played.first.size(), played.second.size()};
  if (!played.third.empty()) {
    counts.push_back(played.third.size());
  }
  row.count(counts);
  co_return played;
}

awaitable<void> rescued(Stage& stage, Row& row, Rescue how) {
  const auto played = co_await play(stage, row, Question(stage.route, how.client));
  row.take(played.heard);
  row.require_within(row.first_content, how.first_token, "first token");
  row.check_report(played.heard, played.attempts(), stage.second(), how.words);
  row.require(!played.first.empty() && played.second.size() == 1, "one attempt of the second");
  if (how.limit && !played.first.empty() && !played.second.empty()) {
    const auto& last = played.first.back();
    row.abandoned(*last.connection, last.closed(), last.at() + *how.limit,
                  played.second.front().at());
  }
}

awaitable<void> answered_by_first(Stage& stage, Row& row, Question question,
                                  std::string_view text) {
  const auto played = co_await play(stage, row, std::move(question));
  row.take(played.heard, text);
  row.require(played.first.size() == 1 && played.second.empty(), "one attempt, and no other");
  row.false_kills = played.heard.complete() && played.second.empty() ? 0 : 1;
  const auto answered = stage.first() + " answered";
  if (!played.heard.header("x-understudy-attempts").empty()) {
    row.check_report(played.heard, 1, stage.first(), {answered});
  } else {  // the head went out before anybody had answered: the report is in the comment at the end
    row.report = played.heard.body.find(answered) != std::string::npos;
    row.require(*row.report, "no report at the end");
  }
}

void print(const std::vector<Row>& rows) {
  std::printf("%-4s %-46s %-8s %6s %6s %5s %-9s %6s %5s %-9s %6s %s\n", "", "", "", "first",
              "whole", "late", "attempts", "closed", "after", "text", "killed", "report");
  std::printf("%-4s %-46s %-8s %6s %6s %5s %-9s %6s %5s %-9s %6s %s\n", "id", "what", "verdict",
              "ms", "ms", "ms", "", "ms", "bytes", "-+ chars", "falsely", "right");
  for (const auto& row : rows) {
    const std::string report = row.report ? (*row.report ? "yes" : "no") : "-";
    std::printf("%-4s %-46s %-8s %6s %6s %5s %-9s %6s %5llu %-9s %6zu %s\n", row.id.c_str(),
                row.what.c_str(), std::string(to_string(row.verdict)).c_str(),
                cell(row.first_content).c_str(), cell(row.complete).c_str(), cell(row.late).c_str(),
                row.attempts.c_str(), cell(row.closed_after).c_str(),
                static_cast<unsigned long long>(row.bytes_after), text_cell(row).c_str(),
                row.false_kills, report.c_str());
  }
  for (const auto& row : rows) {
    constexpr std::size_t most = 5;
    for (std::size_t i = 0; i < std::min(most, row.notes.size()); ++i) {
      std::printf("%s: %s\n", row.id.c_str(), row.notes[i].c_str());
    }
    if (row.notes.size() > most) {
      std::printf("%s: and %zu more\n", row.id.c_str(), row.notes.size() - most);
    }
  }
}

}  // namespace scenarios
