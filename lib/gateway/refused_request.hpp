/// Rejects requests for what the gateway cannot do, since a silently reduced answer would be wrong.
#pragma once

#include <optional>

#include "error_answer.hpp"
#include "understudy/client/config.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::gateway::detail {

/// The error for a request that leaves its conversation with one provider, so that another would answer without it
/// (given that code, Anthropic's SDK sends the whole conversation from then on), and for several choices in an answer
/// that is not streamed, which is assembled from one. Nothing: the request is accepted.
std::optional<ErrorAnswer> refused_request(const Config& config, const llm::Request& request);

}  // namespace understudy::gateway::detail
