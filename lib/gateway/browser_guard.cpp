#include "browser_guard.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

namespace understudy::gateway::detail {
namespace {

namespace asio = boost::asio;
using boost::beast::iequals;

/// Desktop applications whose windows are pages with a scheme of their own: Electron's usual choice, VS Code's
/// webviews and windows, Tauri. No web site can have such a scheme.
constexpr std::array<std::string_view, 4> application_schemes{"app://", "vscode-webview://",
                                                              "vscode-file://", "tauri://"};

/// "host:8080", "[::1]:8080": the host, without the brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    return authority.substr(1, authority.find(']') - 1);
  }
  return authority.substr(0, authority.find(':'));
}

/// `pattern` is a host, or "*." and a domain.
bool matches_host(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) {
    return iequals(pattern, host);
  }
  pattern.remove_prefix(1);
  return host.size() > pattern.size() &&
         iequals(pattern, host.substr(host.size() - pattern.size()));
}

/// Names that no outside DNS server can assign to another machine (RFC 6761 6.3), and addresses.
bool is_loopback(std::string_view host) {
  boost::system::error_code unparsed;
  const auto address = asio::ip::make_address(std::string(host), unparsed);
  return unparsed ? iequals(host, "localhost") || matches_host("*.localhost", host)
                  : address.is_loopback();
}

/// The media type alone, without its parameters.
std::string_view media_type(const HttpHead& head) {
  auto type = head.headers.find("content-type").value_or("");
  type = type.substr(0, type.find(';'));
  return type.substr(0, type.find_last_not_of(" \t") + 1);
}

bool is_json(std::string_view type) {
  constexpr std::string_view suffix = "+json";
  return iequals(type, "application/json") ||
         (type.size() > suffix.size() && iequals(type.substr(type.size() - suffix.size()), suffix));
}

/// Whether all fields of that name pass: the first one alone could be a decoy.
template <class Test>
bool each(const HttpHead& head, std::string_view name, Test test) {
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    if (const auto [key, value] = head.headers[i]; iequals(key, name) && !test(value)) {
      return false;
    }
  }
  return true;
}

/// In a message to the client, which sent it.
std::string in_ticks(std::string_view text) {
  constexpr std::size_t longest = 100;
  return "`" + std::string(text.substr(0, longest)) + "`";
}

}  // namespace

BrowserGuard::BrowserGuard(const ServerConfig& server)
    : server_(server), keys_(!server.keys.empty()), loopback_(is_loopback(server.host)) {}

bool BrowserGuard::allows_host(std::string_view authority) const {
  const auto host = host_of(authority);
  return is_loopback(host) || iequals(host, "host.docker.internal") ||
         std::any_of(server_.hosts.begin(), server_.hosts.end(),
                     [&](const std::string& listed) { return matches_host(listed, host); });
}

bool BrowserGuard::allows_origin(std::string_view origin) const {
  const auto listed = [&](std::string_view pattern) {
    if (!pattern.ends_with("://*")) {
      return iequals(pattern, origin);
    }
    pattern.remove_suffix(1);
    return iequals(pattern, origin.substr(0, pattern.size()));
  };
  if (std::any_of(server_.origins.begin(), server_.origins.end(), listed)) {
    return true;
  }
  if (keys_) {
    return false;
  }
  for (const auto scheme : application_schemes) {
    if (iequals(scheme, origin.substr(0, scheme.size()))) {
      return true;
    }
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (iequals(scheme, origin.substr(0, scheme.size()))) {
      return is_loopback(host_of(origin.substr(scheme.size())));
    }
  }
  return false;
}

std::optional<std::string_view> BrowserGuard::reader(const HttpHead& head) const {
  const auto origin = head.headers.find("origin");
  return origin && allows_origin(*origin) ? origin : std::nullopt;
}

std::optional<ErrorAnswer> BrowserGuard::refused(const HttpHead& head,
                                                 llm::Protocol protocol) const {
  const auto origin = head.headers.find("origin");
  const auto site = head.headers.find("sec-fetch-site");
  const bool open_host = keys_ || (!loopback_ && server_.hosts.empty());
  // Browsers always send a Host; a client that speaks HTTP/1.0 without one is not a browser.
  if (!open_host && !head.authority.empty() && !allows_host(head.authority)) {
    return refusal(403,
                   "the `Host` of this request, " + in_ticks(head.authority) +
                       ", is not a name of this machine; use localhost or 127.0.0.1, or add the "
                       "name to `server.hosts`",
                   protocol, "host_not_allowed");
  }
  if (!each(head, "origin", [&](std::string_view one) { return allows_origin(one); })) {
    return refusal(403,
                   "requests of web pages of the origin " + in_ticks(*origin) +
                       " are refused; if this page may spend the keys of this gateway, add its "
                       "origin to `server.origins`",
                   protocol, "origin_not_allowed");
  }
  if (keys_) {
    return std::nullopt;
  }
  if (site && iequals(*site, "cross-site") && !origin) {
    return refusal(403,
                   "this request was sent by a page of another site (`Sec-Fetch-Site: "
                   "cross-site`), and such requests are refused",
                   protocol, "origin_not_allowed");
  }
  const auto type = media_type(head);
  const bool multipart = type.size() > 10 && iequals(type.substr(0, 10), "multipart/");
  if (head.method == "POST" && !is_json(type) && (!multipart || origin || site)) {
    return refusal(415,
                   "the body is " + (type.empty() ? std::string("of no type") : in_ticks(type)) +
                       "; send JSON, with `content-type: application/json` (any type is taken "
                       "where `server.keys` is set)",
                   protocol, "unsupported_media_type");
  }
  return std::nullopt;
}

HttpFields preflight_answer(const HttpHead& head) {
  HttpFields fields;
  fields.add("access-control-allow-methods", "GET, POST");
  fields.add("access-control-allow-headers",
             head.headers.find("access-control-request-headers").value_or("content-type"));
  fields.add("access-control-max-age", "600");  // seconds
  if (head.headers.find("access-control-request-private-network")) {
    fields.add("access-control-allow-private-network", "true");
  }
  return fields;
}

}  // namespace understudy::gateway::detail
