/// What each agent must be told of a gateway, and what is said to the user beside it.
///
/// Invariants
/// 1. No value that is printed is a secret (Setting::shown). The gateway's key is written to the settings of Claude
///    Code alone, which knows no other place; all others get the name of a variable, `UNDERSTUDY_KEY`.
/// 2. Only formats that the agents were seen to read are written. The rest is told in words, for the user to do.
/// 3. Agents that need a list of models cannot be told of a gateway whose configuration was not read: an error.
///
///     const auto plan = claude_plan(gateway_facts("http://127.0.0.1:8080").value()).value();
///     std::cout << plan.printable();
#pragma once

#include <string>
#include <string_view>

#include "gateway_facts.hpp"
#include "plan.hpp"

namespace understudy::tool {

// plans_of_makers.cpp: agents that speak their maker's protocol, and ask for its models.
SourceResult<Plan> claude_plan(const GatewayFacts& gateway);
SourceResult<Plan> codex_plan(const GatewayFacts& gateway);

// plans_with_models.cpp: agents that speak any protocol, and are told the models.
SourceResult<Plan> opencode_plan(const GatewayFacts& gateway);
SourceResult<Plan> qwen_plan(const GatewayFacts& gateway);
SourceResult<Plan> pi_plan(const GatewayFacts& gateway);

// plans_by_hand.cpp: agents whose files are not edited.
SourceResult<Plan> cline_plan(const GatewayFacts& gateway);
SourceResult<Plan> hermes_plan(const GatewayFacts& gateway);

// plan_notes.cpp

/// Sent where no key is asked for: agents refuse to start without one, or ask for a sign-in.
inline constexpr std::string_view placeholder = "understudy";

/// Why a setting that depends on a window is left away.
std::string window_note(std::string_view setting, const Window& window);

/// For an agent that gets the key from a variable.
void note_variable(const GatewayFacts& gateway, std::string_view variable, Plan& plan);

}  // namespace understudy::tool
