// Conversations that walk from member to member and back, through the whole gateway: every request is accepted at the first
// attempt, each maker gets its own reasoning back byte for byte, and no maker gets another's.
#include <set>
#include <string>
#include <vector>

#include "../../lib/testing/dice.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "walk_stage.hpp"

namespace session_walk {

using namespace walk_stage;

void walk_there_and_back(const Home& home, const std::string& other, std::size_t away) {
  CAPTURE(home.first.model);
  CAPTURE(other);
  Stage stage({home.first, host(other)});
  Agent agent(home.protocol, home.first.model);
  stage.play(stage.configuration("return = \"at_once\"\n"),
             [&](HttpClient& http) -> awaitable<void> {
               co_await stage.turn(http, agent, home.protocol);
               stage.down = {0};
               for (std::size_t i = 0; i < away; ++i) {
                 co_await stage.turn(http, agent, home.protocol);
               }
               stage.down.clear();
               co_await sleep_for(10min);
               const auto before = stage.answered(0);
               co_await stage.turn(http, agent, home.protocol);
               co_await stage.turn(http, agent, home.protocol);
               CHECK(stage.answered(0) == before + 4);
             });
  CHECK(stage.answered(1) == 2 * away);
  CHECK(stage.extra() == 0);
  CHECK(stage.lost() == "");
}

TEST_CASE("there and back: each maker gets its own reasoning, and no other maker's") {
  for (const auto& home : homes()) {
    for (const auto& other : others()) {
      if (other != home.first.id) {
        walk_there_and_back(home, other, 2);
      }
    }
  }
}

TEST_CASE("back after 1 to 20 turns") {
  for (const std::size_t away : {1U, 7U, 20U}) {
    walk_there_and_back(homes()[0], "codex", away);
    walk_there_and_back(homes()[4], "anthropic", away);
  }
}

TEST_CASE("A, B, C, A: three makers take turns in one conversation") {
  for (const auto& home : homes()) {
    const std::vector<Host> chain{home.first,        host("codex"),    host("zai-anthropic"),
                                  host("anthropic"), host("deepseek"), host("gemini"),
                                  host("openrouter")};
    CAPTURE(home.first.id);
    std::vector<Host> used;
    for (const auto& one : chain) {
      const bool again = !used.empty() && one.id == home.first.id;
      if (!again) {
        used.push_back(one);
      }
    }
    Stage stage(used);
    Agent agent(home.protocol, home.first.model);
    stage.play(stage.configuration("return = \"at_once\"\n"),
               [&](HttpClient& http) -> awaitable<void> {
                 for (int round = 0; round < 2; ++round) {
                   for (std::size_t serves = 0; serves < used.size(); ++serves) {
                     stage.down.clear();
                     for (std::size_t i = 0; i < serves; ++i) {
                       stage.down.insert(i);
                     }
                     co_await sleep_for(30min);
                     co_await stage.turn(http, agent, home.protocol);
                   }
                 }
               });
    CHECK(stage.extra() == 0);
    CHECK(stage.lost() == "");
  }
}

TEST_CASE("whole answers walk as streamed ones do") {
  for (const auto& home : homes()) {
    for (const std::string other : {"codex", "zai-anthropic", "deepseek", "anthropic"}) {
      if (other == home.first.id) {
        continue;
      }
      CAPTURE(home.first.id);
      CAPTURE(other);
      Stage stage({home.first, host(other)});
      stage.streams = false;
      Agent agent(home.protocol, home.first.model);
      stage.play(stage.configuration("return = \"at_once\"\n"),
                 [&](HttpClient& http) -> awaitable<void> {
                   for (const bool away : {false, true, true, false, false}) {
                     stage.down = away ? std::set<std::size_t>{0} : std::set<std::size_t>();
                     co_await sleep_for(10min);
                     co_await stage.turn(http, agent, home.protocol);
                   }
                 });
      CHECK(stage.extra() == 0);
      CHECK(stage.lost() == "");
    }
  }
}

TEST_CASE(
    "a conversation keeps its key, takes another one when it is refused, and stays with that") {
  for (const auto* const strategy : {"fill_first", "round_robin"}) {
    for (const auto& home : homes()) {
      CAPTURE(strategy);
      CAPTURE(home.first.model);
      Stage stage({home.first, host("zai-anthropic")}, 3);
      Agent agent(home.protocol, home.first.model);
      stage.play(stage.configuration() + "[credentials]\nstrategy = \"" + strategy + "\"\n",
                 [&](HttpClient& http) -> awaitable<void> {
                   co_await stage.turn(http, agent, home.protocol);
                   const auto first = stage.last_key(0);
                   co_await stage.turn(http, agent, home.protocol);
                   CHECK(stage.last_key(0) == first);
                   stage.limited = {first};
                   if (home.first.id == "codex") {
                     stage.forget();  // another account reads none of the reasoning
                   }
                   co_await stage.turn(http, agent, home.protocol);
                   const auto second = stage.last_key(0);
                   CHECK(second != first);
                   stage.limited.clear();
                   co_await sleep_for(20min);  // the first key is well again
                   co_await stage.turn(http, agent, home.protocol);
                   co_await stage.turn(http, agent, home.protocol);
                   CHECK(stage.last_key(0) == second);
                 });
      CHECK(stage.answered(1) == 0);
    }
  }
}

TEST_CASE("a conversation is compacted amid a walk") {
  for (const auto& home : homes()) {
    CAPTURE(home.first.model);
    Stage stage({home.first, host("codex"), host("anthropic")});
    if (home.first.id == "codex" || home.first.id == "anthropic") {
      continue;
    }
    Agent agent(home.protocol, home.first.model);
    stage.play(stage.configuration("return = \"at_once\"\n"),
               [&](HttpClient& http) -> awaitable<void> {
                 for (int turn = 0; turn < 6; ++turn) {
                   stage.down = turn % 2 == 0 ? std::set<std::size_t>() : std::set<std::size_t>{0};
                   co_await sleep_for(10min);
                   if (turn == 3) {
                     agent.compact();
                     stage.forget();
                   }
                   co_await stage.turn(http, agent, home.protocol);
                 }
               });
    CHECK(stage.extra() == 0);
    CHECK(stage.lost() == "");
  }
}

TEST_CASE("an answer is cut amid a walk, and another maker resumes it") {
  for (const auto& home : homes()) {
    for (const std::size_t events : {2U, 4U, 6U}) {
      for (const std::string other : {"anthropic", "codex", "zai-anthropic", "deepseek"}) {
        if (other == home.first.id) {
          continue;
        }
        CAPTURE(home.first.model);
        CAPTURE(other);
        CAPTURE(events);
        Stage stage({home.first, host(other)});
        Agent agent(home.protocol, home.first.model);
        stage.play(stage.configuration("return = \"at_once\"\n"),
                   [&](HttpClient& http) -> awaitable<void> {
                     co_await stage.turn(http, agent, home.protocol);
                     stage.cut_at = events;
                     co_await stage.turn(http, agent, home.protocol);
                     co_await sleep_for(10min);
                     co_await stage.turn(http, agent, home.protocol);
                     co_await stage.turn(http, agent, home.protocol);
                   });
        CHECK(stage.refused() == 0);
        CHECK(stage.lost() == "");
      }
    }
  }
}

TEST_CASE("when a conversation returns: cold, at once, or not before the next one") {
  struct Case {
    std::string when;
    Clock::duration idle;
    std::size_t serves;  // of the chain
  };
  for (const auto& [when, idle, serves] :
       {Case{"when_cold", 2min, 1}, Case{"when_cold", 6min, 0}, Case{"at_once", 2min, 0},
        Case{"next_session", 30min, 1}}) {
    CAPTURE(when);
    const auto home = homes()[0];
    Stage stage({home.first, host("codex")});
    Agent agent(home.protocol, home.first.model);
    stage.play(stage.configuration("return = \"" + when + "\"\n"),
               [&](HttpClient& http) -> awaitable<void> {
                 stage.down = {0};
                 co_await stage.turn(http, agent, home.protocol);
                 co_await sleep_for(8min);
                 co_await stage.turn(http, agent, home.protocol);
                 stage.down.clear();
                 co_await sleep_for(idle);
                 const auto before = stage.answered(serves);
                 co_await stage.turn(http, agent, home.protocol);
                 CHECK(stage.answered(serves) == before + 2);
                 CHECK((stage.why.find("stays with") != std::string::npos) == (serves == 1));
               });
    CHECK(stage.extra() == 0);
  }
}

TEST_CASE(
    "a restart amid a walk changes nothing that is sent: all that is needed is in the "
    "conversation") {
  for (const auto& home : homes()) {
    CAPTURE(home.first.model);
    std::vector<std::vector<std::string>> sent(2);
    for (const bool restarts : {false, true}) {
      Agent agent(home.protocol, home.first.model);
      std::vector<Host> hosts{home.first, host(home.first.id == "codex" ? "zai" : "codex")};
      const auto walk = [&](Stage& stage, std::size_t turn) {
        stage.play(stage.configuration("return = \"at_once\"\n"),
                   [&](HttpClient& http) -> awaitable<void> {
                     stage.down =
                         turn % 3 == 1 ? std::set<std::size_t>{0} : std::set<std::size_t>();
                     co_await sleep_for(10min);
                     co_await stage.turn(http, agent, home.protocol);
                   });
      };
      Stage stage(hosts);
      for (std::size_t turn = 0; turn < 6; ++turn) {
        if (restarts) {
          stage.state.reset();
        }
        walk(stage, turn);
      }
      for (std::size_t i = 0; i < 2; ++i) {
        for (const auto& exchange : stage.exchanges(i)) {
          sent[restarts ? 1 : 0].push_back(hosts[i].id + exchange.body);
        }
      }
      CHECK(stage.lost() == "");
    }
    CHECK(sent[0].size() >= 12);
    CHECK(sent[0] == sent[1]);
  }
}

/// A conversation that walks at random, without the network in between: the answers of doubles to the client as the
/// gateway writes them, and what the client sends back to doubles as the gateway fits it.
class RandomWalk {
 public:
  explicit RandomWalk(std::uint64_t seed)
      : dice_(seed), home_(homes()[dice_.pick(homes().size())]) {
    members_.push_back(home_.first);
    const auto all = others();
    while (members_.size() < 3) {
      auto other = host(all[dice_.pick(all.size())]);
      if (std::none_of(members_.begin(), members_.end(),
                       [&](const Host& one) { return one.id == other.id; })) {
        members_.push_back(std::move(other));
      }
    }
    issued_.resize(members_.size());
  }

