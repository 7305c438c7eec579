#include <algorithm>
#include <array>

#include "config_sections.hpp"
#include "config_suggestions.hpp"
#include "config_units.hpp"

namespace understudy::detail {
namespace {

void read_listen(Section& section, ServerConfig& server) {
  const auto text = section.text("listen");
  if (!text) {
    return;
  }
  if (auto place = parse_listen(*text)) {
    server.host = std::move(place->host);
    server.port = place->port;
  } else {
    section.wrong("listen", "`listen` is no host and port of 0 to 65535");
  }
}

void read_keys(Section& section, std::vector<Secret>& keys) {
  const auto* const list = section.list("keys");
  if (list == nullptr) {
    return;
  }
  for (const auto& node : *list) {
    if (const auto key =
            text_of(section.findings(), node, "keys",
                    "write strings, such as keys = [\"...\"]; no keys: anybody may ask")) {
      keys.emplace_back(*key);
    }
  }
}

/// The strings of a list for which `is_right` holds. For each other entry an error that says of what kind it is not.
template <class Test>
void read_list(Section& section, std::string_view key, std::vector<std::string>& to, Test is_right,
               std::string_view kind, std::string_view wanted) {
  const auto* const list = section.list(key);
  if (list == nullptr) {
    return;
  }
  for (const auto& node : *list) {
    if (auto text = text_of(section.findings(), node, key, wanted)) {
      if (is_right(std::string_view(*text))) {
        to.push_back(std::move(*text));
      } else {
        section.findings().add(
            node.place, "`" + std::string(key) + "`: `" + *text + "` is not " + std::string(kind),
            std::string(wanted));
      }
    }
  }
}

/// A host name or an address, or "*." and a domain. No scheme, no port.
bool is_host_pattern(std::string_view text) {
  if (text.starts_with("*.")) {
    text.remove_prefix(2);
  }
  constexpr std::string_view not_in_names = "/*@[] ";
  const bool address = std::count(text.begin(), text.end(), ':') > 1;  // IPv6
  return !text.empty() && text.find_first_of(not_in_names) == std::string_view::npos &&
         (address || text.find(':') == std::string_view::npos);
}

/// As browsers write it (RFC 6454 6.2): scheme, host, and a port that is not the scheme's own; or all of a scheme.
bool is_origin_pattern(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == 0 || scheme == std::string_view::npos) {
    return false;
  }
  const auto host = text.substr(scheme + 3);
  return host == "*" || (!host.empty() && host.find_first_of("/*@? ") == std::string_view::npos);
}

void read_tls(Section section, std::optional<ServerConfig::Tls>& tls) {
  section.require("cert");
  section.require("key");
  const auto certificate = section.text("cert");
  const auto key = section.text("key");
  if (certificate && key) {
    tls = ServerConfig::Tls{*certificate, *key};
  }
  section.finish();
}

}  // namespace

void read_server(Section section, ServerConfig& server) {
  constexpr std::int64_t most_connections = 1'000'000;
  constexpr std::int64_t most_threads = 1024;
  constexpr std::uint64_t least_body = 1024;
  constexpr std::uint64_t most_body = std::uint64_t{1} << 30;

  read_listen(section, server);
  read_keys(section, server.keys);
  read_list(
      section, "hosts", server.hosts, is_host_pattern, "a host name",
      "write host names without a port, such as hosts = [\"gateway.lan\", \"*.example.net\"]");
  read_list(
      section, "origins", server.origins, is_origin_pattern, "an origin",
      "write origins as browsers do, such as origins = [\"https://chat.example\", \"app://*\"]");
  if (auto tls = section.table("tls", "server.tls")) {
    read_tls(std::move(*tls), server.tls);
  }
  server.keep_alive = section.duration("keep_alive").value_or(server.keep_alive);
  server.drain = section.duration("drain").value_or(server.drain);
  server.idle = section.duration("idle").value_or(server.idle);
  if (const auto n = section.whole("max_connections", 1, most_connections)) {
    server.max_connections = static_cast<std::size_t>(*n);
  }
  if (const auto bytes = section.size("max_body", least_body, most_body)) {
    server.max_body = static_cast<std::size_t>(*bytes);
  }
  server.report = section.flag("report").value_or(server.report);
  if (const auto n = section.whole("threads", 1, most_threads)) {
    server.threads = static_cast<unsigned>(*n);
  }
  section.finish();
}

void read_log(Section section, LogConfig& log) {
  constexpr std::array<std::string_view, 5> levels{"debug", "info", "warn", "error", "off"};
  constexpr std::array<std::string_view, 2> formats{"text", "json"};
  if (const auto word = section.choice("level", levels)) {
    log.level = static_cast<LogConfig::Level>(*word);
  }
  if (const auto word = section.choice("format", formats)) {
    log.format = static_cast<LogConfig::Format>(*word);
  }
  log.prompts = section.flag("prompts").value_or(log.prompts);
  section.finish();
}

}  // namespace understudy::detail
