/// Reads the body of a request, and undoes its `content-encoding`.
///
/// Invariants
/// 1. Both the bytes that were sent and those that they unpack to are bounded by `server.max_body`.
/// 2. What was sent is unpacked as it arrives: at most a part of it is held together with the result.
///
///     auto body = co_await read_body(http, config.server.max_body);
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "understudy/net/http_server.hpp"

namespace understudy::gateway::detail {

/// Of an exchange that Admission let in. Errors: those of HttpExchange::read; body_too_large and undecodable of what was
/// sent.
asio::awaitable<NetResult<std::string>> read_body(HttpExchange& http, std::uint64_t most);

}  // namespace understudy::gateway::detail