  /// What is wrong; empty: nothing.
  std::string run() {
    Agent agent(home_.protocol, home_.first.model);
    for (auto turns = 2 + dice_.pick(5); turns > 0 && wrong_.empty(); --turns) {
      agent.ask("Is it full?");
      const auto member = dice_.pick(members_.size());
      for (int i = 0; i < 2 && wrong_.empty(); ++i) {
        // Within a turn as well, a member may fail.
        const auto by = dice_.chance(80) ? member : dice_.pick(members_.size());
        if (!ask(agent, by)) {
          break;
        }
      }
    }
    return wrong_;
  }

 private:
  ReasoningOrigin origin_of(std::size_t i) const {
    const auto& strict = StrictBackends::embedded().backend(members_[i].id);
    ReasoningOrigin origin("p" + std::to_string(i), members_[i].model);
    if (strict.protocol() == "anthropic_messages" &&
        Catalog::built_in().model(members_[i].model).maker == "anthropic") {
      origin.maker = "anthropic";
    }
    return origin;
  }

  bool ask(Agent& agent, std::size_t by) {
    const auto& strict = StrictBackends::embedded().backend(members_[by].id);
    const auto& back_end = matrix_cell::back_end_of(strict);
    const bool stream = dice_.chance(70);
    auto request = codec_for(home_.protocol).read_request(agent.body(stream));
    if (request.has_error()) {
      wrong_ = "the agent's own request: " + request.error().message;
      return false;
    }
    request->home = home_of(0);
    FitTarget target(back_end.protocol, "p" + std::to_string(by), members_[by].model);
    target.back_end = &back_end;
    auto origin = origin_of(by);
    target.maker = origin.maker;
    const auto fitted = fit(*request, target);
    const auto headers = matrix_cell::headers_of(target, fitted);
    const auto verdict = strict.examine(headers, fitted.body);
    const auto say = [&](const std::string& what) {
      wrong_ = members_[by].id + " from " + home_.first.id + ": " + what + " in " + fitted.body;
    };
    if (verdict.refusal) {
      say(verdict.refusal->message);
      return false;
    }
    for (std::size_t other = 0; other < members_.size(); ++other) {
      for (const auto& seal : issued_[other]) {
        const bool came = fitted.body.find(seal) != std::string::npos;
        if (other == by ? !came : (came && !is_family(members_[by], members_[other]))) {
          say((came ? "got " : "did not get ") + seal);
          return false;
        }
      }
    }
    auto options = StrictAnswerOptions().with_calls(StrictAnswerOptions::Calls::always);
    options.with_number(++number_);
    const auto said = strict.answer(headers, fitted.body, options);
    for (auto& seal : seals_in(said.body())) {
      issued_[by].push_back(std::move(seal));
    }
    origin.home = request->origin == target.protocol && reads(origin, *request->home);
    return stream ? agent.take(streamed(*request, said, target.protocol, origin))
                  : agent.take_whole(whole(*request, said, target.protocol, origin));
  }

