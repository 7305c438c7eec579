#include "catalog_probe.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "command.hpp"
#include "configured.hpp"
#include "run_until_stopped.hpp"
#include "terminal.hpp"
#include "understudy/client/client.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/fit.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

using namespace std::chrono_literals;
using llm::Protocol;

constexpr Clock::duration longest_question = 30s;

/// A member of a request, and a value that every server which knows the member accepts.
struct Candidate {
  std::string_view name;
  std::string_view json;
};

constexpr std::array chat_members{
    Candidate{"temperature", "0.5"},
    Candidate{"top_p", "0.9"},
    Candidate{"seed", "1"},
    Candidate{"stop", R"(["zzz"])"},
    Candidate{"presence_penalty", "0.1"},
    Candidate{"frequency_penalty", "0.1"},
    Candidate{"logit_bias", "{}"},
    Candidate{"user", R"("probe")"},
    Candidate{"metadata", R"({"purpose":"probe"})"},
    Candidate{"store", "false"},
    Candidate{"service_tier", R"("auto")"},
    Candidate{"prompt_cache_key", R"("probe")"},
    Candidate{"reasoning_effort", R"("low")"},
};
constexpr std::array messages_members{
    Candidate{"temperature", "0.5"},
    Candidate{"top_p", "0.9"},
    Candidate{"top_k", "5"},
    Candidate{"stop_sequences", R"(["zzz"])"},
    Candidate{"metadata", R"({"user_id":"probe"})"},
    Candidate{"service_tier", R"("auto")"},
    Candidate{"thinking", R"({"type":"disabled"})"},
    Candidate{"cache_control", R"({"type":"ephemeral"})"},
};
constexpr std::array responses_members{
    Candidate{"temperature", "0.5"},
    Candidate{"top_p", "0.9"},
    Candidate{"max_output_tokens", "64"},
    Candidate{"user", R"("probe")"},
    Candidate{"safety_identifier", R"("probe")"},
    Candidate{"prompt_cache_key", R"("probe")"},
    Candidate{"metadata", R"({"purpose":"probe"})"},
    Candidate{"truncation", R"("disabled")"},
    Candidate{"service_tier", R"("auto")"},
    Candidate{"parallel_tool_calls", "true"},
    Candidate{"reasoning", R"({"effort":"low"})"},
};

std::span<const Candidate> candidates(Protocol protocol) {
  switch (protocol) {
    case Protocol::openai_chat: return chat_members;
    case Protocol::anthropic_messages: return messages_members;
    case Protocol::openai_responses: return responses_members;
  }
  return {};
}

/// A question, with one member more if `extra` is given.
std::string question(Protocol protocol, std::string_view model, const Candidate* extra) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("model", model);
  if (protocol == Protocol::openai_responses) {
    json.member("instructions", "Answer with one word.").key("input");
    json.begin_array().begin_object().member("type", "message").member("role", "user");
    json.member("content", "Ready?").end_object().end_array().member("store", false);
  } else {
    if (protocol == Protocol::anthropic_messages) {
      json.member("max_tokens", 16);
    }
    json.key("messages").begin_array().begin_object().member("role", "user");
    json.member("content", "Ready?").end_object().end_array();
  }
  if (extra != nullptr) {
    json.key(extra->name).raw(extra->json);
  }
  json.end_object();
  return body;
}

/// What the catalog expects: whether a request keeps the member on its way there.
bool keeps(const llm::Catalog& catalog, const llm::BackEnd* back_end,
           const ProviderConfig& provider, const std::string& model, const Candidate& candidate) {
  const auto body = question(provider.protocol, "another model than the member's", &candidate);
  const auto request = llm::codec_for(provider.protocol).read_request(body);
  if (request.has_error()) {
    return true;
  }
  llm::FitTarget target(provider.protocol, provider.name, model);
  target.back_end = back_end;
  target.catalog = &catalog;
  const auto sent = llm::fit(*request, target);
  return sent.body.find("\"" + std::string(candidate.name) + "\":") != std::string::npos;
}

/// A rule of the file that is printed.
void print_rule(std::string_view id, std::string_view names, std::string_view words) {
  std::cout << "[[rules]]\nid = \"" << id << "\"\ncheck = \"top_refuse\"\nnames = [" << names
            << "]\neffect = \"lossy\"\nconfidence = \"live\"\n"
            << "source = [\"understudy catalog probe\"]\nremedy = \"drop\"\n"
            << words << "\n";
}

class Probe {
 public:
  Probe(const Configured& setup, const ProviderConfig& provider, std::string model)
      : setup_(setup),
        provider_(provider),
        model_(std::move(model)),
        catalog_(setup.state->catalog()),
        back_end_(catalog_->back_end(
            provider.back_end.empty() ? provider.preset : provider.back_end, provider.protocol)) {}

  asio::awaitable<void> run() {
    Config alone = setup_.config;
    alone.routes.clear();
    MemberConfig member;
    member.provider = provider_.name;
    member.model = model_;
    alone.main.chain = {member};
    alone.main.policy.with_max_retries(0).stall.with_last_member(1ms);
    Client client(co_await asio::this_coro::executor, alone, setup_.state);
    co_await ask_all(client);
    co_await client.close();
  }

