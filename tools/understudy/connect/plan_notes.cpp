#include "plans.hpp"

namespace understudy::tool {
namespace {

using Keys = GatewayFacts::Keys;

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) {
    all += (all.empty() ? "" : ", ") + word;
  }
  return all;
}

}  // namespace

std::string window_note(std::string_view setting, const Window& window) {
  const auto why = window.unknown.empty()
                       ? std::string("no configuration was read (--config)")
                       : "the context window of " + joined(window.unknown) +
                             " is not known (`context_window` of `[providers.NAME.models]`)";
  return std::string(setting) + " is left away: " + why + ".";
}

void note_variable(const GatewayFacts& gateway, std::string_view variable, Plan& plan) {
  if (gateway.keys != Keys::none) {
    plan.notes.push_back("Set " + std::string(variable) + " in the agent's environment to one of " +
                         "`server.keys` of the gateway" +
                         (gateway.keys == Keys::unknown ? ", if it has any." : "."));
  }
}

}  // namespace understudy::tool
