/// The answer to a request that was forwarded, passed on to the client as it comes.
///
/// Invariants
/// 1. An answer that breaks after its head was sent cuts the client's connection: what came is never taken for all.
///
///     const bool broke = co_await pass_on(client, *outcome.result, outcome.report);
#pragma once

#include <boost/asio/awaitable.hpp>

#include "client_exchange.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/llm/forward.hpp"

namespace understudy::gateway::detail {

/// Completes when the client has all of the answer, or its connection is cut. Returns whether the answer broke. The
/// arguments must outlive it.
asio::awaitable<bool> pass_on(ClientExchange& client, llm::ForwardedResponse& response,
                              const CallReport& report);

}  // namespace understudy::gateway::detail
