#include "understudy/client/seam.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "seam_corpus.hpp"
#include "understudy/client/resume_request.hpp"

using namespace understudy;
using seam_corpus::answers_of;

namespace {

constexpr auto anchored = ResumeManner::anchored;
constexpr auto prefilled = ResumeManner::prefilled;
constexpr auto prefilled_trimmed = ResumeManner::prefilled_trimmed;

class Outcome {
 public:
  Outcome() noexcept {}

  SeamVerdict verdict = SeamVerdict::undecided;
  bool joined = false;
  std::string text;  // what was delivered after the seam
  std::size_t dropped = 0;

  bool operator==(const Outcome&) const = default;
};

/// Feeds `text` in pieces whose sizes `next` says.
Outcome feed(std::string_view delivered, ResumeManner manner, std::string_view text,
             const std::function<std::size_t()>& next) {
  Seam seam(delivered, manner);
  Outcome outcome;
  bool silent = true;  // while undecided, and when refused
  while (!text.empty()) {
    const auto piece = text.substr(0, next());
    text.remove_prefix(piece.size());
    const std::string memory(piece);  // a view of it that outlives the call is caught
    outcome.text += seam.feed(memory);
    silent = silent && (outcome.text.empty() || seam.joined());
  }
  outcome.text += seam.finish();
  REQUIRE((silent && !seam.undecided() && seam.joined() != seam.refused()));
  outcome.verdict = seam.verdict();
  outcome.joined = seam.joined();
  outcome.dropped = seam.dropped();
  return outcome;
}

Outcome feed(std::string_view delivered, ResumeManner manner, std::string_view text) {
  return feed(delivered, manner, text, [&] { return text.size(); });
}

std::string shown(const Outcome& outcome) {
  return std::string(to_string(outcome.verdict)) + "|" + outcome.text;
}

std::string joined(std::string_view delivered, std::string_view text,
                   ResumeManner manner = anchored) {
  return shown(feed(delivered, manner, text));
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }

std::vector<std::size_t> cuts_of(std::string_view text) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (begins_character(text[at])) {
      cuts.push_back(at);
    }
  }
  return cuts;
}

std::string_view last_characters(std::string_view text, std::size_t n) {
  auto at = text.size();
  while (at > 0 && n > 0) {
    n -= begins_character(text[--at]) ? 1 : 0;
  }
  return text.substr(at);
}

bool is_white(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::string_view white_end(std::string_view text) {
  auto at = text.size();
  while (at > 0 && is_white(text[at - 1])) {
    --at;
  }
  return text.substr(at);
}

/// As a reader counts: a run of white space is one, and none at the beginning.
std::size_t character_count(std::string_view text) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool counts = is_white(text[i]) ? n > 0 && !is_white(text[i - 1]) : true;
    n += counts && begins_character(text[i]) ? 1 : 0;
  }
  return n;
}

std::string replaced(std::string_view text,
                     const std::vector<std::pair<std::string_view, std::string_view>>& table) {
  std::string all;
  while (!text.empty()) {
    const auto found =
        std::ranges::find_if(table, [&](const auto& pair) { return text.starts_with(pair.first); });
    all += found == table.end() ? text.substr(0, 1) : found->second;
    text.remove_prefix(found == table.end() ? 1 : found->first.size());
  }
  return all;
}

