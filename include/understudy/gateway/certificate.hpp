/// When the certificate of a gateway expires, and what is to be said of it.
///
/// Invariants
/// 1. What counts is the earliest end of the certificate and of those sent with it: clients check all of them.
/// 2. Of a certificate that has expired or will within `expires_soon` a warning speaks, at each start and reload.
///
///     const auto server = HttpServerOptions().with_tls(TlsContext::server("own.pem", "own.key").value());
///     const auto expiry = gateway::certificate_expiry(server);
///     const auto warning = gateway::certificate_warning(expiry, std::chrono::system_clock::now());
///     if (warning) { std::cerr << *warning << "\n"; }
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "understudy/export.hpp"
#include "understudy/net/http_server.hpp"

namespace understudy::gateway {

inline constexpr std::chrono::days expires_soon{14};

/// Nothing without TLS.
UNDERSTUDY_API std::optional<std::chrono::sys_seconds> certificate_expiry(
    const HttpServerOptions& server);

/// One line of text, or nothing.
UNDERSTUDY_API std::optional<std::string> certificate_warning(
    std::optional<std::chrono::sys_seconds> expiry, std::chrono::system_clock::time_point now);

}  // namespace understudy::gateway
