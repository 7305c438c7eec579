/// Requests in Anthropic's words (protocols.md 2.1).
#pragma once

#include "understudy/llm/codec.hpp"

namespace understudy::detail {

void write_anthropic_request(const Request& request, std::string& out);
ReadRequest read_anthropic_request(std::string_view body);

}  // namespace understudy::detail
