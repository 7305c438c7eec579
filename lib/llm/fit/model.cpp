#include <algorithm>
#include <array>
#include <cstdint>

#include "llm/fit/fitting.hpp"
#include "llm/known_texts.hpp"

namespace understudy::llm::detail {
namespace {

using LossKind = Loss::Kind;

constexpr std::array<std::string_view, 7> levels{"none", "minimal", "low", "medium",
                                                 "high", "xhigh",   "max"};

std::optional<std::size_t> level_of(std::string_view effort) {
  const auto found = std::find(levels.begin(), levels.end(), effort);
  return found == levels.end() ? std::nullopt : std::optional<std::size_t>(found - levels.begin());
}

/// The level of the model that is nearest, the lower one of two. "none" turns thinking off, so it is near to nothing.
std::string nearest_effort(std::string_view asked, const std::vector<std::string>& known) {
  const auto wanted = level_of(asked);
  std::string best;
  std::size_t distance = levels.size();
  for (const auto& one : known) {
    const auto level = level_of(one);
    if (!wanted || !level || (one == "none" && known.size() > 1)) {
      continue;
    }
    const auto apart = *level > *wanted ? *level - *wanted : *wanted - *level;
    if (apart < distance) {
      distance = apart;
      best = one;
    }
  }
  return best;
}

// --- effort ---------------------------------------------------------------------------------------

void fit_effort(Fitting& fitting, const BackEndRule& rule) {
  const auto* const known = fitting.facts.efforts(fitting.target.protocol);
  const auto effort = text_of(fitting.at(rule.path));
  if (known != nullptr && known->empty() && fitting.responses() && fitting.facts.confirmed() &&
      fitting.member("reasoning")) {
    fitting.drop("reasoning", effort.empty() ? "display of thinking" : "effort");
    return;
  }
  if (known == nullptr || effort.empty() || contains(*known, effort)) {
    return;
  }
  if (const auto fitted = nearest_effort(effort, *known); !fitted.empty()) {
    fitting.set(rule.path, json::quoted(fitted));
    fitting.losses.add(LossKind::changed, "effort");
    return;
  }
  if (fitting.facts.confirmed()) {
    fitting.drop(rule.path, "effort");
  }
}

// --- thinking -------------------------------------------------------------------------------------

struct BudgetOfEffort {
  std::string_view effort;
  std::uint64_t tokens;
};
// What Anthropic's migration guides set against each other.
constexpr std::array budgets{BudgetOfEffort{"low", 4'096}, BudgetOfEffort{"medium", 10'240},
                             BudgetOfEffort{"high", 24'576}, BudgetOfEffort{"xhigh", 32'000},
                             BudgetOfEffort{"max", 60'000}};
constexpr std::uint64_t least_budget = 1'024;  // the API's

std::uint64_t limit_of(const Fitting& fitting) {
  const auto limit = number_of(fitting.member("max_tokens")).value_or(0);
  const auto most = fitting.facts.max_output.value_or(UINT64_MAX);
  return std::min(most, limit <= 0 ? 0 : static_cast<std::uint64_t>(limit));
}

void think_by_budget(Fitting& fitting) {
  const auto effort = text_of(fitting.at("output_config.effort"));
  const auto found = std::find_if(budgets.begin(), budgets.end(),
                                  [&](const auto& one) { return one.effort == effort; });
  const auto limit = limit_of(fitting);
  const auto wanted = found == budgets.end() ? budgets[1].tokens : found->tokens;
  if (limit <= least_budget) {
    fitting.drop("thinking");
    return;
  }
  const auto budget = std::max(least_budget, std::min(wanted, limit - 1));
  fitting.set("thinking", R"({"type":"enabled","budget_tokens":)" + std::to_string(budget) + "}");
  fitting.losses.add(LossKind::changed, "thinking");
}

void think_by_effort(Fitting& fitting) {
  const auto display = text_of(fitting.at("thinking.display"));
  fitting.set("thinking", R"({"type":"adaptive")" +
                              (display.empty() ? "" : R"(,"display":)" + json::quoted(display)) +
                              "}");
  fitting.losses.add(LossKind::changed, "thinking");
  const auto budget = number_of(fitting.at("thinking.budget_tokens"));
  const auto* const known = fitting.facts.efforts(fitting.target.protocol);
  if (!budget || known == nullptr || known->empty() ||
      !text_of(fitting.at("output_config.effort")).empty()) {
    return;
  }
  const auto* const effort = *budget <= 4'096 ? "low" : *budget <= 16'384 ? "medium" : "high";
  if (!contains(*known, effort)) {
    return;
  }
  if (is_object(fitting.member("output_config"))) {
    fitting.set("output_config.effort", json::quoted(effort));
  } else {
    fitting.set("output_config", R"({"effort":)" + json::quoted(effort) + "}");
  }
}

void fit_thinking(Fitting& fitting) {
  const auto type = text_of(fitting.at("thinking.type"));
  const auto& styles = fitting.facts.thinking;
  if (type.empty() || !styles || !fitting.facts.confirmed()) {
    return;
  }
  if (contains(*styles, type)) {
    const auto budget = number_of(fitting.at("thinking.budget_tokens"));
    const auto limit = limit_of(fitting);
    if (type == "enabled" && budget && limit > least_budget &&
        *budget >= static_cast<double>(limit)) {
      fitting.set("thinking.budget_tokens", std::to_string(limit - 1));
    }
  } else if (type != "disabled" && contains(*styles, "adaptive")) {
    think_by_effort(fitting);
  } else if (type != "disabled" && contains(*styles, "enabled")) {
    think_by_budget(fitting);
  } else {
    fitting.drop("thinking");
  }
}

// --- limits ---------------------------------------------------------------------------------------

std::string_view limit_name(const Fitting& fitting, std::string_view written) {
  if (!fitting.chat()) {
    return written;
  }
  const auto* const allowed = fitting.rule(Check::top_allow);
  bool refused = false;
  fitting.each_rule(Check::top_refuse, [&](const BackEndRule& rule) {
    refused = refused || (contains(rule.names, "max_tokens") && fitting.facts.refuses_max_tokens);
  });
  if (refused || (allowed != nullptr && !contains(allowed->names, "max_tokens"))) {
    return "max_completion_tokens";
  }
  const bool only_old = allowed != nullptr && !contains(allowed->names, "max_completion_tokens");
  return only_old ? "max_tokens" : written;
}

void fit_limit(Fitting& fitting) {
  const std::string_view name = fitting.responses() ? "max_output_tokens"
                                : fitting.chat() && fitting.member("max_completion_tokens")
                                    ? "max_completion_tokens"
                                    : "max_tokens";
  const auto to = limit_name(fitting, name);
  const auto limit = number_of(fitting.member(name));
  if (!limit || *limit < 0) {
    return;
  }
  if (const auto* const allowed = fitting.rule(Check::top_allow);
      allowed != nullptr && !contains(allowed->names, name) && to == name) {
    return;  // dropped
  }
  auto fitted = static_cast<std::uint64_t>(*limit);
  if (fitting.rule(Check::model_max_output) != nullptr && fitting.facts.max_output) {
    fitted = std::min(fitted, *fitting.facts.max_output);
  }
  fitting.each_rule(Check::number, [&](const BackEndRule& rule) {
    if (rule.path == name && rule.min) {
      fitted = std::max(fitted, static_cast<std::uint64_t>(*rule.min));
    }
  });
  if (to != name) {
    fitting.remove(name);
    if (!fitting.member(to)) {
      fitting.set(to, std::to_string(fitted));
    }
  } else if (fitted != static_cast<std::uint64_t>(*limit)) {
    fitting.set(name, std::to_string(fitted));
  }
}

// --- sampling -------------------------------------------------------------------------------------

void drop_sampling(Fitting& fitting, std::string_view name) {
  const auto value = fitting.member(name);
  if (!value) {
    return;
  }
  const bool neutral = number_of(value) == 1.0 && (name == "temperature" || name == "top_p");
  neutral ? fitting.remove(name) : fitting.drop(name);
}

void fit_sampling(Fitting& fitting, const BackEndRule& rule) {
  std::vector<std::string> names{"temperature", "top_p", "top_k"};
  names.insert(names.end(), rule.also.begin(), rule.also.end());
  const auto drop_all = [&] {
    for (const auto& name : names) {
      drop_sampling(fitting, name);
    }
  };
  if (!fitting.facts.sampling || !fitting.facts.confirmed()) {
    return;
  }
  switch (*fitting.facts.sampling) {
    case SamplingSupport::any:
    case SamplingSupport::ignored_in_thinking: break;
    case SamplingSupport::refused: drop_all(); break;
    case SamplingSupport::default_only:
      for (const auto& name : names) {
        if (number_of(fitting.member(name)) != 1.0) {
          drop_sampling(fitting, name);
        }
      }
      break;
    case SamplingSupport::with_none: {
      const auto effort = text_of(fitting.responses() ? fitting.at("reasoning.effort")
                                                      : fitting.member("reasoning_effort"));
      if (effort != "none") {
        drop_all();
      }
      break;
    }
    case SamplingSupport::one_of_two:
      if (fitting.member("temperature")) {
        drop_sampling(fitting, "top_p");
      }
      break;
  }
  const bool by_maker = *fitting.facts.sampling == SamplingSupport::any ||
                        *fitting.facts.sampling == SamplingSupport::one_of_two;
  if (fitting.anthropic() && by_maker && fitting.thinks()) {
    if (number_of(fitting.member("temperature")) != 1.0) {
      drop_sampling(fitting, "temperature");
    }
    drop_sampling(fitting, "top_k");
  }
}

// --- tools ----------------------------------------------------------------------------------------

void choose_freely(Fitting& fitting) {
  const auto choice = fitting.member("tool_choice");
  const auto name =
      choice && choice->is_object() ? text_of(member_of(*choice, "name")) : std::string_view();
  const auto function = choice && choice->is_object() ? member_of(*choice, "function")
                                                      : std::optional<dom::element>();
  const auto tool = function ? text_of(member_of(*function, "name")) : name;
  fitting.set("tool_choice", fitting.anthropic() ? R"({"type":"auto"})" : R"("auto")");
  fitting.losses.add(LossKind::changed, "tool_choice");
  fitting.instruct(tool.empty() ? std::string("Answer by calling one of the tools.")
                                : "Answer by calling the tool " + std::string(tool) + ".");
}

void fit_forced_tool(Fitting& fitting, const BackEndRule& rule) {
  const auto& support = fitting.facts.forced_tools;
  if (!fitting.forces_tool() || !support || *support == ForcedTools::accepted) {
    return;
  }
  if (*support == ForcedTools::not_with_thinking) {
    const bool thinks = fitting.thinks() || rule.while_thinking;
    if (!thinks || text_of(fitting.at("thinking.type")) == "disabled") {
      return;
    }
    if (fitting.facts.thinking && contains(*fitting.facts.thinking, "disabled")) {
      fitting.set("thinking", R"({"type":"disabled"})");
      fitting.losses.add(LossKind::changed, "thinking");
      return;
    }
  }
  choose_freely(fitting);
}

void fit_tools_on_chat(Fitting& fitting) {
  const auto& support = fitting.facts.tools_on_chat;
  const auto tools = fitting.member("tools");
  if (!support || !is_array(tools)) {
    return;
  }
  const auto effort = text_of(fitting.member("reasoning_effort"));
  const auto* const known = fitting.facts.efforts(Protocol::openai_chat);
  const bool has_none = known != nullptr && contains(*known, "none");
  const bool needs_none = *support == ToolsOnChat::needs_effort_none ||
                          (*support == ToolsOnChat::not_with_effort && !effort.empty());
  if (needs_none && has_none && effort != "none") {
    fitting.set("reasoning_effort", R"("none")");
    fitting.losses.add(LossKind::changed, "effort");
  } else if (needs_none && !has_none && !effort.empty()) {
    fitting.drop("reasoning_effort", "effort");
  }
}

// --- ends and roles -------------------------------------------------------------------------------

void fit_prefill(Fitting& fitting) {
  std::string_view last_role;
  each_element(fitting.member("messages"), [&](std::size_t, const dom::element& message) {
    last_role = text_of(member_of(message, "role"));
  });
  if (fitting.facts.prefill == false && last_role == "assistant") {
    fitting.edits.push_back(text::JsonEdit::append(
        {"messages"}, R"({"role":"user","content":)" + json::quoted(continue_text) + "}"));
    fitting.losses.add(LossKind::changed, "prefill");
  }
}

}  // namespace

void fit_model(Fitting& fitting) {
  fit_limit(fitting);
  fitting.each_rule(Check::model_thinking, [&](const BackEndRule&) { fit_thinking(fitting); });
  fitting.each_rule(Check::model_effort,
                    [&](const BackEndRule& rule) { fit_effort(fitting, rule); });
  fitting.each_rule(Check::model_sampling,
                    [&](const BackEndRule& rule) { fit_sampling(fitting, rule); });
  fitting.each_rule(Check::model_forced_tool,
                    [&](const BackEndRule& rule) { fit_forced_tool(fitting, rule); });
  fitting.each_rule(Check::model_tools_on_chat,
                    [&](const BackEndRule&) { fit_tools_on_chat(fitting); });
  fitting.each_rule(Check::model_prefill, [&](const BackEndRule&) { fit_prefill(fitting); });
}

}  // namespace understudy::llm::detail
