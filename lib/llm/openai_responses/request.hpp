/// Requests in the Responses API's words (protocols.md 4.1).
#pragma once

#include "understudy/llm/codec.hpp"

namespace understudy::llm::detail::openai_responses {

void write_request(const Request& request, std::string& out);
ReadRequest read_request(std::string_view body);

/// Whether what has this type stands in a message's content, or is an item of its own.
inline bool is_content(std::string_view type) {
  return type.starts_with("input_") || type.starts_with("output_");
}

}  // namespace understudy::llm::detail::openai_responses
