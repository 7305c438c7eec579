// Conversations that walk from member to member and back, through the whole gateway, before strict doubles that bind
// reasoning to its maker, to the conversation's beginning and to the account: every request is accepted at the first
// attempt, each maker gets its own reasoning back byte for byte, and no maker gets another's.
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../../lib/testing/dice.hpp"
#include "../llm/matrix_cell.hpp"
#include "gateway_world.hpp"
#include "scripted_agent.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/testing/strict_server.hpp"

namespace session_walk {

using namespace gateway_test;
using scripted_agent::Agent;
using testing::StrictAnswerOptions;
using testing::StrictBackend;
using testing::StrictBackends;
using testing::StrictExchange;
using testing::StrictServer;
using testing::StrictServerOptions;

/// A member of the chain: a double, and the model that it is asked for.
struct Host {
  std::string id;
  std::string model;
};

Host host(const std::string& id) {
  return {id, std::string(StrictBackends::embedded().backend(id).default_model())};
}

/// Whether two hosts serve models of one maker whose reasoning any host reads.
bool is_family(const Host& a, const Host& b) {
  return a.model.find("claude") != std::string::npos &&
         b.model.find("claude") != std::string::npos && a.id != "openrouter" &&
         b.id != "openrouter";
}

/// All seals in a text: they are the values of these members.
std::vector<std::string> seals_in(std::string_view text) {
  std::vector<std::string> seals;
  for (const std::string_view member :
       {R"("signature":")", R"("encrypted_content":")", R"("thought_signature":")"}) {
    for (auto at = text.find(member); at != std::string_view::npos;
         at = text.find(member, at + 1)) {
      const auto begin = at + member.size();
      const auto seal = text.substr(begin, text.find('"', begin) - begin);
      if (!seal.empty()) {
        seals.emplace_back(seal);
      }
    }
  }
  return seals;
}

const char* path_of(Protocol protocol) {
  return protocol == Protocol::anthropic_messages ? "/v1/messages"
         : protocol == Protocol::openai_chat      ? "/v1/chat/completions"
                                                  : "/v1/responses";
}

/// A gateway before strict doubles, any of which can be down.
class Stage : public GatewayWorld {
 public:
  Stage(const std::vector<Host>& hosts, std::size_t keys = 1) : hosts_(hosts) {
    has_family_ = std::any_of(hosts.begin() + 1, hosts.end(),
                              [&](const Host& other) { return is_family(hosts.front(), other); });
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      const auto& strict = StrictBackends::embedded().backend(hosts[i].id);
      seen_.emplace_back();
      StrictServerOptions how;
      how.with_answer(StrictAnswerOptions().with_calls(StrictAnswerOptions::Calls::always));
      how.with_edit(
          [this, i](const StrictExchange& exchange, Reply& reply) { edit(i, exchange, reply); });
      doubles_.emplace_back(strict, how);
      ports_.push_back(network->listen(static_cast<std::uint16_t>(8001 + i)));
      for (std::size_t k = 0; k < keys; ++k) {
        variables[variable(i, k)] = "key " + std::to_string(k) + " of member " + std::to_string(i);
      }
    }
    keys_ = keys;
  }