std::string decomposed(std::string_view text) {
  return replaced(text, {{"é", "e\u0301"},       {"è", "e\u0300"},       {"ê", "e\u0302"},
                         {"à", "a\u0300"},       {"ï", "i\u0308"},       {"ü", "u\u0308"},
                         {"ö", "o\u0308"},       {"ä", "a\u0308"},       {"ß", "ß"},
                         {"í", "i\u0301"},       {"ó", "o\u0301"},       {"ñ", "n\u0303"},
                         {"ế", "e\u0302\u0301"}, {"ệ", "e\u0323\u0302"}, {"ấ", "a\u0302\u0301"},
                         {"ữ", "u\u031B\u0303"}, {"ọ", "o\u0323"},       {"ř", "r\u030C"},
                         {"š", "s\u030C"},       {"ž", "z\u030C"},       {"ů", "u\u030A"},
                         {"ą", "a\u0328"},       {"ż", "z\u0307"},       {"ć", "c\u0301"},
                         {"ğ", "g\u0306"},       {"ş", "s\u0327"},       {"å", "a\u030A"},
                         {"ά", "α\u0301"},       {"ή", "η\u0301"},       {"й", "и\u0306"},
                         {"ё", "е\u0308"},       {"ї", "і\u0308"}});
}

std::string straight(std::string_view text) {
  return replaced(text, {{"’", "'"}, {"‘", "'"}, {"“", "\""}, {"”", "\""}, {"\u2011", "-"}});
}

std::string curly(std::string_view text) { return replaced(text, {{"'", "’"}, {"\"", "”"}}); }

/// Runs of white space spelled otherwise, but for the one at the end.
std::string respaced(std::string_view text) {
  const auto end = white_end(text);
  text.remove_suffix(end.size());
  std::string all;
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_white(text[i])) {
      all += text[i];
    } else if (all.empty() || !is_white(text[i - 1])) {
      all += run++ % 3 == 0 ? "\n  " : run % 3 == 1 ? "\u00A0" : " \t";
    }
  }
  return all.append(end);
}

class Continuation {
 public:
  std::string_view name;
  ResumeManner manner;
  /// Of what was delivered, and what comes after it in truth: what the next member says.
  std::function<std::string(std::string_view, std::string_view)> says;
  bool right = true;
};

std::string tail_and_rest(std::string_view delivered, std::string_view rest, std::size_t n) {
  return std::string(last_characters(delivered, n)).append(rest);
}

std::string asked_and_rest(std::string_view delivered, std::string_view rest) {
  return resume_request(delivered).tail.append(white_end(delivered)).append(rest);
}

using Text = std::string_view;

const std::vector<Continuation>& right_continuations() {
  static const std::vector<Continuation> all{
      {"tail of 8", anchored, [](Text d, Text r) { return tail_and_rest(d, r, 8); }},
      {"tail of 20", anchored, [](Text d, Text r) { return tail_and_rest(d, r, 20); }},
      {"tail of 40", anchored, [](Text d, Text r) { return tail_and_rest(d, r, 40); }},
      {"tail of 80", anchored, [](Text d, Text r) { return tail_and_rest(d, r, 80); }},
      {"tail as asked", anchored, asked_and_rest},
      {"tail as asked, with a line break before", anchored,
       [](Text d, Text r) { return "\n" + asked_and_rest(d, r); }},
      {"restart", anchored, [](Text d, Text r) { return std::string(d).append(r); }},
      {"restart, other white space", anchored,
       [](Text d, Text r) { return respaced(d).append(r); }},
      {"tail of 40, other white space", anchored,
       [](Text d, Text r) { return respaced(last_characters(d, 40)).append(r); }},
      {"tail of 40, decomposed", anchored,
       [](Text d, Text r) { return decomposed(last_characters(d, 40)).append(r); }},
      {"tail of 40, straight quotes", anchored,
       [](Text d, Text r) { return straight(last_characters(d, 40)).append(r); }},
      {"tail of 40, curly quotes", anchored,
       [](Text d, Text r) { return curly(last_characters(d, 40)).append(r); }},
      {"prefilled: exact", prefilled, [](Text, Text r) { return std::string(r); }},
      {"prefilled: exact, trimmed", prefilled_trimmed,
       [](Text d, Text r) { return std::string(white_end(d)).append(r); }},
      {"prefilled: tail of 40", prefilled, [](Text d, Text r) { return tail_and_rest(d, r, 40); }},
      {"prefilled: restart", prefilled_trimmed,
       [](Text d, Text r) { return std::string(d).append(r); }},
  };
  return all;
}

