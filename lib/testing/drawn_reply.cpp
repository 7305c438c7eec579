#include "drawn_reply.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "client/folding.hpp"

namespace understudy::testing {
namespace {

using namespace std::chrono_literals;

std::size_t next_character(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (!detail::at_code_point(text, at));
  return at;
}

/// So many characters before `end`, and from there on to no white space.
std::size_t back_from(std::string_view text, std::size_t end, std::size_t characters) {
  auto at = end;
  for (; at > 0 && characters > 0; --characters) {
    do {
      --at;
    } while (!detail::at_code_point(text, at));
  }
  return at + detail::white_prefix(text.substr(at, end - at));
}

/// A prefilled member repeats so many characters or nothing; fewer cannot be told from going on.
constexpr std::size_t prefilled_tail = 40;

/// What is heard of it before the wrong character must be enough to see that it is meant as a repetition.
constexpr std::size_t prefilled_heard = 24;

std::string miss_nearly(Dice& dice, std::string_view text, std::string_view said, bool prefilled) {
  const auto end = detail::white_suffix(said);
  const auto begin = prefilled || dice.chance(30) ? 0 : back_from(text, end, 16 + dice.pick(60));
  auto at = begin;
  if (prefilled) {
    while (at < end && detail::code_points(detail::folded(text.substr(0, at))) < prefilled_heard) {
      at = next_character(text, at);
    }
  }
  std::vector<std::size_t> places;
  for (; at < end; at = next_character(text, at)) {
    places.push_back(at);
  }
  if (places.empty()) {
    return std::string(text);
  }
  const auto wrong = places[dice.pick(places.size())];
  return std::string(text.substr(begin, wrong - begin)) + "~" +
         std::string(text.substr(next_character(text, wrong)));
}

std::string draw_said(Dice& dice, Manner manner, std::string_view text, std::string_view said,
                      bool prefilled) {
  const auto rest = [&](std::size_t at) { return std::string(text.substr(at)); };
  const auto trimmed = detail::white_suffix(said);
  switch (manner) {
    case Manner::whole: return rest(0);
    case Manner::tail:
      return rest(back_from(text, dice.chance(50) ? said.size() : trimmed,
                            prefilled ? prefilled_tail + dice.pick(40) : 1 + dice.pick(70)));
    case Manner::exact: {
      // What it got of white space was taken away: it says that again, or leaves it out, but no half of it.
      const bool amid_white = detail::white_prefix(text.substr(said.size())) > 0;
      return rest(prefilled && (amid_white || dice.chance(50)) ? trimmed : said.size());
    }
    case Manner::calls_alone: return {};
    case Manner::chatter: {
      constexpr auto before = std::to_array<std::string_view>(
          {"Sure, here is the rest: ", "Sure, here is the rest:\n\n```\n", "I was saying... ",
           "(continued) \""});
      return std::string(before[dice.pick(before.size())]) +
             rest(dice.chance(50) ? said.size() : back_from(text, trimmed, 40));
    }
    case Manner::other_answer: return "I am afraid I cannot see any water gauge from here.";
    case Manner::near_miss: return miss_nearly(dice, text, said, prefilled);
  }
  return {};
}

Fault draw_kind(Dice& dice, const Reply& reply, std::string& name) {
  const auto heartbeats = dice.chance(50) ? Clock::duration(1s) : Clock::duration::zero();
  // After `stop` with every event these two are a proper end, to any reader.
  const bool ends = reply.finishes == Reply::Finishes::with_every_event;
  // So is `[DONE]` in Chat behind one of two calls: their finish is inferred (protocols.md 9.2).
  const bool done_ends =
      ends || std::ranges::count(reply.said, Reply::Said::Kind::call, &Reply::Said::kind) > 1;
  switch (dice.pick(8)) {
    case 0: return name = "silence", Fault::silence(heartbeats);
    case 1: return name = "pause", Fault::pause(dice.chance(50) ? 1s : 10s, heartbeats);
    case 2: return name = "reset", Fault::reset();
    case 3: return name = "close", Fault::close();
    case 4: return name = "truncated chunk", Fault::truncated_chunk();
    case 5: return ends ? (name = "close", Fault::close()) : (name = "end", Fault::end());
    case 6: return name = "error", Fault::error("overloaded_error", "Overloaded");
    default: break;
  }
  switch (dice.pick(4)) {
    case 0: return name = "comment", Fault::bytes(": a comment\n\n");
    case 1: return name = "hole", Fault::bytes("data: {no JSON\n\n");
    case 2: return name = "noise", Fault::bytes("data: noise\n\n");
    default: break;
  }
  return done_ends ? (name = "reset", Fault::reset())
                   : (name = "false end", Fault::bytes("data: [DONE]\n\n"));
}

/// As the server sends them: the start, the words and the begins of calls, the finish, the end.
std::size_t events_of(const Reply& reply) {
  std::size_t events = 3;
  for (const auto& said : reply.said) {
    const bool call = said.kind == Reply::Said::Kind::call;
    const bool twice = call && reply.resent == Reply::Arguments::pieces_again;
    const auto words = 1 + static_cast<std::size_t>(std::ranges::count(said.text, ' '));
    events += (twice ? 2 : 1) * words + (call ? 1 : 0);
  }
  return events;
}

}  // namespace

std::string_view to_string(Manner manner) noexcept {
  switch (manner) {
    case Manner::whole: return "the whole again";
    case Manner::tail: return "the tail again";
    case Manner::exact: return "what comes next";
    case Manner::calls_alone: return "the calls alone";
    case Manner::chatter: return "chatter";
    case Manner::other_answer: return "another answer";
    case Manner::near_miss: return "a near miss";
  }
  return {};
}

Manner draw_manner(Dice& dice, bool prefilled) {
  constexpr std::array right{Manner::whole, Manner::tail, Manner::tail, Manner::exact,
                             Manner::calls_alone};
  constexpr std::array wrong{Manner::chatter, Manner::other_answer, Manner::near_miss};
  if (dice.chance(70)) {
    return right[dice.pick(right.size())];
  }
  return prefilled ? Manner::near_miss : wrong[dice.pick(wrong.size())];
}

Reply draw_reply(Dice& dice, Manner manner, const WholeAnswer& answer, std::string_view said,
                 bool prefilled) {
  auto reply = Reply::answer("");
  if (dice.chance(80)) {
    reply.think(answer.thought);
  }
  reply.say(draw_said(dice, manner, answer.text, said, prefilled));
  const std::string of = std::to_string(dice.pick(1'000'000));
  for (std::size_t i = 0; i < answer.calls.size(); ++i) {
    const bool other = manner == Manner::other_answer;
    reply.call("call_" + of + "_" + std::to_string(i), answer.calls[i].name,
               other ? R"({"tank": "none"})" : answer.calls[i].arguments);
  }
  return reply;
}

std::string draw_repetition(Dice& dice, Reply& reply) {
  using Arguments = Reply::Arguments;
  using Finishes = Reply::Finishes;
  struct How {
    Arguments arguments;
    std::string_view name;
  };
  struct When {
    Finishes finishes;
    std::string_view name;
  };
  constexpr std::array manners{How{Arguments::cumulative, "cumulative arguments"},
                               How{Arguments::whole_again, "arguments whole again"},
                               How{Arguments::pieces_again, "arguments in pieces again"},
                               How{Arguments::empty_first, "empty arguments first"}};
  constexpr std::array repeated{When{Finishes::taken_back, "a finish taken back"},
                                When{Finishes::with_every_event, "a finish with every event"},
                                When{Finishes::twice, "the finish twice"}};
  std::string names;
  if (dice.chance(40)) {
    const auto& how = manners[dice.pick(manners.size())];
    reply.sending(how.arguments);
    names += std::string(", ") += how.name;
  }
  if (dice.chance(30)) {
    const auto& when = repeated[dice.pick(repeated.size())];
    reply.reporting(when.finishes, 2 + dice.pick(events_of(reply)));
    names += std::string(", ") += when.name;
  }
  return names;
}

std::string draw_fault(Dice& dice, Reply& reply, unsigned percent) {
  if (dice.chance(70)) {
    reply.dripping(dice.chance(80) ? 5ms : 300ms);
  }
  if (!dice.chance(percent)) {
    return "no fault";
  }
  std::string name;
  if (dice.chance(85)) {
    auto fault = draw_kind(dice, reply, name);
    const auto place = dice.pick(events_of(reply) + 1);
    reply.after(place, std::move(fault));
    return name + " after " + std::to_string(place) + " events";
  }
  // A cut in the middle of a part may be right behind a finish, and that is a complete answer.
  const bool indivisible = reply.finishes == Reply::Finishes::taken_back ||
                           reply.finishes == Reply::Finishes::with_every_event;
  switch (indivisible ? 1 + dice.pick(6) : dice.pick(7)) {
    case 0: {
      const auto bytes = dice.pick(4096);
      dice.chance(50) ? reply.reset_at(bytes) : reply.close_at(bytes);
      return "cut after " + std::to_string(bytes) + " bytes";
    }
    case 1: return reply.before_head(Fault::reset()), "reset before its head";
    case 2: return reply.after_finish(Fault::silence()), "silence after its finish";
    case 3: return reply.after_finish(Fault::reset()), "reset after its finish";
    case 4: return reply = Reply::status(529, "Overloaded", "overloaded_error"), "overloaded";
    case 5: return reply = Reply::status(429, "slow down", "rate_limit_error"), "rate limit";
    default:
      return reply.after_finish(Fault::error("overloaded_error", "Overloaded")),
             "error after its finish";
  }
}

}  // namespace understudy::testing
