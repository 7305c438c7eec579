/// What the gateway reports about itself: the models that clients can ask for, and its status.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/client/client_state.hpp"
#include "understudy/client/config.hpp"
#include "understudy/gateway/records.hpp"

namespace understudy::gateway::detail {

/// `GET /v1/models`, in the protocol's form: the names of the routes, and of the main chain's first member.
std::string models_list(const Config& config, llm::Protocol protocol);

/// `GET /v1/models/NAME`; the name as the path has it, percent-encoded. Nothing: no such model.
std::optional<std::string> model_entry(const Config& config, llm::Protocol protocol,
                                       std::string_view encoded);

/// `GET /status`: chains, credentials by their labels, cooldowns with their reasons, and the last calls. No secret.
std::string status(const Config& config, ClientState& state, const Records& records, bool draining);

}  // namespace understudy::gateway::detail
