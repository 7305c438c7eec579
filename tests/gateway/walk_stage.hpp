/// A gateway before strict doubles that bind reasoning to its maker, to the conversation's beginning and to the account;
/// any of them can be down. Every request of a scripted agent is judged, by the doubles and by what came before.
#pragma once

#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../llm/matrix_cell.hpp"
#include "gateway_world.hpp"
#include "scripted_agent.hpp"
#include "understudy/testing/strict_server.hpp"

namespace walk_stage {

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

inline Host host(const std::string& id) {
  return {id, std::string(StrictBackends::embedded().backend(id).default_model())};
}

/// Whether two hosts serve models of one maker whose reasoning any host reads.
inline bool is_family(const Host& a, const Host& b) {
  return a.model.find("claude") != std::string::npos &&
         b.model.find("claude") != std::string::npos && a.id != "openrouter" &&
         b.id != "openrouter";
}

/// All seals in a text: they are the values of these members.
inline std::vector<std::string> seals_in(std::string_view text) {
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

inline const char* path_of(Protocol protocol) {
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
        const bool signs_in = hosts_[i].id == "codex" && keys_ > 1;
        providers +=
            (k == 0 ? "" : ", ") + (signs_in ? sign_in(k) : "{env = \"" + variable(i, k) + "\"}");
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
    if (!betas.empty()) {
      request.with_header("anthropic-beta", betas);
    }
    request.with_header("x-session-id", "walk");
    if (!agent_id.empty()) {
      request.with_header("x-claude-code-agent-id", agent_id);
    }
    asked_ = agent.body(stream);
    const auto before = attempts_;
    auto got = co_await gateway_test::send(http, std::move(request));
    CAPTURE(got.header("x-understudy-why"));
    CAPTURE(got.body.substr(0, 500));
    last = got;
    if (got.status != 200 && client_edits) {
      co_return false;
    }
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
  std::string betas;              // of the client
  Got last;                       // what it got at last
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

  /// The client changes what came before reasoning: makers may refuse that, or ignore the reasoning.
  bool client_edits = false;

 private:
  /// A directory of its own, for as long as the stage lives.
  struct Files {
    Files() {
      std::string name = (std::filesystem::temp_directory_path() / "walk-XXXXXX").string();
      REQUIRE(mkdtemp(name.data()) != nullptr);
      path = name;
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    ~Files() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
  };

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

  /// A sign-in file of the ChatGPT back end, of an account of its own.
  std::string sign_in(std::size_t key) const {
    const auto file = files_.path / ("auth" + std::to_string(key) + ".json");
    std::ofstream(file) << R"({"auth_mode":"chatgpt","tokens":{"access_token":"token )" << key
                        << R"(","refresh_token":"r","account_id":"account )" << key << R"("}})";
    return "{oauth = {token_file = \"" + file.string() +
           "\", token_url = \"https://auth.test/token\", client_id = \"c\"}}";
  }

  static std::string variable(std::size_t member, std::size_t key) {
    return "KEY_" + std::to_string(member) + "_" + std::to_string(key);
  }

  static std::string key_of(const StrictExchange& exchange) {
    for (const char* const name : {"chatgpt-account-id", "authorization", "x-api-key", "api-key"}) {
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
      CHECK(exchange.refusal->rule_id == (client_edits ? "a.binding" : ""));
      return;
    }
    ++seen.accepted;
    for (const auto& dropped : exchange.dropped) {
      // Between models of one maker, the maker says what each of them reads.
      const bool makers_own =
          dropped.find("a model that this one does not read") != std::string::npos ||
          dropped.find("of another account") != std::string::npos;
      CAPTURE(dropped);
      const bool moved = client_edits && dropped.find("another conversation") != std::string::npos;
      CHECK((moved || (makers_own && (has_family_ || keys_ > 1))));
    }
    CAPTURE(asked_);
    const auto carried = exchange.body.find("us1.");
    CHECK((carried == std::string::npos ? "" : exchange.body) == "");
    seen.last_key = key_of(exchange);
    const bool is_limited = limited.count(seen.last_key) != 0;
    const bool follows = !spoil && !is_limited;  // where there is one conversation, which goes on
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
  Files files_;
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

inline std::vector<Home> homes() {
  return {{Protocol::anthropic_messages, {"anthropic", "claude-opus-5-5"}},
          {Protocol::anthropic_messages, {"anthropic", "claude-sonnet-5-5"}},
          {Protocol::openai_responses, host("openai-responses")},
          {Protocol::openai_responses, {"openai-responses", "gpt-5.6-sol"}},
          {Protocol::openai_responses, host("codex")},
          {Protocol::openai_chat, host("deepseek")},
          {Protocol::openai_chat, host("gemini")}};
}

/// What the second member is: every back end that a provider of the configuration can be.
inline std::vector<std::string> others() {
  std::vector<std::string> ids;
  for (const auto id : StrictBackends::embedded().ids()) {
    if (id != "vertex-anthropic") {
      ids.emplace_back(id);
    }
  }
  return ids;
}

}  // namespace walk_stage
