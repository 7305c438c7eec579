/// Keeps web pages from spending the user's keys: which requests are refused because a page may have sent them.
///
/// A page on any site can make the user's browser send requests to this machine. Without `server.keys` nothing else
/// stands between such a page and the providers. SECURITY.md, "Browsers", has the whole picture.
///
/// Invariants
/// 1. A pure function of the head and the configuration. It runs before anything else is done with a request.
/// 2. Without keys, on loopback: `Host` names this machine or stands in `server.hosts`. A page whose own name was made
///    to resolve to this machine (DNS rebinding) sends that name.
/// 3. Without keys: an `Origin` is one of this machine, of a desktop application's own scheme, or of
///    `server.origins`; without an allowed one, `Sec-Fetch-Site: cross-site` is refused; and a body is JSON, which no page
///    can send to another origin without asking first, unless it is multipart and not from a browser.
/// 4. With keys: an `Origin` stands in `server.origins`. Host and body are free, since no page knows the key.
/// 5. What is refused is told which field was wrong, and what to send or to set instead.
///
///     const BrowserGuard guard(config.server);
///     if (const auto refused = guard.refused(head, protocol)) { ... answer with it ... }
#pragma once

#include <optional>
#include <string_view>

#include "error_answer.hpp"
#include "understudy/client/config.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. The configuration must outlive it.
class BrowserGuard {
 public:
  explicit BrowserGuard(const ServerConfig& server);

  /// The answer to a request that is refused (403, 415), or nothing.
  std::optional<ErrorAnswer> refused(const HttpHead& head, llm::Protocol protocol) const;

  /// The origin that may read the answer, as the request's `Origin` has it. Nothing: no page of another origin.
  std::optional<std::string_view> reader(const HttpHead& head) const;

 private:
  bool allows_host(std::string_view authority) const;
  bool allows_origin(std::string_view origin) const;

  const ServerConfig& server_;
  bool keys_;
  bool loopback_;
};

/// What a preflight (`OPTIONS` with `Access-Control-Request-Method`) of an allowed origin is answered with.
HttpFields preflight_answer(const HttpHead& head);

}  // namespace understudy::gateway::detail
