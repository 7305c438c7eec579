/// What the gateway says of itself: the models that can be asked for, and how things stand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/client/client_state.hpp"
#include "understudy/client/config.hpp"
#include "understudy/gateway/records.hpp"

namespace understudy::gateway::detail {

/// `GET /v1/models`, in the protocol's words: the names of the routes, and of the main chain's first member.
std::string models_list(const Config& config, llm::Protocol protocol);

/// `GET /v1/models/NAME`; the name as it stands there, percent-encoded. Nothing: there is none of it.
std::optional<std::string> model_entry(const Config& config, llm::Protocol protocol,
                                       std::string_view encoded);

/// `GET /status`: chains, credentials by their labels, what rests and why, and the last calls. No secret.
std::string status(const Config& config, ClientState& state, const Records& records, bool draining);

}  // namespace understudy::gateway::detail
