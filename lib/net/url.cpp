#include "understudy/net/url.hpp"

#include "text/ascii.hpp"
#include "text/numbers.hpp"

#include <algorithm>
#include <optional>

namespace understudy {
namespace {

constexpr std::size_t longest_url = std::size_t{8} * 1024;  // RFC 9110 4.1 asks for 8000 at least
constexpr std::size_t longest_host = 255;                   // RFC 1035 2.3.4

std::optional<int> hex_digit(char c) {
  c = text::lowered(c);
  if (text::is_digit(c)) {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? std::optional(c - 'a' + 10) : std::nullopt;
}

bool printable(char c) { return c > ' ' && c != '\x7f'; }

bool of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (text::is_digit(c)) || c == '-' || c == '.' || c == '_';
}

bool of_an_ipv6_literal(char c) { return hex_digit(c) || c == ':' || c == '.'; }

NetError invalid(const char* why) { return {NetFault::invalid_url, Phase::none, why}; }

NetResult<std::uint16_t> parse_port(std::string_view text) {
  const auto port = text::number_from<std::uint16_t>(text).value_or(0);
  if (port == 0) {
    return invalid("the port is not a number from 1 to 65535");
  }
  return port;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) {
      return std::nullopt;
    }
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return decoded;
}

std::string host_and_port(const Endpoint& endpoint) {
  const bool literal = endpoint.host.find(':') != std::string::npos;
  std::string text(literal ? "[" : "");
  text.append(endpoint.host).append(literal ? "]:" : ":").append(std::to_string(endpoint.port));
  return text;
}

std::string authority(const Endpoint& endpoint) {
  auto text = host_and_port(endpoint);
  if (endpoint.port == (endpoint.scheme == Scheme::https ? 443 : 80)) {
    text.resize(text.rfind(':'));
  }
  return text;
}

NetResult<Url> parse_url(std::string_view text) {
  if (text.size() > longest_url) {
    return invalid("longer than 8 KiB");
  }
  if (!std::all_of(text.begin(), text.end(), printable)) {
    return invalid("it contains a space or a control character");
  }
  const auto colon = text.find("://");
  std::string scheme(text.substr(0, std::min(colon, text.size())));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), text::lowered);
  if (colon == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return invalid("it does not begin with http:// or https://");
  }
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const auto path_at = std::min(text.find_first_of("/?"), text.size());
  auto place = text.substr(0, path_at);
  std::string path(text.substr(path_at).starts_with('?') ? "/" : "");
  path += text.substr(path_at);

  std::optional<std::string> user_info = "";
  if (const auto at = place.rfind('@'); at != std::string_view::npos) {
    user_info = percent_decoded(place.substr(0, at));
    place.remove_prefix(at + 1);
  }
  if (!user_info) {
    return invalid("a percent sign without two hexadecimal digits");
  }

  std::string host;
  std::string_view after;
  if (place.starts_with('[')) {
    const auto close = place.find(']');
    host = place.substr(1, std::min(close, place.size()) - 1);
    if (close == std::string_view::npos || host.empty() ||
        !std::all_of(host.begin(), host.end(), of_an_ipv6_literal)) {
      return invalid("the text in brackets is not an IPv6 address");
    }
    after = place.substr(close + 1);
  } else {
    const auto end = std::min(place.find(':'), place.size());
    host = place.substr(0, end);
    after = place.substr(end);
  }
  std::transform(host.begin(), host.end(), host.begin(), text::lowered);
  const bool literal = place.starts_with('[');
  if (host.empty() || host.size() > longest_host ||
      (!literal && !std::all_of(host.begin(), host.end(), of_a_name))) {
    return invalid("the host is missing or not a valid name");
  }

  const auto kind = scheme == "https" ? Scheme::https : Scheme::http;
  std::uint16_t port = kind == Scheme::https ? 443 : 80;
  if (!after.empty()) {
    if (after.front() != ':') {
      return invalid("the host is followed by something other than a port");
    }
    const auto parsed = parse_port(after.substr(1));
    if (parsed.has_error()) {
      return parsed.error();
    }
    port = *parsed;
  }
  return Url(Endpoint(kind, std::move(host), port), std::move(path), std::move(*user_info));
}

}  // namespace understudy
