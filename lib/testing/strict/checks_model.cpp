// Checks of what depends on the model. Of a model without facts nothing is refused.
#include <algorithm>

#include "testing/strict/asked.hpp"
#include "testing/strict/checks.hpp"

namespace understudy::testing::strict {
namespace {

Violation about(std::string_view param, std::string value = {}) {
  Violation found;
  found.param = param;
  found.value = std::move(value);
  return found;
}

/// 'low', 'medium', and 'high'
std::string enumerated(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) {
      out += words.size() > 2 ? ", " : " ";
      out += i + 1 == words.size() ? "and " : "";
    }
    out += "'" + std::string(words[i]) + "'";
  }
  return out;
}

/// The text in the prompt: strings, without what is not read as text.
std::uint64_t text_bytes(Json value) {
  if (const auto text = string_of(value)) {
    return text->starts_with("data:") ? 0 : text->size();
  }
  std::uint64_t sum = 0;
  if (const auto list = array_of(value)) {
    for (const Json element : *list) {
      sum += text_bytes(element);
    }
  } else if (const auto object = object_of(value)) {
    constexpr std::string_view not_text[] = {"data", "signature", "encrypted_content", "file_data"};
    for (const auto field : *object) {
      if (std::find(std::begin(not_text), std::end(not_text), field.key) == std::end(not_text)) {
        sum += text_bytes(field.value);
      }
    }
  }
  return sum;
}

std::string effort_shown(std::string_view effort) {
  return effort.empty() ? std::string("none named") : std::string(effort);
}

}  // namespace

