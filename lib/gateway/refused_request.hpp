/// What a request may want and cannot have here: silently less would be no answer to it.
#pragma once

#include <optional>

#include "error_answer.hpp"
#include "understudy/client/config.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::gateway::detail {

/// Says no to a request that leaves its conversation with one provider, so that another would answer without
/// it (Anthropic's SDK, refused by that code, sends the whole conversation from then on), and to several
/// choices in an answer that is not streamed, which is put together from one.
std::optional<ErrorAnswer> refused_request(const Config& config, const llm::Request& request);

}  // namespace understudy::gateway::detail
