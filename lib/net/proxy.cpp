#include "understudy/net/proxy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "text/ascii.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {
namespace {

constexpr std::size_t most_exceptions = 1024;

NetResult<std::shared_ptr<const Url>> parse_proxy(std::string_view text) {
  if (text.empty()) {
    return std::shared_ptr<const Url>();
  }
  if (text.starts_with("socks")) {
    return NetError(NetFault::proxy, Phase::none, "SOCKS proxies are not supported");
  }
  const bool bare = text.find("://") == std::string_view::npos;
  auto url = parse_url(bare ? "http://" + std::string(text) : std::string(text));
  if (url.has_error()) {
    return url.error();
  }
  return std::make_shared<const Url>(std::move(*url));
}

std::optional<asio::ip::address> literal(const std::string& host) {
  error_code code;
  const auto address = asio::ip::make_address(host, code);
  return code ? std::nullopt : std::optional(address);
}

/// Whether `network` is one, and the address within it.
bool within(const asio::ip::address& address, const std::string& network) {
  error_code code;
  if (address.is_v4()) {
    const auto net = asio::ip::make_network_v4(network, code);
    const auto host = code ? net : asio::ip::network_v4(address.to_v4(), 32);
    return !code && host.is_subnet_of(net.canonical());
  }
  const auto net = asio::ip::make_network_v6(network, code);
  const auto host = code ? net : asio::ip::network_v6(address.to_v6(), 128);
  return !code && host.is_subnet_of(net.canonical());
}

/// Takes a ":port" off the end, and says whether it is another than `port`.
bool is_of_another_port(std::string& entry, std::uint16_t port) {
  const auto colon = entry.rfind(':');
  const bool is_port = colon != std::string::npos && colon + 1 < entry.size() &&
                       (entry.find(':') == colon || entry[colon - 1] == ']') &&
                       std::all_of(entry.begin() + std::ptrdiff_t(colon) + 1, entry.end(),
                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!is_port) {
    return false;
  }
  const bool another = entry.substr(colon + 1) != std::to_string(port);
  entry.resize(colon);
  return another;
}

bool matches(std::string entry, const Endpoint& endpoint) {
  if (entry == "*") {
    return true;
  }
  if (is_of_another_port(entry, endpoint.port)) {
    return false;
  }
  if (entry.starts_with('[') && entry.ends_with(']')) {
    entry = entry.substr(1, entry.size() - 2);
  }
  if (const auto address = literal(endpoint.host)) {
    return literal(entry) == address ||
           (entry.find('/') != std::string::npos && within(*address, entry));
  }
  if (entry.starts_with('.')) {
    entry.erase(0, 1);
  }
  return !entry.empty() && (endpoint.host == entry || endpoint.host.ends_with("." + entry));
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> entries;
  std::string entry;
  for (const char c : list) {
    if (c == ',' || c == ' ' || c == '\t') {
      entries.push_back(std::exchange(entry, {}));
    } else {
      entry += text::lowered(c);
    }
  }
  entries.push_back(std::move(entry));
  std::erase(entries, "");
  entries.resize(std::min(entries.size(), most_exceptions));
  return entries;
}

}  // namespace

NetResult<ProxyRules> ProxyRules::always(std::string_view url) {
  auto proxy = parse_proxy(url);
  if (proxy.has_error()) {
    return proxy.error();
  }
  ProxyRules rules;
  rules.http_ = *proxy;
  rules.https_ = std::move(*proxy);
  return rules;
}

NetResult<ProxyRules> ProxyRules::from_environment(
    const std::function<const char*(const char*)>& get) {
  const auto value = [&](std::initializer_list<const char*> names) -> std::string_view {
    for (const auto* name : names) {
      const auto* found = get ? get(name) : std::getenv(name);
      if (found != nullptr && *found != '\0') {
        return found;
      }
    }
    return {};
  };
  const bool cgi = !value({"REQUEST_METHOD"}).empty();
  const auto http_value = cgi ? value({"http_proxy", "all_proxy", "ALL_PROXY"})
                              : value({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  auto http = parse_proxy(http_value);
  auto https = parse_proxy(value({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}));
  if (http.has_error() || https.has_error()) {
    return http.has_error() ? http.error() : https.error();
  }
  ProxyRules rules;
  rules.http_ = std::move(*http);
  rules.https_ = std::move(*https);
  rules.from_environment_ = true;
  rules.exceptions_ = split(value({"no_proxy", "NO_PROXY"}));
  return rules;
}

bool ProxyRules::direct(const Endpoint& endpoint) const {
  const auto address = literal(endpoint.host);
  if (endpoint.host == "localhost" || endpoint.host.ends_with(".localhost") ||
      (address && address->is_loopback())) {
    return true;
  }
  return std::any_of(exceptions_.begin(), exceptions_.end(),
                     [&](const auto& entry) { return matches(entry, endpoint); });
}

const Url* ProxyRules::find(const Endpoint& endpoint) const {
  const auto& proxy = endpoint.scheme == Scheme::https ? https_ : http_;
  if (!proxy || (from_environment_ && direct(endpoint))) {
    return nullptr;
  }
  return proxy.get();
}

}  // namespace understudy
