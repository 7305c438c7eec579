/// What the gateway reports about itself: the models that clients can ask for, and its status.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/client/client_state.hpp"
#include "understudy/client/config.hpp"
#include "understudy/gateway/records.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

/// `GET /v1/models`, in the protocol's form: the names of the routes, and of the main chain's first member. For Codex,
/// which asks with its version in the query, the list has a member `models` as well: it reads no other, and an empty one
/// leaves it its own models.
///
/// The model picker of Claude Code shows only ids that begin with "claude" or "anthropic", so other names are listed to it
/// as "anthropic/NAME" (code.claude.com, LLM gateways; Claude Code 2.1.332 asks as `claude-code/2.1.332`).
std::string models_list(const Config& config, llm::Protocol protocol, const HttpHead& head);

/// The name of the model that a client has found in the list as `asked`; any other name as it is.
std::string listed_model(const Config& config, std::string asked);

/// `GET /v1/models/NAME`; the name as the path has it, percent-encoded. Nothing: no such model.
std::optional<std::string> model_entry(const Config& config, llm::Protocol protocol,
                                       std::string_view encoded);

/// `GET /status`: chains, credentials by their labels, cooldowns with their reasons, and the last calls. No secret.
std::string status(const Config& config, ClientState& state, const Records& records, bool draining);

}  // namespace understudy::gateway::detail