namespace checks {

Found model_max_output(const Rule& rule, const Asked& asked) {
  const auto most = asked.model != nullptr ? asked.model->number("max_output") : std::nullopt;
  if (!most) {
    return std::nullopt;
  }
  for (const auto& path : rule.paths()) {
    const auto value = number_of(path.find(asked.body));
    if (value && *value > *most) {
      auto found = about(path.text(), shown(*value));
      found.max = shown(*most);
      return found;
    }
  }
  return std::nullopt;
}

Found model_sampling(const Rule& rule, const Asked& asked) {
  const auto how = asked.model != nullptr ? asked.model->text("sampling") : std::string_view();
  std::vector<std::string_view> names = {"temperature", "top_p", "top_k"};
  const auto& also = rule.list("also");
  names.insert(names.end(), also.begin(), also.end());
  const auto first = [&](bool default_is_taken) -> Found {
    for (const auto name : names) {
      const auto value = present(asked.body, name);
      // 1 for temperature and top_p; 0, false or nothing for the others.
      const bool penalty = contains(also, name);
      const auto by_default = penalty ? 0.0 : 1.0;
      const bool is_default =
          value && (number_of(value) == by_default || (penalty && bool_of(value) == false));
      if (value && !(default_is_taken && is_default)) {
        return about(name, shown(*value));
      }
    }
    return std::nullopt;
  };
  if (how == "refused" || (how == "with_none" && asked.effort != "none")) {
    return first(false);
  }
  if (how == "default_only") {
    return first(true);
  }
  if (how == "one_of_two") {
    const auto temperature = present(asked.body, "temperature");
    if (temperature && present(asked.body, "top_p")) {
      auto found = about("top_p");
      found.message =
          "`temperature` and `top_p` cannot both be specified for this model. "
          "Please use only one.";
      return found;
    }
    if (temperature && asked.thinking && number_of(temperature) != 1) {
      auto found = about("temperature", shown(*temperature));
      found.message = "`temperature` may only be set to 1 when thinking is enabled.";
      return found;
    }
  }
  return std::nullopt;
}

Found model_effort(const Rule& rule, const Asked& asked) {
  const auto value = rule.path.find(asked.body);
  const auto efforts =
      asked.model != nullptr ? asked.model->efforts(rule.text("endpoint")) : std::nullopt;
  const auto text = string_of(value);
  if (!value || value->is_null() || !efforts || (text && contains(*efforts, *text))) {
    return std::nullopt;
  }
  auto found = about(rule.path.text(), shown(*value));
  found.values = enumerated(*efforts);
  return found;
}

Found model_thinking(const Rule&, const Asked& asked) {
  const auto forms = asked.model != nullptr ? asked.model->list("thinking") : std::nullopt;
  const auto type = string_of(member(member(asked.body, "thinking"), "type"));
  if (!forms || !type) {
    return std::nullopt;
  }
  const bool conflict =
      *type == "disabled" &&
      contains(strings_of(member(asked.model->data, "disabled_not_with_effort")), asked.effort);
  return contains(*forms, *type) && !conflict ? std::nullopt
                                              : Found(about("thinking.type", std::string(*type)));
}

Found model_forced_tool(const Rule&, const Asked& asked) {
  const auto how =
      asked.model != nullptr ? asked.model->text("forced_tool_choice") : std::string_view();
  if (!asked.forced_tool() ||
      !(how == "refused" || (how == "not_with_thinking" && asked.thinking))) {
    return std::nullopt;
  }
  return about("tool_choice", std::string(asked.choice()));
}

Found model_prefill(const Rule&, const Asked& asked) {
  const bool refused = asked.model != nullptr && asked.model->flag("prefill") == false;
  if (!refused || asked.said.empty() || asked.said.back().role != "assistant") {
    return std::nullopt;
  }
  auto found = about("messages");
  found.index = asked.said.back().index;
  return found;
}

Found model_tools_on_chat(const Rule&, const Asked& asked) {
  const auto how = asked.model != nullptr ? asked.model->text("tools_on_chat") : std::string_view();
  const bool functions = std::any_of(asked.tools.begin(), asked.tools.end(),
                                     [](const Tool& tool) { return tool.type == "function"; });
  const bool refused =
      how == "refused" || (how == "needs_effort_none" && asked.effort != "none") ||
      (how == "not_with_effort" && !asked.effort.empty() && asked.effort != "none");
  return functions && refused ? Found(about("reasoning_effort", effort_shown(asked.effort)))
                              : std::nullopt;
}

Found model_mid_system(const Rule&, const Asked& asked) {
  if (asked.model == nullptr || asked.model->flag("mid_system") != false) {
    return std::nullopt;
  }
  for (const auto& one : asked.said) {
    if (one.role == "system") {
      auto found = about("messages", "system");
      found.index = one.index;
      return found;
    }
  }
  return std::nullopt;
}

/// Refuses what is surely too long: text of more than eight bytes for each token of the window.
Found context_window(const Rule&, const Asked& asked) {
  constexpr std::uint64_t most_bytes_per_token = 8;
  constexpr double long_window = 1e6;
  auto window = number_of(member(member(asked.backend.data, "limits"), "context"));
  if (asked.model != nullptr) {
    auto own = asked.model->number("max_input");
    own = own ? own : asked.model->number("context");
    // Claude docs: 1,000,000 tokens for Sonnet 4 with this beta.
    if (own && !asked.model->text("context_note").empty() &&
        contains(asked.betas, "context-1m-2025-08-07")) {
      own = std::max(*own, long_window);
    }
    window = !window ? own : own ? std::min(*window, *own) : window;
  }
  if (!window) {
    return std::nullopt;
  }
  std::uint64_t bytes = 0;
  for (const auto* name : {"system", "instructions", "messages", "input", "tools"}) {
    if (const auto part = member(asked.body, name)) {
      bytes += text_bytes(*part);
    }
  }
  const auto tokens = bytes / most_bytes_per_token;
  if (static_cast<double>(tokens) <= *window) {
    return std::nullopt;
  }
  auto found = about({}, std::to_string(tokens));
  found.max = shown(*window);
  return found;
}

Found temperature_by_thinking(const Rule& rule, const Asked& asked) {
  const auto value = number_of(rule.path.find(asked.body));
  const auto wanted = rule.number(asked.thinking ? "on" : "off");
  if (!value || !wanted || *value == *wanted || asked.model == nullptr ||
      !asked.model->flag("temperature_fixed").value_or(false)) {
    return std::nullopt;
  }
  auto found = about(rule.path.text(), shown(*value));
  found.want = shown(*wanted);
  return found;
}

Found choice_with_thinking(const Rule& rule, const Asked& asked) {
  const auto value = rule.path.find(asked.body);
  if (!value || value->is_null() || !asked.thinking) {
    return std::nullopt;
  }
  const auto own = asked.model != nullptr ? asked.model->list("tool_choice") : std::nullopt;
  const auto text = string_of(value);
  if (text && contains(own ? *own : rule.list("values"), *text)) {
    return std::nullopt;
  }
  return about(rule.path.text(), text ? std::string(*text) : std::string("specified"));
}

}  // namespace checks
}  // namespace understudy::testing::strict
