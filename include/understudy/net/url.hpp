/// Parses the parts of a URL that a provider's base URL needs: scheme, host, port, path and query.
///
/// Invariants
/// 1. A parsed URL is safe to send: it has no control characters and no space, and its port is 1 to 65535.
/// 2. A host is a lower-case name or an address literal; IPv6 literals have no brackets.
///
///     const auto url = parse_url("https://api.example.com/v1").value();
///     assert(url.endpoint == Endpoint(Scheme::https, "api.example.com", 443) && url.path == "/v1");
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/net/error.hpp"

namespace understudy {

/// The scheme of a URL.
enum class Scheme : unsigned char { http, https };

/// The destination of a connection, and the key of a connection pool.
class Endpoint {
 public:
  Endpoint(Scheme s, std::string h, std::uint16_t p) noexcept
      : scheme(s), host(std::move(h)), port(p) {}

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;

  Scheme scheme;
  std::string host;
  std::uint16_t port;
};

/// "host", "host:8443" or "[::1]:8080", for a Host header; the default port of the scheme is omitted.
UNDERSTUDY_API std::string authority(const Endpoint& endpoint);

/// The same, always with the port.
UNDERSTUDY_API std::string host_and_port(const Endpoint& endpoint);

/// A URL in its parts.
class Url {
 public:
  Url(Endpoint e, std::string p, std::string u) noexcept
      : endpoint(std::move(e)), path(std::move(p)), user_info(std::move(u)) {}

  Endpoint endpoint;
  std::string path;       ///< with the query, without the fragment; empty if there is none
  std::string user_info;  ///< "user:password", percent-decoded; used for proxies only
};

/// Percent-decodes `text`; the result may contain any byte. Returns nothing if a percent sign is not followed by two
/// hexadecimal digits.
UNDERSTUDY_API std::optional<std::string> percent_decoded(std::string_view text);

/// Parses a URL of at most 8 KiB. Errors: NetFault::invalid_url, whose text describes the problem.
UNDERSTUDY_API NetResult<Url> parse_url(std::string_view text);

}  // namespace understudy
