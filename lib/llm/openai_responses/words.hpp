/// Finish reasons and terminals in the Responses API's words (protocols.md 4.2, 9.2, 9.3).
#pragma once

#include <optional>
#include <string_view>

#include "understudy/llm/event.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm::detail::openai_responses {

/// The status that an event of that type ends an answer with; empty: the answer itself says it. Nothing if
/// it is no terminal.
std::optional<std::string_view> terminal_status(std::string_view type);

/// What a status, or the reason of an incomplete answer, means; nothing: the provider failed.
std::optional<FinishReason> finish_of(std::string_view reason);

/// Whether the client is Codex, which ends its session over `response.incomplete` (openai/codex#38831), by its headers
/// (Request::from_codex) or its body: no other client sends `client_metadata`.
bool is_codex(const Request& asked);

/// Whether an answer that finished so, in the provider's word, is complete in the API's sense, as the client takes it.
/// `codex_has_text`: the client is Codex, and the answer has text.
bool is_completed(FinishReason reason, std::string_view native, bool codex_has_text);

/// The reason of an incomplete one: one of the two that the API has.
std::string_view incomplete_reason(FinishReason reason);

}  // namespace understudy::llm::detail::openai_responses
