/// A loop of tool calls that another member has begun: Claude 4.5 and older, with thinking enabled, refuse a conversation
/// that ends in tool results unless the turn of these calls begins with thinking.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::llm::detail {

/// The body of a Messages request with thinking disabled, if it ends in such a loop and thinking is enabled; otherwise
/// nothing. The next turn thinks again.
std::optional<std::string> without_thinking_in_foreign_loop(std::string_view body);

}  // namespace understudy::llm::detail
