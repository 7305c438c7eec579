/// Stop reasons in Anthropic's words (protocols.md 9.3).
#pragma once

#include <optional>
#include <string_view>

#include "understudy/llm/event.hpp"

namespace understudy::llm::detail::anthropic {

/// What a stop reason means; nothing: the provider failed.
std::optional<FinishReason> finish_of(std::string_view reason);

}  // namespace understudy::llm::detail::anthropic