  int report() const {
    if (unusable_) {
      std::cerr << "understudy catalog probe: " << provider_.name << "/" << model_
                << " does not answer the plain question: " << *unusable_ << "\n";
      return failed;
    }
    std::string names;
    std::string words;
    for (const auto& [name, message] : refused_) {
      names.append(names.empty() ? "\"" : ", \"").append(name).append("\"");
      words.append("# ").append(name).append(": ").append(message).append("\n");
    }
    for (const auto& name : kept_back_) {
      std::cout << "# accepted, although the catalog takes it out: " << name << "\n";
    }
    for (const auto& [name, message] : unclear_) {
      std::cout << "# not clear: " << name << ": " << message << "\n";
    }
    if (names.empty()) {
      std::cout << "# " << provider_.name << "/" << model_
                << " refuses nothing that the catalog does not know\n";
      return done;
    }
    const auto id = back_end_ == nullptr ? provider_.name : back_end_->id;
    print_rule("probe." + id, names, words);
    std::cout << "[[back_ends]]\nid = \"" << id << "\"\nprotocol = \""
              << to_string(provider_.protocol) << "\"\nrules = [\"probe." << id << "\"]\n";
    if (back_end_ == nullptr) {
      std::cout << "\n# and in the configuration: [providers." << provider_.name
                << "] back_end = \"" << id << "\"\n";
    }
    return done;
  }

 private:
  asio::awaitable<void> ask_all(Client& client) {
    const auto plain = co_await ask(client, nullptr);
    if (plain.code()) {
      unusable_ = plain.message();
      co_return;
    }
    for (const auto& candidate : candidates(provider_.protocol)) {
      const auto failure = co_await ask(client, &candidate);
      const bool expected = keeps(*catalog_, back_end_, provider_, model_, candidate);
      const std::string name(candidate.name);
      if (!failure.code()) {
        if (!expected) {
          kept_back_.push_back(name);
        }
      } else if (!names(failure.message(), name)) {
        unclear_.emplace_back(name, one_line(failure.message()));
      } else if (expected) {
        refused_.emplace_back(name, one_line(failure.message()));
      }
    }
  }

  asio::awaitable<Failure> ask(Client& client, const Candidate* extra) const {
    llm::ForwardedRequest request("POST", std::string(llm::traits_of(provider_.protocol).path),
                                  question(provider_.protocol, model_, extra));
    std::vector<Protocol> protocols{provider_.protocol};
    const auto options = RequestOptions().with_deadline(longest_question);
    const auto outcome = co_await client.forward(std::move(request), std::move(protocols), options);
    if (outcome.result.has_error()) {
      co_return outcome.result.error();
    }
    co_return Failure();
  }

  /// Whether the message has the name. A word with "key" in it looks like a credential, and is hidden in messages.
  static bool names(std::string_view message, std::string_view name) {
    const auto hidden = std::string(name.substr(0, name.find("key"))) + "[credential]";
    return message.find(name) != std::string_view::npos ||
           message.find(hidden) != std::string_view::npos;
  }

  static std::string one_line(std::string text) {
    std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' && c >= 0; }, ' ');
    return text;
  }

  using Said = std::vector<std::pair<std::string, std::string>>;  // member and message

  const Configured& setup_;
  const ProviderConfig& provider_;
  std::string model_;
  std::shared_ptr<const llm::Catalog> catalog_;
  const llm::BackEnd* back_end_;
  std::optional<std::string> unusable_;
  Said refused_;
  Said unclear_;
  std::vector<std::string> kept_back_;
};

/// The first model of a chain at that provider; empty: no chain has it.
std::string model_at(const Config& config, const std::string& provider) {
  const auto in = [&](const RouteConfig& route) {
    const auto found =
        std::find_if(route.chain.begin(), route.chain.end(),
                     [&](const MemberConfig& member) { return member.provider == provider; });
    return found == route.chain.end() ? std::string() : found->model;
  };
  auto model = in(config.main);
  for (auto route = config.routes.begin(); model.empty() && route != config.routes.end(); ++route) {
    model = in(*route);
  }
  return model;
}

}  // namespace

int probe_provider(const std::string& config_file, const std::string& provider,
                   const std::string& model) {
  const auto setup = configured(config_file);
  if (setup.has_error()) {
    std::cerr << to_string(setup.error()) << "\n";
    return failed;
  }
  const auto found = setup->config.providers.find(provider);
  const auto asked = model.empty() ? model_at(setup->config, provider) : model;
  if (found == setup->config.providers.end() || asked.empty()) {
    std::cerr << "understudy catalog probe: "
              << (asked.empty() && found != setup->config.providers.end()
                      ? "no chain has a model of `" + provider + "`: add --model"
                      : "the configuration has no provider `" + provider + "`")
              << "\n";
    return bad_usage;
  }
  Terminal::standard_error().status("asking " + provider + "/" + asked +
                                    " some 15 short questions");
  Probe probe(*setup, found->second, asked);
  auto ask = [&]() -> asio::awaitable<void> { return probe.run(); };
  if (!run_until_stopped(std::move(ask))) {
    return interrupted;
  }
  return probe.report();
}

}  // namespace understudy::tool
