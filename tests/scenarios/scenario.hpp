/// A scenario: what the wall does, what is asked, and what the answer has to be; and the row of the table that
/// comes of it.
///
/// Invariants
/// 1. A row begins as `pass` and is only ever lowered, with a note that says why.
/// 2. Upper bounds are longer by the time by which the machine was late meanwhile, at its worst.
/// 3. Rescued means: the exact text, once, in one valid message. An error that the client sees is `safe`. A neat
///    end of anything else is `fail`.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client.hpp"
#include "gateway_process.hpp"
#include "wall.hpp"

namespace scenarios {

enum class Verdict : unsigned char { fail, safe, partial, pass };

std::string_view to_string(Verdict verdict) noexcept;

/// How late this machine is: a clock that should tick every 5 ms.
class Punctuality {
 public:
  /// Until it is cancelled.
  awaitable<void> watch();
  /// Of the ticks that were due from `time` on.
  Clock::duration worst_since(Clock::time_point time) const;

 private:
  std::vector<std::pair<Clock::time_point, Clock::duration>> late_;  // due, and how much
};

/// How long something may take: what the limits take by themselves, and a margin on top, which alone grows where
/// everything is slow (`--slack`).
class Bound {
 public:
  Bound(Clock::duration of_limits, Clock::duration m) : base(of_limits), margin(m) {}

  Clock::duration base;
  Clock::duration margin;
};

/// See the top of the file.
class Row {
 public:
  Row(std::string i, std::string w, double s, const Punctuality& p)
      : id(std::move(i)), what(std::move(w)), slack(s), punctuality(&p) {}

  /// R of scenarios.md: else it fails.
  void require(bool holds, const std::string& otherwise) { lower(holds, Verdict::fail, otherwise); }
  /// A of scenarios.md: else it is partial at best.
  void advise(bool holds, const std::string& otherwise) {
    lower(holds, Verdict::partial, otherwise);
  }
  void require_within(std::optional<Clock::duration> measured, const Bound& bound,
                      const std::string& name);

  /// Rescued, safe or failed (invariant 3); and the times.
  void take(const Heard& heard, std::string_view text = sixty_words);
  /// The same of many answers: the longest times, and whether each one's report names who answered.
  void take_all(const std::vector<Heard>& all, std::string_view text = sixty_words);
  /// An error is what should come, and it names its reason.
  void take_error(const Heard& heard, std::string_view word);

  /// How many attempts each member saw.
  void count(const std::vector<std::size_t>& attempts);
  /// The answer's headers name that member, so many attempts, and all of `words`.
  void check_report(const Heard& heard, std::size_t attempts, std::string_view member,
                    const std::vector<std::string>& words);
  /// The error that came says `word`.
  void check_error(const Heard& heard, std::string_view word);
  /// The attempt was abandoned because something had been due; `decided`: when that could first be seen.
  void abandoned(const SeenConnection& connection, std::optional<Clock::time_point> closed,
                 Clock::time_point due, Clock::time_point decided);

  std::string id;
  std::string what;
  double slack;
  const Punctuality* punctuality;
  Clock::time_point began;
  Verdict verdict = Verdict::pass;
  std::vector<std::string> notes;

  std::optional<Clock::duration> first_content;
  std::optional<Clock::duration> complete;
  std::optional<Clock::duration> late;          ///< the attempt's end, after its limit
  std::optional<Clock::duration> closed_after;  ///< the attempt's end, after the decision
  std::string attempts;                         ///< "2+1": of each member
  std::uint64_t bytes_after = 0;                ///< that the wall sent after the decision
  std::size_t missing = 0;                      ///< characters
  std::size_t doubled = 0;
  std::size_t false_kills = 0;
  std::optional<bool> report;  ///< correct

 private:
  void lower(bool holds, Verdict to, const std::string& why);
};

/// What a scenario works with.
class Stage {
 public:
  Stage(Wall& w, HttpClient& h, GatewayProcess& g, const std::string& id);

  /// The models of its members, and what its clients ask for.
  std::string first() const { return route + "-first"; }
  std::string second() const { return route + "-second"; }
  std::string third() const { return route + "-third"; }

  awaitable<Heard> ask(Question question) {
    return scenarios::ask(http, gateway.port(), std::move(question));
  }
  awaitable<Heard> ask(Protocol protocol) { return ask(Question(route, protocol)); }

  Wall& wall;
  HttpClient& http;
  GatewayProcess& gateway;
  std::string route;  ///< "s17"
};

/// A call, and what the wall saw of it.
class Played {
 public:
  Played() {}

  std::size_t attempts() const noexcept { return first.size() + second.size() + third.size(); }
  std::size_t attempts_within(Clock::duration since_asked) const;

  Heard heard;
  std::vector<WallAttempt> first;
  std::vector<WallAttempt> second;
  std::vector<WallAttempt> third;
};

/// Asks, and counts.
awaitable<Played> play(Stage& stage, Row& row, Question question);

/// The first member has to be left, and the next one to answer.
class Rescue {
 public:
  Rescue(Protocol c, Bound b, std::vector<std::string> in_report)
      : client(c), first_token(b), words(std::move(in_report)) {}

  /// The first member's attempt is over when this has passed since its request came.
  Rescue& at_limit(Clock::duration d) { return limit = d, *this; }

  Protocol client;
  Bound first_token;
  std::vector<std::string> words;
  std::optional<Clock::duration> limit;
};
awaitable<void> rescued(Stage& stage, Row& row, Rescue how);

/// The first member answers, whatever it looked like.
awaitable<void> answered_by_first(Stage& stage, Row& row, Question question,
                                  std::string_view text = sixty_words);

/// An entry of the table of scenarios.
class Scenario {
 public:
  /// Which gateway: by the file that it is configured with.
  enum class Setup : unsigned char { failover_bench, ours, defaults, own_process };
  /// quick: under 5 s. very_long: a minute and more, and no hurry. crowd: keeps the machine busy, so they run one
  /// after the other, beside the very long ones alone; not quick either, as a busy machine fails them.
  enum class Length : unsigned char { quick, medium, very_long, crowd };
  using Run = awaitable<void> (*)(Stage&, Row&);

  Scenario(std::string_view i, std::string_view w, Setup s, Length l, Run r)
      : id(i), what(w), setup(s), length(l), run(r) {}

  bool quick() const noexcept { return length == Length::quick; }
  bool alone() const noexcept { return length == Length::crowd; }

  std::string_view id;
  std::string_view what;
  Setup setup;
  Length length;
  Run run;
};

/// scenarios.md 1 and 2, in their order.
std::vector<Scenario> failover_bench();
std::vector<Scenario> ours();
std::vector<Scenario> crowds();

/// For people: a line a row, then what is to be said of those that did not pass.
void print(const std::vector<Row>& rows);

}  // namespace scenarios
