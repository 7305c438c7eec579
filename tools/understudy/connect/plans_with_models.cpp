#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "plans.hpp"
#include "text/json_tree.hpp"

namespace understudy::tool {
namespace {

using Keys = GatewayFacts::Keys;
using Keep = Setting::Keep;

/// What opencode asks for at most, whatever its configuration says.
constexpr std::uint64_t opencode_output = 32'000;

SourceResult<Plan> needs_models() {
  return source_error("--url", {}, "does not say which models the gateway has",
                      "pass --config with the gateway's configuration too");
}

/// By name; of a model of the main chain that a route has too, the route's, which answers.
std::vector<ServedModel> distinct(const std::vector<ServedModel>& models) {
  std::set<std::string_view> routes;
  for (const auto& model : models) {
    if (!model.main) {
      routes.insert(model.name);
    }
  }
  std::vector<ServedModel> kept;
  std::copy_if(models.begin(), models.end(), std::back_inserter(kept),
               [&](const auto& m) { return !m.main || !routes.contains(m.name); });
  return kept;
}

struct Dialect {
  llm::Protocol protocol;
  const char* opencode_package;
  const char* pi_api;
  const char* pi_path;  // after the gateway's address
};

/// Agents of many protocols speak the first member's, which then gets their requests as they are.
const Dialect& dialect_of(llm::Protocol protocol) {
  static constexpr std::array dialects{
      Dialect{llm::Protocol::anthropic_messages, "@ai-sdk/anthropic", "anthropic-messages", ""},
      Dialect{llm::Protocol::openai_chat, "@ai-sdk/openai-compatible", "openai-completions", "/v1"},
      Dialect{llm::Protocol::openai_responses, "@ai-sdk/openai", "openai-responses", "/v1"},
  };
  return *std::find_if(dialects.begin(), dialects.end(),
                       [&](const Dialect& d) { return d.protocol == protocol; });
}

}  // namespace

SourceResult<Plan> opencode_plan(const GatewayFacts& gateway) {
  const auto* const first = gateway.first_model();
  if (first == nullptr) {
    return needs_models();
  }
  Plan plan;
  std::vector<Setting> settings;
  const auto set = [&](std::vector<std::string> below, std::string json) {
    below.insert(below.begin(), {"provider", "understudy"});
    settings.emplace_back(std::move(below), std::move(json));
  };
  set({"npm"}, json::quoted(dialect_of(gateway.protocol).opencode_package));
  set({"name"}, json::quoted("understudy"));
  set({"options", "baseURL"}, json::quoted(gateway.url + "/v1"));
  set({"options", "apiKey"},
      json::quoted(gateway.keys == Keys::needed ? "{env:" + std::string(key_variable) + "}"
                                                : std::string(placeholder)));
  for (const auto& model : distinct(gateway.models)) {
    set({"models", model.name, "name"}, json::quoted(model.name));
    if (const auto window = model.window.tokens) {
      const auto output = std::min(opencode_output, *window / 4);
      set({"models", model.name, "limit", "context"}, std::to_string(*window));
      set({"models", model.name, "limit", "output"}, std::to_string(output));
    } else {
      plan.notes.push_back(window_note("limit of " + model.name, model.window));
    }
  }
  settings.emplace_back(std::vector<std::string>{"model"},
                        json::quoted("understudy/" + first->name));
  note_variable(gateway, key_variable, plan);
  plan.edits = std::move(settings);
  return plan;
}

SourceResult<Plan> qwen_plan(const GatewayFacts& gateway) {
  const auto* const first = gateway.first_model();
  if (first == nullptr) {
    return needs_models();
  }
  Plan plan;
  std::vector<Setting> settings;
  const auto set = [&](std::vector<std::string> path, std::string json, Keep keep = Keep::never) {
    settings.emplace_back(std::move(path), std::move(json), keep);
  };
  set({"security", "auth", "selectedType"}, json::quoted("openai"));
  set({"model", "name"}, json::quoted(first->name));
  if (const auto window = first->window.tokens) {
    set({"model", "generationConfig", "contextWindowSize"}, std::to_string(*window),
        Keep::if_smaller);
  } else {
    plan.notes.push_back(window_note("contextWindowSize", first->window));
  }
  set({"env", "OPENAI_BASE_URL"}, json::quoted(gateway.url + "/v1"));
  if (gateway.keys == Keys::none) {
    set({"env", "OPENAI_API_KEY"}, json::quoted(placeholder));
  }
  note_variable(gateway, "OPENAI_API_KEY", plan);
  plan.edits = std::move(settings);
  return plan;
}

SourceResult<Plan> pi_plan(const GatewayFacts& gateway) {
  const auto* const first = gateway.first_model();
  if (first == nullptr) {
    return needs_models();
  }
  Plan plan;
  std::vector<Setting> settings;
  const auto& dialect = dialect_of(gateway.protocol);
  const auto set = [&](const char* name, std::string json) {
    settings.emplace_back(std::vector<std::string>{"providers", "understudy", name},
                          std::move(json));
  };
  std::string models;
  for (const auto& model : distinct(gateway.models)) {
    models += (models.empty() ? "{\"id\": " : ", {\"id\": ") + json::quoted(model.name);
    if (const auto window = model.window.tokens) {
      models += ", \"contextWindow\": " + std::to_string(*window);
    } else {
      plan.notes.push_back(window_note("contextWindow of " + model.name, model.window));
    }
    models += "}";
  }
  set("baseUrl", json::quoted(gateway.url + dialect.pi_path));
  set("api", json::quoted(dialect.pi_api));
  // A command is understood by all versions; the spelling of a variable has changed between them.
  set("apiKey", json::quoted(gateway.keys == Keys::needed ? "!printenv " + std::string(key_variable)
                                                          : std::string(placeholder)));
  set("models", "[" + models + "]");
  note_variable(gateway, key_variable, plan);
  plan.notes.push_back("Choose the model with /model, or start pi --provider understudy --model " +
                       first->name + ".");
  plan.edits = std::move(settings);
  return plan;
}

}  // namespace understudy::tool