  std::string configuration(const std::string& more = {}) const {
    std::string text = "[fallback]\nwait_out = \"off\"\n" + more;
    std::string providers;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      const auto& strict = StrictBackends::embedded().backend(hosts_[i].id);
      const auto name = "p" + std::to_string(i);
      const auto& back_end = matrix_cell::back_end_of(strict);
      text += i == 0
                  ? "[model]\nprovider = \"" + name + "\"\ndefault = \"" + hosts_[i].model + "\"\n"
                  : "[[fallback_providers]]\nprovider = \"" + name + "\"\nmodel = \"" +
                        hosts_[i].model + "\"\n";
      providers += "[providers." + name + "]\npreset = \"" + back_end.presets.front() +
                   "\"\nprotocol = \"" + std::string(strict.protocol()) +
                   "\"\nbase_url = \"http://" + name + ".test:" + std::to_string(8001 + i) + "\"\n";
      providers += "credentials = [";
      for (std::size_t k = 0; k < keys_; ++k) {
        providers += (k == 0 ? "" : ", ") + ("{env = \"" + variable(i, k)) + "\"}";
      }
      providers += "]\n";
      if (hosts_[i].id == "codex" && keys_ == 1) {
        providers += "headers = {\"chatgpt-account-id\" = \"account-1\"}\n";
      }
    }
    return text + providers;
  }

  /// Runs `act(http)` with the gateway and all doubles.
  template <class Act>
  void play(const std::string& configured, Act act) {
    acceptors.clear();
    serve(config(configured), [&](HttpClient& http) -> awaitable<void> {
      auto body = [&](Scope& scope) -> awaitable<void> {
        for (std::size_t i = 0; i < doubles_.size(); ++i) {
          auto serving = [this, i]() -> awaitable<void> { co_await doubles_[i].serve(*ports_[i]); };
          scope.spawn(std::move(serving));
        }
        co_await act(http);
        scope.cancel(StopReason::shutdown);
      };
      try {
        co_await with_scope(std::move(body));
      } catch (const boost::system::system_error& stopped) {
        if (stopped.code() != StopReason::shutdown) {
          throw;
        }
      }
    });
  }

  /// One request of the agent. Returns whether the answer has a call.
  awaitable<bool> ask(HttpClient& http, Agent& agent, Protocol protocol,
                      const std::string& agent_id = {}) {
    const bool stream = streams;
    HttpRequest request("POST", path_of(protocol));
    request.with_header("content-type", "application/json").with_body(agent.body(stream));
    request.with_header("anthropic-version", "2023-06-01");
    request.with_header("x-session-id", "walk");
    if (!agent_id.empty()) {
      request.with_header("x-claude-code-agent-id", agent_id);
    }
    asked_ = agent.body(stream);
    const auto before = attempts_;
    auto got = co_await gateway_test::send(http, std::move(request));
    CAPTURE(got.header("x-understudy-why"));
    CAPTURE(got.body.substr(0, 500));
    CHECK(got.status == 200);
    CHECK_FALSE(got.has("\"us1.\""));
    if (attempts_ - before > 1) {
      ++extra_;
    }
    why = got.header("x-understudy-why");
    co_return stream ? agent.take(got.body) : agent.take_whole(got.body);
  }

  /// A question, its call, and the answer to the result.
  awaitable<void> turn(HttpClient& http, Agent& agent, Protocol protocol) {
    agent.ask("Is tank " + std::to_string(++questions_) + " full?");
    for (int i = 0; i < 3; ++i) {
      const bool called = co_await ask(http, agent, protocol);
      if (!called) {
        co_return;
      }
    }
  }

  std::function<bool(Reply&)> spoil;  // what a request is answered with; returns whether it broke
  std::optional<std::size_t> cut_at;  // events of the first member's next answer
  bool streams = true;
  std::set<std::size_t> down;     // members that are overloaded
  std::set<std::string> limited;  // keys that are rate limited
  std::size_t extra() const { return extra_; }
  std::size_t refused() const { return refused_; }
  const std::deque<StrictExchange>& exchanges(std::size_t i) const {
    return doubles_[i].exchanges();
  }
  /// Requests that the member has answered.
  std::size_t answered(std::size_t i) const { return seen_[i].answered; }
  std::size_t restored(std::size_t i) const { return seen_[i].restored; }
  const std::string& last_body(std::size_t i) const { return seen_[i].last_body; }
  const std::string& last_key(std::size_t i) const { return seen_[i].last_key; }
  std::string why;

 private:
  struct Seen {
    std::size_t accepted = 0;
    std::size_t answered = 0;
    std::size_t restored = 0;                      // seals that came back
    std::vector<std::vector<std::string>> issued;  // by answers
    std::string last_body;
    std::string last_key;
    std::vector<std::string> said;  // the conversation in the last request
  };

  /// What the conversation's earlier requests have said stays as it was.
  void check_prefix(Seen& seen, const std::string& body) {
    simdjson::dom::parser parser;
    const auto json = parser.parse(simdjson::padded_string(body));
    std::vector<std::string> said;
    for (const char* const name : {"system", "instructions", "tools"}) {
      simdjson::dom::element value;
      said.push_back(json[name].get(value) == simdjson::SUCCESS ? simdjson::minify(value) : "");
    }
    for (const char* const name : {"messages", "input"}) {
      simdjson::dom::array list;
      if (json[name].get(list) == simdjson::SUCCESS) {
        for (const simdjson::dom::element one : list) {
          said.push_back(simdjson::minify(one));
        }
      }
    }
    const bool grows = said.size() >= seen.said.size() &&
                       std::equal(seen.said.begin(), seen.said.end(), said.begin());
    if (!grows) {
      CAPTURE(seen.said);
      CAPTURE(said);
      CHECK(grows);
    }
    seen.said = std::move(said);
  }

  static std::string variable(std::size_t member, std::size_t key) {
    return "KEY_" + std::to_string(member) + "_" + std::to_string(key);
  }

  static std::string key_of(const StrictExchange& exchange) {
    for (const char* const name : {"authorization", "x-api-key", "api-key"}) {
      if (const auto value = exchange.head.headers.find(name)) {
        return std::string(*value);
      }
    }
    return {};
  }

  /// Judges a request, and lets it fail if the member is down.
  void edit(std::size_t i, const StrictExchange& exchange, Reply& reply) {
    auto& seen = seen_[i];
    const auto& strict = StrictBackends::embedded().backend(hosts_[i].id);
    ++attempts_;
    CAPTURE(hosts_[i].id);
    if (exchange.refusal) {
      ++refused_;
      CAPTURE(exchange.refusal->message);
      CAPTURE(exchange.body);
      CHECK(exchange.refusal->rule_id == "");
      return;
    }
    ++seen.accepted;
    for (const auto& dropped : exchange.dropped) {
      // Between models of one maker, the maker says what each of them reads.
      const bool makers_own =
          dropped.find("a model that this one does not read") != std::string::npos ||
          dropped.find("of another account") != std::string::npos;
      CAPTURE(dropped);
      CHECK((makers_own && (has_family_ || keys_ > 1)));
    }
    CAPTURE(asked_);
    const auto carried = exchange.body.find("us1.");
    CHECK((carried == std::string::npos ? "" : exchange.body) == "");
    const bool follows = !spoil;  // where there is one conversation
    if (follows) {
      check_prefix(seen, exchange.body);
    }
    for (std::size_t other = 0; follows && other < seen_.size(); ++other) {
      for (const auto& seals : seen_[other].issued) {
        for (const auto& seal : seals) {
          const bool came = exchange.body.find(seal) != std::string::npos;
          const bool own = other == i;
          if (!own) {
            CAPTURE(hosts_[other].id);
            CHECK_FALSE((came && !is_family(hosts_[i], hosts_[other])));
          } else {
            seen.restored += came ? 1 : 0;
            if (!came && lost_.empty()) {
              lost_ = hosts_[i].id + " does not get " + seal.substr(0, 40) + " in " + exchange.body;
            }
          }
        }
      }
    }
    seen.last_key = key_of(exchange);
    if (i == 0 && cut_at) {
      reply.after(*cut_at, Fault::truncated_chunk());
      cut_at.reset();
      --attempts_;  // not one that could have been spared
      return;
    }
    if (spoil && spoil(reply)) {
      return;
    }
    const bool is_down = down.count(i) != 0;
    const bool is_limited = limited.count(seen.last_key) != 0;
    if (is_down || is_limited) {
      --attempts_;  // not one that could have been spared
      reply = is_down ? Reply::status(529, "Overloaded") : Reply::status(429, "Too many requests");
      return;
    }
    seen.last_body = exchange.body;
    ++seen.answered;
    auto said = StrictAnswerOptions().with_calls(StrictAnswerOptions::Calls::always);
    said.with_number(seen.accepted);
    seen.issued.push_back(seals_in(
        strict.answer(exchange.head.headers, exchange.body, said, exchange.head.target).body()));
  }

 public:
  /// Seals that did not come back to the member that issued them.
  const std::string& lost() const { return lost_; }
  void forget() {
    for (auto& seen : seen_) {
      seen.issued.clear();
      seen.said.clear();
    }
  }

 private:
  std::vector<Host> hosts_;
  std::size_t keys_ = 1;
  bool has_family_ = false;
  std::deque<Seen> seen_;
  std::deque<StrictServer> doubles_;
  std::vector<std::unique_ptr<Acceptor>> ports_;
  std::size_t attempts_ = 0;
  std::size_t extra_ = 0;
  std::size_t refused_ = 0;
  std::string lost_;
  std::string asked_;  // the last request of the agent
  std::size_t questions_ = 0;
};

