/// Requests in Chat Completions' words (protocols.md 3.1).
#pragma once

#include <string_view>

#include "understudy/llm/codec.hpp"

namespace understudy::llm::detail::openai_chat {

void write_request(const Request& request, std::string& out);
ReadRequest read_request(std::string_view body);

}  // namespace understudy::llm::detail::openai_chat