  ReasoningOrigin home_of(std::size_t i) const {
    const auto& strict = StrictBackends::embedded().backend(members_[i].id);
    return protocol_from(strict.protocol()) == home_.protocol ? origin_of(i) : ReasoningOrigin();
  }

  static std::string streamed(const Request& asked, const testing::StrictAnswer& said,
                              Protocol protocol, const ReasoningOrigin& by) {
    CarriedSeals seals(asked);
    seals.from(by, protocol);
    const auto encoder = codec_for(*asked.origin).encoder(asked);
    std::string out;
    const auto body = said.body();
    EventDecoder decoder(protocol, said.streamed ? BodyShape::stream : BodyShape::whole);
    const auto take = [&] {
      while (const Event* event = decoder.next()) {
        if (const auto* const seal = seals.missing(*event)) {
          encoder->write(*seal, out);
        }
        if (const auto* const carried = seals.carried(*event)) {
          encoder->write(*carried, out);
        }
      }
    };
    decoder.feed(body);
    take();
    decoder.end();
    take();
    return out;
  }

  static std::string whole(const Request& asked, const testing::StrictAnswer& said,
                           Protocol protocol, const ReasoningOrigin& by) {
    Answer answer;
    const auto body = said.body();
    EventDecoder decoder(protocol, said.streamed ? BodyShape::stream : BodyShape::whole);
    const auto take = [&] {
      while (const Event* event = decoder.next()) {
        answer.add(*event);
      }
    };
    decoder.feed(body);
    take();
    decoder.end();
    take();
    answer.protocol = protocol;
    answer.origin = by;
    carry_seals(answer, asked);
    std::string out;
    codec_for(*asked.origin).write_answer(answer, asked, out);
    return out;
  }

