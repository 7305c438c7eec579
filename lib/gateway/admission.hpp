/// Decides by a request's head alone whether it is admitted: page, key, path, method, encoding.
///
/// Invariants
/// 1. A pure function of the head and the configuration, in the order of docs/gateway.md 2.
/// 2. How long a comparison of keys takes does not tell which key is valid.
///
///     const Admission admission(config.server);
///     if (const auto rejected = admission.rejected(head, resource)) { ... answer with it ... }
#pragma once

#include <optional>
#include <string_view>

#include "browser_guard.hpp"
#include "error_answer.hpp"
#include "resource.hpp"
#include "understudy/client/client.hpp"
#include "understudy/client/config.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

bool asks_for_websocket(const HttpHead& head);

/// See the top of the file. The configuration must outlive it.
class Admission {
 public:
  explicit Admission(const ServerConfig& server) : server_(server), guard_(server) {}

  /// The error that answers the request, or nothing: it is admitted.
  std::optional<ErrorAnswer> rejected(const HttpHead& head, const Resource& resource) const;

  /// The credential that the client has sent for a provider: what it has sent as `authorization` or `x-api-key`, unless
  /// that is a key of the gateway. See docs/gateway.md 2.
  std::optional<ClientCredential> credential(const HttpHead& head) const;

  /// The origin whose pages may read the answer. See BrowserGuard.
  std::optional<std::string_view> reader(const HttpHead& head) const { return guard_.reader(head); }

 private:
  bool has_valid_key(const HttpHead& head) const;
  bool is_key(const Secret& given) const;

  const ServerConfig& server_;
  BrowserGuard guard_;
};

}  // namespace understudy::gateway::detail