/// Agents whose own maker is first in the chain.
struct Home {
  Protocol protocol;
  Host first;
};

std::vector<Home> homes() {
  return {{Protocol::anthropic_messages, {"anthropic", "claude-opus-5-5"}},
          {Protocol::anthropic_messages, {"anthropic", "claude-sonnet-5-5"}},
          {Protocol::openai_responses, host("openai-responses")},
          {Protocol::openai_responses, {"openai-responses", "gpt-5.6-sol"}},
          {Protocol::openai_responses, host("codex")},
          {Protocol::openai_chat, host("deepseek")},
          {Protocol::openai_chat, host("gemini")}};
}

/// What the second member is: every back end that a provider of the configuration can be.
std::vector<std::string> others() {
  std::vector<std::string> ids;
  for (const auto id : StrictBackends::embedded().ids()) {
    if (id != "vertex-anthropic") {
      ids.emplace_back(id);
    }
  }
  return ids;
}

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
      const bool chatgpt = home.first.id == "codex";
      if (chatgpt) {
        continue;  // its keys are sign-ins with an account each
      }
      Stage stage({home.first, host("zai-anthropic")}, 3);
      Agent agent(home.protocol, home.first.model);
      stage.play(stage.configuration() + "[credentials]\nstrategy = \"" + strategy + "\"\n",
                 [&](HttpClient& http) -> awaitable<void> {
                   co_await stage.turn(http, agent, home.protocol);
                   const auto first = stage.last_key(0);
                   co_await stage.turn(http, agent, home.protocol);
                   CHECK(stage.last_key(0) == first);
                   stage.limited = {first};
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