  testing::Dice dice_;
  Home home_;
  std::vector<Host> members_;
  std::vector<std::vector<std::string>> issued_;
  std::uint64_t number_ = 0;
  std::string wrong_;
};

void walk_at_random(std::uint64_t from, std::uint64_t to) {
  std::size_t wrong = 0;
  for (auto seed = from; seed < to && wrong < 5; ++seed) {
    CAPTURE(seed);
    const auto found = RandomWalk(seed).run();
    CHECK(found == "");
    wrong += found.empty() ? 0 : 1;
  }
}

/// What can go wrong with one request.
void break_reply(Reply& reply, std::uint64_t kind) {
  switch (kind % 8) {
    case 0: reply = Reply::status(529, "Overloaded"); break;
    case 1: reply = Reply::status(500, "Internal server error"); break;
    case 2: reply = Reply::status(429, "Too many requests"); break;
    case 3: reply.before_head(Fault::reset()); break;
    case 4: reply.before_head(Fault::pause(10min)); break;
    case 5: reply.after(1, Fault::pause(10min)); break;
    case 6: reply.after(2, Fault::truncated_chunk()); break;
    case 7: reply.after(4, Fault::reset()); break;
  }
}

/// 300 turns of three agents of one session.
void long_session(const Home& home) {
  CAPTURE(home.first.id);
  Stage stage(
      {home.first, host("codex"), host(home.first.id == "anthropic" ? "zai" : "anthropic")});
  testing::Dice dice(7);
  std::size_t faults = 0;
  std::size_t requests = 0;
  stage.spoil = [&](Reply& reply) {
    ++requests;
    if (faults < 40 && dice.chance(15)) {
      break_reply(reply, faults++);
      return true;
    }
    return false;
  };
  std::size_t turns = 0;
  std::size_t calls = 0;
  stage.play(stage.configuration(), [&](HttpClient& http) -> awaitable<void> {
    auto body = [&](Scope& scope) -> awaitable<void> {
      for (const std::string agent_id : {"", "agent-1", "agent-2"}) {
        auto work = [&, agent_id]() -> awaitable<void> {
          Agent agent(home.protocol, home.first.model);
          for (int i = 0; i < 100; ++i) {
            agent.ask("Is tank " + std::to_string(i) + " full?");
            bool called = true;
            for (int step = 0; step < 3 && called; ++step) {
              called = co_await stage.ask(http, agent, home.protocol, agent_id);
              calls += called ? 1 : 0;
            }
            turns += called ? 0 : 1;
            co_await sleep_for(10s);
          }
        };
        scope.spawn(std::move(work));
      }
      co_await scope.join();
    };
    co_await with_scope(std::move(body));
  });
  CHECK(faults == 40);
  CHECK(turns == 300);
  CHECK(calls == 300);
  MESSAGE(home.first.id << ": " << requests << " requests for 600 answers, " << faults
                        << " of them were broken, " << stage.refused() << " were refused");
  CHECK(stage.refused() == 0);
}

TEST_CASE(
    "a session of 300 turns with 40 faults, by agents in parallel: no turn is lost, and no call is "
    "made twice") {
  long_session(homes()[0]);
}

TEST_SUITE("full") {
  TEST_CASE("a session of 300 turns with 40 faults, by agents of the other protocols") {
    long_session(homes()[3]);
    long_session(homes()[5]);
  }
}

TEST_CASE("random walks, 300 of them") { walk_at_random(1, 301); }

TEST_SUITE("full") {
  TEST_CASE("random walks, 100,000 of them") { walk_at_random(1, 100'001); }
}

}  // namespace session_walk
