/// Requests in Anthropic's words (protocols.md 2.1).
#pragma once

#include "understudy/llm/codec.hpp"

namespace understudy::llm::detail::anthropic {

void write_request(const Request& request, std::string& out);
ReadRequest read_request(std::string_view body);

}  // namespace understudy::llm::detail::anthropic
