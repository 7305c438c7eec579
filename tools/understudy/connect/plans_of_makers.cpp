#include "plans.hpp"
#include "text/json_tree.hpp"

namespace understudy::tool {
namespace {

using Keys = GatewayFacts::Keys;
using Keep = Setting::Keep;

/// Claude Code takes a smaller window for this one.
constexpr std::uint64_t smallest_claude_window = 100'000;
}  // namespace

SourceResult<Plan> claude_plan(const GatewayFacts& gateway) {
  Plan plan;
  std::vector<Setting> settings;
  const auto set = [&](const char* name, std::string_view value, Keep keep = Keep::never) -> auto& {
    return settings.emplace_back(std::vector<std::string>{"env", name}, json::quoted(value), keep);
  };
  set("ANTHROPIC_BASE_URL", gateway.url);
  if (gateway.keys == Keys::needed) {
    set("ANTHROPIC_AUTH_TOKEN", gateway.key.reveal())
        .secret("\"one of server.keys of the gateway\"");
  } else {
    const bool unknown = gateway.keys == Keys::unknown;
    set("ANTHROPIC_AUTH_TOKEN", placeholder, unknown ? Keep::if_there : Keep::never);
    plan.notes.emplace_back(unknown
                                ? "ANTHROPIC_AUTH_TOKEN must be one of `server.keys` of the "
                                  "gateway, if it has any; one that is there stays."
                                : "The gateway asks for no key; ANTHROPIC_AUTH_TOKEN only keeps "
                                  "Claude Code from asking for a sign-in.");
  }
  set("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1");
  set("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1");
  const auto window = gateway.window_of_models("claude");
  if (!window.tokens) {
    plan.notes.push_back(window_note("CLAUDE_CODE_AUTO_COMPACT_WINDOW", window));
  } else if (*window.tokens < smallest_claude_window) {
    plan.notes.push_back("CLAUDE_CODE_AUTO_COMPACT_WINDOW is left away: a member takes " +
                         std::to_string(*window.tokens) +
                         " tokens, and Claude Code compacts at no less than 100000.");
  } else {
    set("CLAUDE_CODE_AUTO_COMPACT_WINDOW", std::to_string(*window.tokens), Keep::if_smaller);
  }
  plan.edits = std::move(settings);
  return plan;
}

SourceResult<Plan> codex_plan(const GatewayFacts& gateway) {
  Plan plan;
  CodexProvider provider;
  provider.base_url = gateway.url + "/v1";
  provider.env_key = gateway.keys == Keys::needed ? CodexProvider::EnvKey::present
                     : gateway.keys == Keys::none ? CodexProvider::EnvKey::absent
                                                  : CodexProvider::EnvKey::kept;
  const auto window = gateway.window_of_models("gpt");
  if (window.tokens) {
    provider.compact_limit = *window.tokens / 10 * 9;  // as Codex does with the window of a model
  } else {
    plan.notes.push_back(window_note("model_auto_compact_token_limit", window));
  }
  if (gateway.keys == Keys::needed) {
    note_variable(gateway, key_variable, plan);
  } else if (gateway.keys == Keys::unknown) {
    plan.notes.emplace_back(
        "If the gateway has `server.keys`, add env_key = \"UNDERSTUDY_KEY\" to the provider, and "
        "set that variable to one of them.");
  }
  plan.edits = std::move(provider);
  return plan;
}

}  // namespace understudy::tool
