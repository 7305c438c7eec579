/// Requests in the Responses API's words (reference wire.md 4.1).
#pragma once

#include "understudy/llm/codec.hpp"

namespace understudy::detail {

void write_responses_request(const Request& request, std::string& out);
ReadRequest read_responses_request(std::string_view body);

}  // namespace understudy::detail