/// With the `n`th character changed, counted from the end; an earlier one, if that is white space.
std::string changed(std::string_view text, std::size_t n) {
  auto end = last_characters(text, n);
  while (is_white(end.front()) && end.size() < text.size()) {
    end = last_characters(text, ++n);
  }
  const auto begin = last_characters(end, n - 1);
  return std::string(text.substr(0, text.size() - end.size()))
      .append(end.starts_with('#') ? "%" : "#")
      .append(begin);
}

const std::vector<Continuation>& wrong_continuations() {
  static const std::vector<Continuation> all{
      {"chatter", anchored,
       [](Text d, Text r) { return "Sure, here is the rest:\n\n" + tail_and_rest(d, r, 40); }},
      {"chatter and the rest", anchored,
       [](Text, Text r) { return "Sure, here is the rest: " + std::string(r); }},
      {"apology", anchored,
       [](Text d, Text r) { return "I apologise for the cut. " + std::string(d).append(r); }},
      {"another answer", anchored,
       [](Text, Text) { return "Volcanoes are openings in a planet's crust, as we know."; }},
      {"json", anchored,
       [](Text, Text r) { return "{\"continuation\": \"" + std::string(r) + "\"}"; }},
      {"tag", anchored, [](Text d, Text r) { return "<answer>" + tail_and_rest(d, r, 40); }},
      {"last character changed", anchored,
       [](Text d, Text r) { return changed(last_characters(d, 40), 1).append(r); }},
      {"5th last changed", anchored,
       [](Text d, Text r) { return changed(last_characters(d, 40), 5).append(r); }},
      {"middle changed", anchored,
       [](Text d, Text r) { return changed(last_characters(d, 40), 20).append(r); }},
      {"first changed", anchored,
       [](Text d, Text r) { return changed(last_characters(d, 40), 40).append(r); }},
      {"restart with one changed", anchored,
       [](Text d, Text r) { return changed(d, 10).append(r); }},
      {"prefilled, restart with one changed", prefilled,
       [](Text d, Text r) { return changed(d, 3).append(r); }},
      {"prefilled, 3rd last changed", prefilled,
       [](Text d, Text r) { return changed(last_characters(d, 80), 3).append(r); }},
  };
  return all;
}

/// Not as asked. They may be refused; where joined, they should be right.
const std::vector<Continuation>& doubtful_continuations() {
  static const std::vector<Continuation> all{
      {"fence", anchored, [](Text d, Text r) { return "```\n" + tail_and_rest(d, r, 40); }},
      {"quotation mark", anchored, [](Text d, Text r) { return "\"" + tail_and_rest(d, r, 40); }},
      {"quoted", anchored, [](Text d, Text r) { return "> " + tail_and_rest(d, r, 40); }},
      {"dots", anchored, [](Text d, Text r) { return "..." + tail_and_rest(d, r, 40); }},
      // Nobody can see these in an answer that repeats itself.
      {"exact, though asked to repeat", anchored, [](Text, Text r) { return std::string(r); }},
      {"tail of 7", anchored, [](Text d, Text r) { return tail_and_rest(d, r, 7); }},
      {"tail of 4", anchored, [](Text d, Text r) { return tail_and_rest(d, r, 4); }},
  };
  return all;
}

class Tally {
 public:
  std::size_t tried = 0;
  std::size_t taken = 0;
  std::size_t wrong = 0;

  void add(bool joined, bool right) {
    ++tried;
    taken += joined ? 1 : 0;
    wrong += joined && !right ? 1 : 0;
  }
  double rate() const {
    return tried == 0 ? 1 : static_cast<double>(taken) / static_cast<double>(tried);
  }
};

class Tried {
 public:
  std::string name;
  std::string_view delivered;
  std::string_view rest;
  std::string said;
  Outcome outcome;
  bool right = false;  // not a character missing or doubled
};

