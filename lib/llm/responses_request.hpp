/// Requests in the Responses API's words (protocols.md 4.1).
#pragma once

#include "understudy/llm/codec.hpp"

namespace understudy::detail {

void write_responses_request(const Request& request, std::string& out);
ReadRequest read_responses_request(std::string_view body);

/// Whether what has this type stands in a message's content, or is an item of its own.
inline bool responses_content(std::string_view type) {
  return type.starts_with("input_") || type.starts_with("output_");
}

}  // namespace understudy::detail
