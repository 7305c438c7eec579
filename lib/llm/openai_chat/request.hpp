/// Requests in Chat Completions' words (protocols.md 3.1).
#pragma once

#include <string_view>

#include "understudy/llm/codec.hpp"

namespace understudy::llm::detail::openai_chat {

void write_request(const Request& request, std::string& out);
ReadRequest read_request(std::string_view body);

/// The OpaquePart of an assistant's call of a custom tool, whose input is no JSON.
inline constexpr std::string_view custom_call = "custom_tool_call";
inline bool is_custom_call(const OpaquePart& part) {
  return part.protocol == Protocol::openai_chat && part.type == custom_call;
}

}  // namespace understudy::llm::detail::openai_chat
