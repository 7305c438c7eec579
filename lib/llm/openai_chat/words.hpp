/// Finish reasons in Chat Completions' words (protocols.md 9.3).
#pragma once

#include <optional>
#include <string_view>

#include "understudy/llm/event.hpp"

namespace understudy::llm::detail::openai_chat {

/// What a finish reason means, `tool_use` and `refusal` behind a "stop" aside; nothing if the provider failed.
std::optional<FinishReason> finish_of(std::string_view reason);

/// The word for a finish: one of those that the SDK knows. `native`: an answer that consists of a refusal has either of
/// two.
std::string_view finish_word(FinishReason reason, std::string_view native);

}  // namespace understudy::llm::detail::openai_chat
