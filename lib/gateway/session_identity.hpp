/// Which conversation a client's request belongs to, as far as the client says so.
#pragma once

#include "understudy/client/sessions.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

/// From headers, else from members of the body, that agents and SDKs send (backends.md 5). The key that the client has
/// sent tells callers apart.
SessionIdentity session_identity(const HttpHead& head, const llm::Request& request);

}  // namespace understudy::gateway::detail
