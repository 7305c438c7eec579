// Random chains of providers that are cut at random places, and go on in every manner there is, right and wrong:
// nothing doubled, nothing lost, no call with a part of its arguments, no call asked for again after it was
// delivered, and never a neat end to an unfinished answer.
#include <doctest/doctest.h>

#include <random>

#include "delivery_stage.hpp"

using namespace delivery_test;

namespace {

const std::string text =
    "The north tank holds seventy-one percent, the south tank twelve. Both valves were shut at "
    "noon, and "
    "nobody has opened them since; the pump in the old house runs by itself.";
const std::string arguments = R"({"tank": "north", "unit": "percent"})";

class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}

  std::size_t up_to(std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random_);
  }
  bool one_in(std::size_t n) { return up_to(n - 1) == 0; }

 private:
  std::mt19937 random_;
};

/// How much of the answer a request quotes, or has as its own last message: the longest beginning in it.
std::size_t said_in(const std::string& body) {
  std::size_t said = 0;
  for (std::size_t n = 1; n <= text.size() && body.find(text.substr(0, n)) != std::string::npos;
       ++n) {
    said = n;
  }
  return said;
}

/// What a member says, which is asked for the answer, or to go on with it. Of one that got a prefill nothing wrong
/// could be told from what is right.
std::string words_for(const std::string& body, bool prefills, Chance& chance) {
  const auto said = said_in(body);
  const auto back = [&](std::size_t n) { return text.substr(said - std::min(said, n)); };
  switch (said < 4 ? 0 : chance.up_to(prefills ? 3 : 6)) {
    case 0:
    case 1: return text;
    case 2: return back(40);
    case 3: return prefills ? back(0) : back(8 + chance.up_to(60));
    case 4: return back(0);
    case 5: return "Sure, here is the rest: " + back(0);
    default: return "I have no tank.";
  }
}

Reply random_reply(const std::string& body, bool prefills, bool calls, Chance& chance) {
  const auto words = words_for(body, prefills, chance);
  auto reply = Reply::answer(words.empty() ? text : words).dripping(5ms);
  if (calls) {
    reply.call("call_1", "read", arguments).with_finish(FinishReason::tool_use);
  }
  constexpr std::size_t most_events = 45;
  const auto place = 1 + chance.up_to(most_events);
  switch (chance.up_to(9)) {
    case 0: return std::move(reply.after(place, Fault::close()));
    case 1: return std::move(reply.after(place, Fault::silence()));
    case 2: return std::move(reply.after(place, Fault::silence(100ms)));
    case 3: return std::move(reply.after(place, Fault::reset()));
    case 4: return std::move(reply.after(place, Fault::error("overloaded_error", "Overloaded")));
    case 5: return std::move(reply.after(place, Fault::truncated_chunk()));
    case 6: return std::move(reply.after(place, Fault::end()));
    default: return reply;
  }
}

struct Seen {
  std::size_t rescued = 0;
  std::size_t whole = 0;
  std::size_t failed = 0;
};

void play(unsigned seed, Seen& seen) {
  Chance chance(seed);
  const bool calls = chance.one_in(3);
  const auto prefilled = chance.up_to(15);
  const auto prefills = [prefilled](std::size_t place) { return ((prefilled >> place) & 1U) != 0; };
  Stage stage;
  stage.settings.with_on_partial(OnPartial::resume).with_max_resumes(3);
  stage.policy.with_stall(scaled_down(2s)).with_backoff(BackoffSettings(1ms, 1ms));
  stage.takes_prefill = [&](const Member& member) {
    return prefills(static_cast<std::size_t>(member.provider()[0] - 'a'));
  };
  const auto members = 2 + chance.up_to(2);
  for (std::size_t i = 0; i < members; ++i) {
    const std::string model = "model-" + std::string(1, static_cast<char>('a' + i));
    stage.add(protocols[chance.up_to(2)])
        .reply_to(model,
                  [&chance, calls, prefills = prefills(i)](const testing::SeenRequest& request) {
                    return random_reply(request.body, prefills, calls, chance);
                  });
  }
  const auto told = stage.ask();
  CAPTURE(seed);
  CAPTURE(told.report.to_text());
  const bool right = text.compare(0, told.text.size(), told.text) == 0;
  CHECK_MESSAGE(right, told.text);
  if (told.answer.has_error()) {
    ++seen.failed;
  } else {
    ++seen.whole;
    seen.rescued += told.report.attempts.size() > 1 ? 1 : 0;
    CHECK(told.answer->text() == text);
    CHECK(told.answer->finish == (calls ? FinishReason::tool_use : FinishReason::stop));
    std::size_t made = 0;
    for (const auto& block : told.answer->blocks) {
      if (block.kind == AnswerBlock::Kind::tool_call) {
        ++made;
        CHECK(block.complete);
        CHECK(block.arguments == arguments);
      }
    }
    CHECK(made == (calls ? 1 : 0));
  }
  CHECK(told.retracts == 0);
  CHECK(told.open_connections <= told.idle_connections);
}

void play_all(unsigned seeds) {
  Seen seen;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    play(seed, seen);
  }
  MESSAGE(seeds, " chains: ", seen.whole, " answered, ", seen.rescued,
          " of them by more than one attempt, ", seen.failed, " failed");
  CHECK(seen.rescued * 10 > seeds);
  CHECK(seen.failed > 0);
}

}  // namespace

TEST_CASE(
    "random cuts and continuations: nothing doubled, nothing lost, never a neat end too soon") {
  play_all(400);
}

TEST_CASE("many random cuts and continuations" * doctest::test_suite("full")) { play_all(20'000); }
