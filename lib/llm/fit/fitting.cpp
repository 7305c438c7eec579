#include "llm/fit/fitting.hpp"

#include <algorithm>

#include "understudy/text/json_writer.hpp"

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

std::string json_text(std::string_view text) {
  std::string out;
  JsonWriter(out).value(text);
  return out;
}

text::JsonPath Fitting::path_of(std::string_view path) {
  text::JsonPath steps;
  while (!path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    steps.emplace_back(std::string(path.substr(0, end)));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return steps;
}

std::optional<dom::element> Fitting::at(std::string_view path) const {
  std::optional<dom::element> value = root;
  while (value && !path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    value = member_of(*value, path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
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
  const auto list = member(conversation());
  dom::array messages;
  if (!list || list->get(messages) != simdjson::SUCCESS) {
    return;
  }
  std::size_t index = 0;
  std::optional<std::size_t> last;
  std::optional<dom::element> content;
  for (const auto message : messages) {
    if (text_of(member_of(message, "role")) == "user") {
      last = index;
      content = member_of(message, "content");
    }
    ++index;
  }
  if (!last || !content || *last + 1 != index) {  // elsewhere it would change the prefix
    const auto type = responses() ? std::string(R"("type":"message",)") : std::string();
    edits.push_back(
        text::JsonEdit::append({std::string(conversation())},
                               "{" + type + R"("role":"user","content":)" + json_text(text) + "}"));
    return;
  }
  text::JsonPath path{std::string(conversation()), *last, "content"};
  if (content->is_string()) {
    edits.push_back(text::JsonEdit::set(
        path, json_text(std::string(text_of(content)).append("\n\n").append(text))));
  } else {
    const auto type = responses() ? "input_text" : "text";
    edits.push_back(text::JsonEdit::append(
        path, R"({"type":")" + std::string(type) + R"(","text":)" + json_text(text) + "}"));
  }
}

}  // namespace understudy::llm::detail
