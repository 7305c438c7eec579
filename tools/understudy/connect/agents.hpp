/// The agents that can be connected: where each keeps its settings, and which plan is made for it.
///
/// Invariants
/// 1. A row is all that a new agent needs, beside its plan (plans.hpp).
/// 2. Pure: no file is read here, and no environment.
///
///     const auto* const agent = find_agent("claude");
///     const auto plan = agent->plan(facts).value();
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "plans.hpp"

namespace understudy::tool {

/// A row of the table of agents. `variable` names the folder of its configuration; without it, it is `folder` in the
/// user's home.
class Agent {
 public:
  std::string_view name;   ///< on the command line
  std::string_view title;  ///< "Claude Code"
  std::string_view variable;
  std::string_view folder;
  std::string_view file;  ///< in either; empty: it is pointed by hand
  std::string_view
      rival;  ///< beside the file, takes precedence over it, and is not edited; empty: none
  SourceResult<Plan> (*plan)(const GatewayFacts&);
};

std::span<const Agent> agents();

/// Null if there is no such agent.
const Agent* find_agent(std::string_view name);

/// What to say to a user who has written an unknown name: "did you mean `claude`?"
std::string agent_suggestion(std::string_view written);

}  // namespace understudy::tool
