#include "llm/fit/tool_loop.hpp"

#include <cstdint>
#include <vector>

#include "text/json_edit.hpp"
#include "text/json_tree.hpp"

namespace understudy::llm::detail {
namespace {

std::string word_at(std::string_view json, const text::JsonPath& path) {
  return json::unescaped_text(text::json_at(json, path));
}

/// The type of the first block of a message's content.
std::string first_type(std::string_view message) {
  const auto blocks = text::json_elements(text::json_at(message, {"content"}), 1);
  return blocks.empty() ? std::string("text") : word_at(blocks.front(), {"type"});
}

}  // namespace

std::optional<std::string> without_thinking_in_foreign_loop(std::string_view body) {
  if (word_at(body, {"thinking", "type"}) != "enabled") {
    return std::nullopt;
  }
  const auto messages = text::json_elements(text::json_at(body, {"messages"}), SIZE_MAX);
  auto last = messages.rbegin();
  if (last == messages.rend() || first_type(*last) != "tool_result") {
    return std::nullopt;
  }
  // The turn began behind the last message of the user that is not a result.
  std::string begins;
  for (; last != messages.rend(); ++last) {
    const bool users = word_at(*last, {"role"}) == "user";
    if (users && first_type(*last) != "tool_result") {
      break;
    }
    begins = users ? begins : first_type(*last);
  }
  if (begins.empty() || begins == "thinking" || begins == "redacted_thinking") {
    return std::nullopt;
  }
  return text::edit_json(body, {text::JsonEdit::set({"thinking"}, R"({"type":"disabled"})")});
}

}  // namespace understudy::llm::detail
