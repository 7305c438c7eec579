/// Finish reasons and terminals in the Responses API's words (protocols.md 4.2, 9.2, 9.3).
#pragma once

#include <optional>
#include <string_view>

#include "understudy/llm/event.hpp"

namespace understudy::llm::detail::openai_responses {

/// The status that an event of that type ends an answer with; empty: the answer itself says it. Nothing if
/// it is no terminal.
std::optional<std::string_view> terminal_status(std::string_view type);

/// What a status, or the reason of an incomplete answer, means; nothing: the provider failed.
std::optional<FinishReason> finish_of(std::string_view reason);

/// Whether an answer that finished so is complete in the API's sense.
bool is_completed(FinishReason reason);

/// The reason of an incomplete one: one of the two that the API has.
std::string_view incomplete_reason(FinishReason reason);

}  // namespace understudy::llm::detail::openai_responses
