/// Requests in Chat Completions' words (reference wire.md 3.1).
#pragma once

#include "understudy/llm/codec.hpp"

namespace understudy::detail {

void write_chat_request(const Request& request, std::string& out);
ReadRequest read_chat_request(std::string_view body);

}  // namespace understudy::detail