using Judge = std::function<void(const Continuation&, const Tried&)>;

/// Every answer of `kind`, cut at every character (long ones at every `step`th), continued in every way;
/// fed whole, and in bytes and random pieces too at every `finely`th cut.
void try_all(const std::string& kind, const std::vector<Continuation>& continuations,
             std::size_t step, std::size_t finely, const Judge& judge) {
  std::mt19937 random(20260915);
  for (const auto& answer : answers_of(kind)) {
    const auto cuts = cuts_of(answer.text);
    const auto every = cuts.size() <= 100 ? 1 : step;
    for (std::size_t n = 0; n < cuts.size(); n += every) {
      const auto delivered = std::string_view(answer.text).substr(0, cuts[n]);
      const auto rest = std::string_view(answer.text).substr(cuts[n]);
      for (const auto& continuation : continuations) {
        Tried t;
        t.name = answer.name + ", cut at " + std::to_string(cuts[n]) + ", " +
                 std::string(continuation.name);
        t.said = continuation.says(delivered, rest);
        t.outcome = feed(delivered, continuation.manner, t.said);
        t.right = t.outcome.joined && t.outcome.text == rest;
        t.delivered = delivered;
        t.rest = rest;
        CAPTURE(t.name);
        CAPTURE(t.said);
        CAPTURE(t.outcome.text);
        if (n / every % finely == 0) {
          CHECK(feed(delivered, continuation.manner, t.said, [] { return 1; }) == t.outcome);
          CHECK(feed(delivered, continuation.manner, t.said, [&] { return random() % 16 + 1; }) ==
                t.outcome);
        }
        judge(continuation, t);
      }
    }
  }
}

constexpr const char* kinds[] = {"prose", "code",  "lists",         "json",     "tables",
                                 "cjk",   "emoji", "right_to_left", "repeating"};

