/// Selects the proxy for a server, if any, from the configuration or from environment variables such as HTTPS_PROXY.
///
///     auto rules = ProxyRules::from_environment();
///     if (const Url* proxy = rules->find(endpoint)) { ... }
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/net/url.hpp"

namespace understudy {

/// Supports HTTP proxies, reached over http:// or https://. Other kinds (SOCKS) are rejected with an error.
class UNDERSTUDY_API ProxyRules {
 public:
  /// No proxy.
  ProxyRules() noexcept {}

  /// This proxy for all endpoints. Errors: invalid_url; NetFault::proxy for an unsupported kind.
  static NetResult<ProxyRules> always(std::string_view url);

  /// Reads the environment as curl and Go do: https_proxy or HTTPS_PROXY for https, http_proxy or HTTP_PROXY for http,
  /// else all_proxy or ALL_PROXY; the lower-case name takes precedence. HTTP_PROXY is ignored if REQUEST_METHOD is set,
  /// since the client of a CGI program can set it (CVE-2016-5385). no_proxy or NO_PROXY is a comma-separated list of
  /// hosts that are reached directly: `*`; a name, which includes its subdomains (with or without a leading dot); an
  /// address or a network (10.0.0.0/8); each with an optional :port. localhost and loopback addresses are always
  /// reached directly. `get` is std::getenv unless a test replaces it.
  static NetResult<ProxyRules> from_environment(
      const std::function<const char*(const char*)>& get = {});

  /// The proxy for that endpoint, or null for a direct connection. Valid as long as this object.
  const Url* find(const Endpoint& endpoint) const;

 private:
  bool direct(const Endpoint& endpoint) const;

  std::shared_ptr<const Url> http_;
  std::shared_ptr<const Url> https_;
  bool from_environment_ = false;
  std::vector<std::string> exceptions_;
};

}  // namespace understudy
