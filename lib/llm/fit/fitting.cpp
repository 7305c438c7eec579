#include "llm/fit/fitting.hpp"

#include <algorithm>

namespace understudy::llm::detail {

std::optional<dom::element> member_of(const dom::element& object, std::string_view name) {
  dom::element value;
  if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) {
    return std::nullopt;
  }
  return value;
}

std::string_view text_of(const std::optional<dom::element>& value) {
  std::string_view text;
  if (!value || value->get(text) != simdjson::SUCCESS) {
    return {};
  }
  return text;
}

std::optional<double> number_of(const std::optional<dom::element>& value) {
  double number = 0;
  if (!value || !value->is_number() || value->get_double().get(number) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return number;
}

bool is_object(const std::optional<dom::element>& value) { return value && value->is_object(); }
bool is_array(const std::optional<dom::element>& value) { return value && value->is_array(); }

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<dom::element> Fitting::at(std::string_view path) const {
  std::optional<dom::element> value = root;
  text::each_name(
      path, [&](std::string_view name) { value = value ? member_of(*value, name) : std::nullopt; });
  return value;
}

bool Fitting::thinks() const {
  const auto type = text_of(at("thinking.type"));
  if (anthropic()) {
    return type == "enabled" || type == "adaptive" || type == "between_tools";
  }
  const auto effort = text_of(responses() ? at("reasoning.effort") : member("reasoning_effort"));
  // Models with a style of thinking on Chat think unless they are told not to.
  const bool by_default = facts.thinking && contains(*facts.thinking, "enabled");
  return type != "disabled" && effort != "none" && (by_default || !effort.empty());
}

bool Fitting::forces_tool() const {
  const auto choice = member("tool_choice");
  if (!choice) {
    return false;
  }
  const auto word = choice->is_string() ? text_of(choice) : text_of(member_of(*choice, "type"));
  return word == "required" || word == "any" || word == "tool" || word == "function" ||
         word == "custom" || word == "named";
}

void Fitting::instruct(std::string_view text) {
  std::size_t last = 0;
  std::optional<dom::element> content;  // of the last message, if it is the user's
  each_element(member(conversation()), [&](std::size_t index, const dom::element& message) {
    const bool users = text_of(member_of(message, "role")) == "user";
    last = index;
    content = users ? member_of(message, "content") : std::nullopt;
  });
  if (!content) {  // elsewhere it would change the prefix
    const auto type = responses() ? std::string(R"("type":"message",)") : std::string();
    edits.push_back(text::JsonEdit::append(
        {std::string(conversation())},
        "{" + type + R"("role":"user","content":)" + json::quoted(text) + "}"));
    return;
  }
  text::JsonPath path{std::string(conversation()), last, "content"};
  if (content->is_string()) {
    edits.push_back(text::JsonEdit::set(
        path, json::quoted(std::string(text_of(content)).append("\n\n").append(text))));
  } else {
    const auto type = responses() ? "input_text" : "text";
    edits.push_back(text::JsonEdit::append(
        path, R"({"type":")" + std::string(type) + R"(","text":)" + json::quoted(text) + "}"));
  }
}

}  // namespace understudy::llm::detail