std::string_view stripped(std::string_view text) {
  text.remove_suffix(white_end(text).size());
  while (!text.empty() && is_white(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

/// A prefilled answer that says the same twice in a row, and was cut between (seam.hpp, invariant 5).
bool said_twice(const Tried& t) {
  const auto again = stripped(std::string_view(t.said).substr(0, t.outcome.dropped));
  return character_count(again) + 1 >= seam_overlap_prefilled &&
         stripped(t.delivered).ends_with(again) && stripped(t.rest).starts_with(again);
}

/// Of right continuations with an overlap of 20 character_count, how many must be taken: measured, and a
/// little less.
double rate_asked(const std::string& kind, std::string_view continuation) {
  const bool exact = continuation.starts_with("prefilled: exact");
  if (kind == "repeating") {
    return exact ? 0.4 : continuation.starts_with("tail as asked") ? 0.7 : 0.45;
  }
  return exact ? 0.97 : 0.98;
}

void check_right_continuations(std::size_t step, std::size_t finely) {
  for (const std::string kind : kinds) {
    std::map<std::string_view, Tally> tallies;
    try_all(kind, right_continuations(), step, finely,
            [&](const Continuation& continuation, const Tried& t) {
              const bool exact = continuation.name.starts_with("prefilled: exact");
              const auto overlap = character_count(continuation.says(t.delivered, ""));
              if (t.outcome.joined && (exact ? !said_twice(t) : overlap >= seam_overlap)) {
                CHECK(t.right);
              }
              if ((exact || overlap >= 20) && character_count(t.delivered) >= 20) {
                tallies[continuation.name].add(t.outcome.joined, t.right);
              }
            });
    for (const auto& [name, tally] : tallies) {
      INFO(kind, ", ", name, ": ", tally.taken, " of ", tally.tried);
      CHECK(tally.rate() >= rate_asked(kind, name));
    }
  }
}

void check_wrong_continuations(std::size_t step, std::size_t finely) {
  for (const std::string kind : kinds) {
    try_all(kind, wrong_continuations(), step, finely,
            [](const Continuation& continuation, const Tried& t) {
              // After a prefill, what departs within its first 16 character_count is not seen.
              if (character_count(t.delivered) >= (continuation.manner == anchored ? 8 : 40)) {
                CHECK_FALSE(t.outcome.joined);
              }
            });
    std::map<std::string_view, Tally> tallies;
    try_all(kind, doubtful_continuations(), step, finely,
            [&](const Continuation& continuation, const Tried& t) {
              if (character_count(t.delivered) >= 8) {
                tallies[continuation.name].add(t.outcome.joined, t.right);
              }
            });
    for (const auto& [name, tally] : tallies) {
      INFO(kind, ", ", name, ": ", tally.wrong, " of ", tally.tried);
      const bool marked = name == "fence" || name.starts_with("quot") || name == "dots";
      CHECK(static_cast<double>(tally.wrong) <=
            static_cast<double>(tally.tried) * (marked                ? 0
                                                : kind == "repeating" ? 0.03
                                                                      : 0.002));
    }
  }
}

/// Answers of few different words, so that nearly all of them repeat themselves.
std::string random_answer(std::mt19937& random) {
  static constexpr const char* words[] = {"a",    "b",    "ab", " ",           "  ",
                                          "\n",   "the ", "é ", "e\u0301",     "“x” ",
                                          "| 0 ", "🙂",   "好", "lorem ipsum "};
  const std::size_t variety = random() % std::size(words) + 1;
  const std::size_t from = random() % std::size(words);
  std::string text;
  for (std::size_t n = random() % 60 + 10; n > 0; --n) {
    text += words[(from + random() % variety) % std::size(words)];
  }
  return text;
}

}  // namespace

TEST_CASE("the corpus has 200 answers and more, each of its own name") {
  std::set<std::string> names;
  for (const std::string kind : kinds) {
    for (const auto& answer : answers_of(kind)) {
      CHECK_FALSE(answer.text.empty());
      names.insert(answer.name);
    }
  }
  CHECK(names.size() >= 200);
}

TEST_CASE("right continuations: nothing missing, nothing doubled, nearly all taken") {
  check_right_continuations(4, 7);
}

TEST_CASE("wrong continuations are refused") { check_wrong_continuations(8, 7); }

TEST_CASE("a tail of at least 8 characters joins at the end and nowhere else, or is refused") {
  std::size_t taken = 0;
  for (unsigned seed = 1; seed <= 4000; ++seed) {
    std::mt19937 random(seed);
    const auto answer = random_answer(random);
    const auto cuts = cuts_of(answer);
    if (cuts.empty()) {
      continue;
    }
    const auto cut = cuts[random() % cuts.size()];
    const auto delivered = std::string_view(answer).substr(0, cut);
    const auto rest = std::string_view(answer).substr(cut);
    const auto tail = random() % 4 == 0 ? delivered : last_characters(delivered, random() % 50);
    if (character_count(tail) < seam_overlap) {
      continue;
    }
    const auto outcome = feed(delivered, random() % 2 == 0 ? anchored : prefilled,
                              std::string(tail).append(rest), [&] { return random() % 9 + 1; });
    CAPTURE(seed);
    CAPTURE(answer);
    CAPTURE(cut);
    CAPTURE(tail);
    if (outcome.joined && outcome.verdict != SeamVerdict::went_on) {
      CHECK(outcome.text == rest);
      ++taken;
    }
  }
  CHECK(taken > 200);
}

TEST_CASE("the example of the header") {
  Seam seam("The quick brown fox jumps", anchored);
  CHECK(seam.feed("brown fox ") == "");
  CHECK(seam.undecided());
  CHECK(seam.feed("jumps over the") == " over the");
  CHECK(seam.joined());
  CHECK(seam.feed(" lazy dog.") == " lazy dog.");
  CHECK(seam.finish() == "");
  CHECK(seam.verdict() == SeamVerdict::repeated_tail);
  CHECK(seam.dropped() == 15);
}

TEST_CASE("how much must be repeated") {
  const auto delivered = "The tide turns at six";
  CHECK(joined(delivered, "s at six, sharp.") == "repeated_tail|, sharp.");
  CHECK(joined(delivered, " at six, sharp.") == "no_overlap|");
  CHECK(joined(delivered, "The tide turns at six, sharp.") == "restarted|, sharp.");
  CHECK(joined(delivered, "The tide turns, at six, sharp.") == "no_overlap|");
  CHECK(joined(delivered, ", sharp.") == "no_overlap|");
  CHECK(joined(delivered, "turns at six") == "repeated_tail|");
  CHECK(joined(delivered, "turns at s") == "ended_early|");
  CHECK(joined(delivered, "") == "ended_early|");
  CHECK(joined(delivered, " \n") == "ended_early|");
}

TEST_CASE("a delivered text that is shorter than an overlap is repeated whole") {
  CHECK(joined("Hello", "Hello, world.") == "restarted|, world.");
  CHECK(joined("Hello", "ello, world.") == "no_overlap|");
  CHECK(joined("Hello", "Hello") == "restarted|");
  CHECK(joined("The", "The tide") == "restarted| tide");
  CHECK(joined("I", "In the evening") == "restarted|n the evening");
  CHECK(joined("I", "The tide") == "no_overlap|");
  CHECK(joined("你好世界", "你好世界。") == "restarted|。");
}

TEST_CASE("a member that starts over: all of the delivered text, and nothing else, is its seam") {
  const auto from_start = ResumeManner::from_start;
  CHECK(joined("one two one two ", "one two one two three", from_start) == "restarted|three");
  CHECK(joined("one two one two ", "one two three", from_start) == "no_overlap|");
  CHECK(joined("ha ", "ha ha ha", from_start) == "restarted|ha ha");
  CHECK(joined("The tide turns at six", "turns at six, sharp.", from_start) == "no_overlap|");
  CHECK(joined("The tide turns at six", "The tide turns", from_start) == "ended_early|");
  CHECK(joined("The tide turns at six", "", from_start) == "ended_early|");
}

TEST_CASE("when nothing but white space was delivered, the new text is all") {
  CHECK(joined("", "Hello.") == "went_on|Hello.");
  CHECK(joined("\n", "\n\nHello.") == "went_on|\nHello.");
  CHECK(joined("\n", "Hello.") == "went_on|Hello.");
  CHECK(joined("", "") == "ended_early|");
}

TEST_CASE("after a prefill") {
  const auto delivered = "It was a dark and stormy night; the rain fell";
  CHECK(joined(delivered, " in torrents.", prefilled) == "went_on| in torrents.");
  CHECK(joined(delivered, " in", prefilled) == "went_on| in");
  CHECK(joined(delivered, "", prefilled) == "went_on|");  // there was nothing left to say
  CHECK(joined(delivered, "night; the rain fell in torrents.", prefilled) ==
        "repeated_tail| in torrents.");
  CHECK(joined(delivered, "It was a dark and stormy night; the rain fell in torrents.",
               prefilled) == "restarted| in torrents.");
  CHECK(joined(delivered, "It was a dark and rainy night.", prefilled) == "no_overlap|");
  // Its own repetition, or the tail: who knows.
  CHECK(joined(delivered, "rain fell, and fell.", prefilled) == "ambiguous|");
  CHECK(joined("It rains on us. It rains on us. ", "It rains on us. ", prefilled) == "ambiguous|");
}

TEST_CASE("white space that a prefill had to leave out is not said again") {
  CHECK(joined("One.\n", "\n\nTwo.", ResumeManner::prefilled_trimmed) == "went_on|\nTwo.");
  CHECK(joined("One. ", " Two.", ResumeManner::prefilled_trimmed) == "went_on|Two.");
  CHECK(joined("One. ", "Two.", ResumeManner::prefilled_trimmed) == "went_on|Two.");
  CHECK(joined("One.", " Two.", ResumeManner::prefilled_trimmed) == "went_on| Two.");
  CHECK(joined("One.\n", "\nTwo.", prefilled) == "went_on|\nTwo.");
}

TEST_CASE("white space at the seam") {
  const auto seam = [](const std::string& before, const std::string& after) {
    const auto outcome = feed("the end of it" + before, anchored, "the end of it" + after + "next");
    return outcome.joined ? outcome.text : std::string(to_string(outcome.verdict));
  };
  CHECK(seam("", " ") == " next");
  CHECK(seam(" ", " ") == "next");
  CHECK(seam("\n", "\n\n") == "\nnext");
  CHECK(seam("\n\n", "\n") == "next");
  CHECK(seam(" ", "\n") == "\nnext");
  CHECK(seam("  ", "\n- ") == "\n- next");
  CHECK(seam("\n", " ") == "next");
  CHECK(seam("\n", "\n    ") == "    next");
  CHECK(seam("\n  ", "\n    ") == "  next");
  CHECK(seam("\n    ", "\n  ") == "next");
  CHECK(seam("\n", "\r\n\r\n") == "\r\nnext");
  CHECK(seam("\r", "\r\n") == "\nnext");
  CHECK(seam("\u00A0", " ") == "next");
  // What was delivered has a space where the new text has none: it says something else.
  CHECK(seam(" ", "") == "no_overlap");
}

TEST_CASE("what is alike, and what is not") {
  CHECK(joined("Élodie’s “naïve” café", "Elodie's \"naive\" cafe is") == "no_overlap|");
  CHECK(joined("Élodie’s “naïve” café", "E\u0301lodie's \"nai\u0308ve\" cafe\u0301 is") ==
        "restarted| is");
  CHECK(joined("Tiếng Việt", "Tie\u0302\u0301ng Vie\u0323\u0302t có") == "restarted| có");
  CHECK(joined("Tie\u0302\u0301ng Vie\u0323\u0302t", "Tiếng Việt có") == "restarted| có");
  CHECK(joined("the well-known", "the well\u2011known rule") == "restarted| rule");
  CHECK(joined("the well-known", "the well—known rule") == "no_overlap|");
  CHECK(joined("A Capital Letter", "a capital letter here") == "no_overlap|");
}

TEST_CASE("cut between a letter and its mark") {
  CHECK(joined("we met in the cafe", "we met in the cafe\u0301 at six") ==
        "restarted|\u0301 at six");
  CHECK(joined("we met in the cafe", "we met in the café at six") == "restarted|\u0301 at six");
  CHECK(joined("we met in the cafe ", "we met in the café at six") == "no_overlap|");
  CHECK(joined("một hai ba nga", "một hai ba ngày") == "restarted|\u0300y");
}

TEST_CASE("cut within a character's bytes") {
  const std::string answer = "smiling faces: 🙂 and more";
  const auto smile = answer.find("🙂");
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(joined(answer.substr(0, smile + i), answer) == "restarted|" + answer.substr(smile + i));
  }
}

TEST_CASE("an answer that repeats itself: only what occurs once is a seam") {
  CHECK(joined("ha ha ha ha ha ha ha ha", "ha ha ha ha ha ha and") == "ambiguous|");
  CHECK(joined("He said: ha ha ha ha", "He said: ha ha ha ha ha") == "restarted| ha");
  CHECK(joined("| 0 | 0 |\n| 0 | 0 |\n", "| 0 | 0 |\n| 1") == "ambiguous|");
  CHECK(joined("x, bar, foo, bar,", "bar, foo, bar, foo") == "ambiguous|");
  // Though it goes on as the earlier place does not.
  CHECK(joined("the first one, then the first one", "the first one. Then") == "ambiguous|");
}

TEST_CASE("chatter, fences and quotes") {
  const auto delivered = "int main() {\n  return 0;";
  const std::string tail = "main() {\n  return 0;\n}";
  CHECK(joined(delivered, tail) == "repeated_tail|\n}");
  CHECK(joined(delivered, "Sure, here is the rest:\n\n" + tail) == "no_overlap|");
  CHECK(joined(delivered, "```cpp\n" + tail + "\n```") == "no_overlap|");
  CHECK(joined(delivered, "\"" + tail + "\"") == "no_overlap|");
  CHECK(joined(delivered, "> " + tail) == "no_overlap|");
  CHECK(joined(delivered, "..." + tail) == "no_overlap|");
  // Here the fence was delivered.
  CHECK(joined("Here:\n```cpp\nint main() {", "```cpp\nint main() {\n}") == "repeated_tail|\n}");
}

TEST_CASE("undecided within its bound is no seam") {
  const std::string delivered = "The tide turns at six.";
  const std::string blanks(2 * delivered.size() + seam_undecided_bound, ' ');
  CHECK(joined(delivered, blanks + "The tide turns at six. Then") == "too_long|");
  CHECK(joined(delivered, "The tide turns" + blanks + "at six. Then") == "too_long|");
  CHECK(joined(delivered, blanks.substr(100) + "The tide turns at six. Then") == "restarted| Then");

  Seam seam(delivered, anchored);
  for (std::size_t i = 0; i < blanks.size() + 1; ++i) {
    CHECK(seam.feed(" ") == "");
  }
  CHECK(seam.verdict() == SeamVerdict::too_long);
}

TEST_CASE("linear, whatever comes") {
  const auto steps = [](std::string_view delivered, std::string_view text) {
    Seam seam(delivered, anchored);
    for (std::size_t at = 0; at < text.size(); at += 5) {
      seam.feed(text.substr(at, 5));
    }
    return seam.steps();
  };
  constexpr std::size_t mebibyte = std::size_t{1024} * 1024;
  const std::string same(mebibyte, 'a');
  CHECK(steps(same, same) <= 33 * same.size());
  std::string rows;
  for (int i = 0; i < 20000; ++i) {
    rows += "| 2024 | the same in every row | " + std::to_string(i % 7) + " |\n";
  }
  CHECK(steps(rows, rows) <= 33 * rows.size());
  std::string prose;
  std::mt19937 random(7);
  while (prose.size() < mebibyte) {
    prose += static_cast<char>('a' + random() % 26);
  }
  CHECK(steps(prose, prose) <= 2 * prose.size());
  Seam restarted(prose, anchored);
  restarted.feed(prose);
  CHECK(restarted.feed("!") == "!");
}

TEST_CASE("any bytes: the outcome does not depend on how they are cut") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    std::string bytes;
    for (std::size_t i = random() % 200; i > 0; --i) {
      bytes += static_cast<char>("\xC3\xA9\xE2\x80\x99\xF0\x9F\xFF\x80 \nabe"[random() % 15]);
    }
    const auto cut = bytes.empty() ? 0 : random() % bytes.size();
    const auto delivered = bytes.substr(0, cut);
    const auto text = bytes.substr(random() % (cut + 1));
    for (const auto manner : {anchored, prefilled, prefilled_trimmed}) {
      CAPTURE(seed);
      CHECK(feed(delivered, manner, text, [] { return 1; }) == feed(delivered, manner, text));
    }
  }
}

TEST_CASE("every verdict has a name") {
  std::set<std::string_view> names;
  for (auto v = SeamVerdict::undecided; v <= SeamVerdict::ended_early;
       v = static_cast<SeamVerdict>(static_cast<int>(v) + 1)) {
    names.insert(to_string(v));
  }
  CHECK(names.size() == 8);
}

TEST_SUITE("full") {
  TEST_CASE("every cut of every answer") {
    check_right_continuations(1, 1);
    check_wrong_continuations(1, 1);
  }
}
