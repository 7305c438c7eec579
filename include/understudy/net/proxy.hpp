/// Which proxy leads to a server, if any: by configuration, or by HTTPS_PROXY and its kin.
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

/// Proxies are HTTP, themselves reached over http:// or https://; others (SOCKS) are refused by name.
class UNDERSTUDY_API ProxyRules {
 public:
  /// No proxy.
  ProxyRules() noexcept {}

  /// This one for everything. Errors: invalid_url, NetFault::proxy for another kind.
  static NetResult<ProxyRules> always(std::string_view url);

  /// As curl and Go read it: https_proxy or HTTPS_PROXY for https, http_proxy or HTTP_PROXY for http,
  /// else all_proxy or ALL_PROXY; the lower-case name wins. HTTP_PROXY is not read where REQUEST_METHOD
  /// is set, since a CGI's client can set it (CVE-2016-5385). no_proxy or NO_PROXY lists, with commas,
  /// hosts that are reached directly: `*`, a name, which covers the names below it (with or without a
  /// leading dot), an address or a network (10.0.0.0/8), each with an optional :port. localhost and
  /// loopback addresses are always reached directly. `get` is std::getenv unless a test says otherwise.
  static NetResult<ProxyRules> from_environment(
      const std::function<const char*(const char*)>& get = {});

  /// The proxy for that endpoint, or null: go there directly. Valid as long as this object.
  const Url* find(const Endpoint& endpoint) const;

 private:
  bool direct(const Endpoint& endpoint) const;

  std::shared_ptr<const Url> http_;
  std::shared_ptr<const Url> https_;
  bool from_environment_ = false;
  std::vector<std::string> exceptions_;
};

}  // namespace understudy
