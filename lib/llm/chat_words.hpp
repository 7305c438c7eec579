/// Finish reasons in Chat Completions' words (protocols.md 9.3).
#pragma once

#include <string_view>

#include "understudy/llm/event.hpp"

namespace understudy::detail {

/// What a finish reason means, `tool_use` and `refusal` behind a "stop" aside.
FinishReason chat_finish(std::string_view reason);

/// Whether a finish reason says that the provider failed.
bool chat_failure(std::string_view reason);

/// The word for a finish: `native` if it is one of Chat's.
std::string_view chat_finish_reason(FinishReason reason, std::string_view native);

}  // namespace understudy::detail
