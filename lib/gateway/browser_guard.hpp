/// Keeps web pages from spending the user's keys: rejects requests that a page may have sent.
///
/// A page on any site can make the user's browser send requests to this machine. Without `server.keys` nothing else
/// protects the providers' keys from such a page. SECURITY.md, "Browsers", has the reasons.
///
/// Invariants
/// 1. A pure function of the head and the configuration. It runs before any other check of a request.
/// 2. Without keys, on loopback: `Host` names this machine or is in `server.hosts`. A page whose own name was made to
///    resolve to this machine (DNS rebinding) sends that name.
/// 3. Without keys: an `Origin` is one of this machine, of a desktop application's own scheme, or of
///    `server.origins`; without an allowed one, `Sec-Fetch-Site: cross-site` is rejected; and a body is JSON, which no page
///    can send to another origin without a preflight request, unless it is multipart and not from a browser.
/// 4. With keys: an `Origin` is in `server.origins`. Host and body are not checked, since no page knows the key.
/// 5. The error names the field that is wrong, and what to send or to set instead.
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

  /// The error (403, 415) that answers a rejected request, or nothing.
  std::optional<ErrorAnswer> refused(const HttpHead& head, llm::Protocol protocol) const;

  /// The origin whose pages may read the answer, as the request's `Origin` has it. Nothing: no other origin.
  std::optional<std::string_view> reader(const HttpHead& head) const;

 private:
  bool allows_host(std::string_view authority) const;
  bool allows_origin(std::string_view origin) const;

  const ServerConfig& server_;
  bool keys_;
  bool loopback_;
};

/// The headers that answer a preflight (`OPTIONS` with `Access-Control-Request-Method`) of an allowed origin.
HttpFields preflight_answer(const HttpHead& head);

}  // namespace understudy::gateway::detail
