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
