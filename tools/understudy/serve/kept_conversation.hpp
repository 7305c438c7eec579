/// Conversations that a provider keeps, and that another one who answers in its place cannot know.
#pragma once

#include <optional>

#include "error_answer.hpp"
#include "understudy/client/config.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::tool {

/// Whether a request leaves its conversation with one provider, so that another would answer without it.
/// Anthropic's SDK, refused by that code, sends the whole conversation from then on.
std::optional<ErrorAnswer> refuse_state(const Config& config, const Request& request);

}  // namespace understudy::tool
