/// OpenAI's form of an error, which its two protocols share.
#pragma once

#include <string>
#include <string_view>

#include "understudy/llm/event.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {

void write_openai_error(JsonWriter& json, const Error& error);

/// The body of an error status, which is the same for both of OpenAI's protocols.
void write_openai_error_body(const Error& error, unsigned status, std::string& out);

/// The `type` of an error event that says `status`.
std::string_view openai_stream_error_type(unsigned status) noexcept;

}  // namespace understudy::llm::detail
