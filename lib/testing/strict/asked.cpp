#include "testing/strict/asked.hpp"

#include <algorithm>

#include "testing/strict/seal.hpp"
#include "text/ascii.hpp"

namespace understudy::testing::strict {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return text::lowered(x) == text::lowered(y); });
}

/// Items that only an answer contains.
bool is_output_item(std::string_view type, std::string_view role) {
  if (type == "message") {
    return role == "assistant";
  }
  return type == "reasoning" || type == "compaction" || type.ends_with("_call") ||
         type == "mcp_list_tools" || type == "mcp_approval_request";
}

/// Of ".../models/NAME:streamRawPredict".
std::string_view model_in(std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  const auto colon = path.rfind(':');
  const auto slash = path.rfind('/');
  if (colon == std::string_view::npos || slash == std::string_view::npos || colon < slash) {
    return {};
  }
  return path.substr(slash + 1, colon - slash - 1);
}

}  // namespace

std::vector<std::string_view> values_of(const HttpFields& headers, std::string_view name) {
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [key, value] = headers[i];
    if (same_name(key, name)) {
      all.push_back(value);
    }
  }
  return all;
}

Asked::Asked(const Facts& all_facts, const BackendFacts& of, const HttpFields& fields,
             std::string_view request_target)
    : facts(all_facts), backend(of), headers(fields), target(request_target) {}

bool Asked::read(std::string_view text) {
  if (parser_.parse(text.data(), text.size()).get(body) != simdjson::SUCCESS) {
    return false;
  }
  model_name = text_of(body, "model");
  if (model_name.empty()) {
    model_name = model_in(target);
  }
  if (model_name.empty() && text_of(backend.data, "path").starts_with("/MODEL")) {
    model_name = text_of(backend.data, "default_model");
  }
  model = facts.model(model_name);
  for (auto rest : values_of(headers, "anthropic-beta")) {
    while (!rest.empty()) {
      auto token = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(token.size() + 1, rest.size()));
      const auto first = token.find_first_not_of(" \t");
      if (first != std::string_view::npos) {
        betas.push_back(token.substr(first, token.find_last_not_of(" \t") - first + 1));
      }
    }
  }
  read_messages();
  read_tools(member(body, "tools"), {});
  for (const auto& item : said) {
    if (item.type == "tool_search_output" || item.type == "additional_tools") {
      read_tools(member(item.value, "tools"), {});
    }
  }
  effort = backend.form == Form::messages ? text_of(member(body, "output_config"), "effort")
           : backend.form == Form::chat   ? text_of(body, "reasoning_effort")
                                          : text_of(member(body, "reasoning"), "effort");
  thinking = is_thinking();
  return true;
}

void Asked::read_messages() {
  const bool items = backend.form == Form::responses;
  const auto list = array_of(member(body, items ? "input" : "messages"));
  if (!list) {
    return;
  }
  std::size_t index = 0;
  for (const Json element : *list) {
    if (const auto object = object_of(element)) {
      Said one;
      one.index = index;
      one.value = *object;
      one.role = text_of(*object, "role");
      one.type = items ? text_of(*object, "type") : "message";
      if (one.type.empty()) {
        one.type = "message";
      }
      one.by_model = items ? is_output_item(one.type, one.role) : one.role == "assistant";
      said.push_back(one);
    }
    ++index;
  }
}

void Asked::read_tools(std::optional<Json> list, std::string_view space) {
  each_object(list, [&](JsonObject value) {
    Tool tool;
    tool.value = value;
    tool.space = space;
    tool.type = text_of(value, "type");
    tool.index = tool_index_;
    if (tool.type.empty() && backend.form == Form::messages) {
      tool.type = "custom";
    }
    if (backend.form == Form::chat) {
      const auto inner = member(value, tool.type);
      tool.name = text_of(inner, "name");
      tool.schema = present(inner, "parameters");
    } else {
      tool.name = text_of(value, "name");
      tool.schema = present(value, backend.form == Form::messages ? "input_schema" : "parameters");
    }
    tools.push_back(tool);
    if (space.empty() && tool.type == "namespace") {
      read_tools(member(value, "tools"), tool.name);
    }
    tool_index_ += space.empty() ? 1 : 0;
  });
}

bool Asked::is_thinking() const {
  const auto asked = text_of(member(body, "thinking"), "type");
  const auto forms = model != nullptr ? model->list("thinking") : std::nullopt;
  if (!forms) {
    return !asked.empty() && asked != "disabled";
  }
  if (!asked.empty()) {
    return asked != "disabled" || !contains(*forms, "disabled");
  }
  const auto by_default = model->text("thinking_default");
  return by_default.empty() || by_default != "disabled";
}

std::string Asked::account() const {
  for (const auto* name : {"chatgpt-account-id", "authorization", "x-api-key", "api-key"}) {
    const auto value = headers.find(name);
    if (value && !value->empty()) {
      return digest(*value);
    }
  }
  return digest("");
}

bool Asked::streamed() const {
  return bool_of(member(body, "stream")).value_or(false) ||
         target.find(":streamRawPredict") != std::string_view::npos;
}

std::string_view Asked::choice() const {
  const auto value = present(body, "tool_choice");
  const auto word = string_of(value);
  return word ? *word : text_of(value, "type");
}

std::optional<std::string_view> Asked::forced_tool() const {
  const auto value = present(body, "tool_choice");
  const auto kind = choice();
  if (!value || kind.empty() || kind == "auto" || kind == "none" || kind == "allowed_tools") {
    return std::nullopt;
  }
  if (backend.form == Form::chat) {
    return text_of(member(value, kind), "name");
  }
  return text_of(value, "name");
}

}  // namespace understudy::testing::strict
