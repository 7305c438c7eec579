#include <algorithm>

#include "client/config/sections.hpp"
#include "text/numbers.hpp"

namespace understudy::config {
namespace {

using ServerKey = Key<ServerConfig>;
using TlsKey = Key<ServerConfig::Tls>;

constexpr std::int64_t most_connections = 1'000'000;
constexpr std::int64_t most_threads = 1024;
constexpr std::uint64_t least_body = 1024;
constexpr std::uint64_t most_body = std::uint64_t{1} << 30U;

struct HostAndPort {
  std::string host;
  std::uint16_t port;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:0".
std::optional<HostAndPort> parse_listen(std::string_view written) {
  const auto colon = written.rfind(':');
  const auto host = written.substr(0, std::min(colon, written.size()));
  if (colon == std::string_view::npos ||
      (host.find(':') != std::string_view::npos && !host.ends_with(']'))) {
    return std::nullopt;
  }
  const auto port = number_from<std::uint16_t>(written.substr(colon + 1));
  // The rules for hosts are those of URLs.
  const auto url = parse_url("http://" + std::string(host));
  if (!port || url.has_error() || !url->path.empty() || !url->user_info.empty() ||
      written.find('#') != std::string_view::npos) {
    return std::nullopt;
  }
  return HostAndPort{url->endpoint.host, *port};
}

void read_listen(const Section& section, ServerConfig& server) {
  const auto written = section.text("listen");
  if (!written) {
    return;
  }
  if (auto place = parse_listen(*written)) {
    server.host = std::move(place->host);
    server.port = place->port;
  } else {
    section.wrong("listen", "`listen` is not a host and a port from 0 to 65535");
  }
}

std::string listen_text(const ServerConfig& server) {
  return in_quotes(server.host + ":" + std::to_string(server.port));
}

/// A list of keys of clients.
class SecretList {
 public:
  std::string type() const { return "list of strings"; }
  std::string bounds() const { return {}; }

  std::optional<std::vector<Secret>> read(const Section& section, std::string_view key) const {
    const auto* const list = section.list(key);
    if (list == nullptr) {
      return std::nullopt;
    }
    std::vector<Secret> secrets;
    for (const auto& node : *list) {
      if (const auto secret = text_of(section.findings(), node, key,
                                      "write strings, such as keys = [\"...\"]; without keys "
                                      "everyone may use the gateway")) {
        secrets.emplace_back(*secret);
      }
    }
    if (list->empty()) {
      // It would let everyone in, and reads as if it let nobody in.
      section.wrong(key, ticked(key) + " is empty, which would leave the gateway open to everyone",
                    "write at least one key, such as keys = [\"...\"], or leave `keys` out");
    }
    return secrets;
  }

  std::string text(const std::vector<Secret>& /*secrets*/) const { return {}; }
};

/// A list of strings for which `is_right` holds.
class PatternList {
 public:
  /// `kind`: what each must be, with its article. `wanted`: what to write instead of one that is not.
  PatternList(bool (*is_right)(std::string_view), std::string_view kind, std::string_view wanted)
      : is_right_(is_right), kind_(kind), wanted_(wanted) {}

  std::string type() const { return "list of strings"; }
  std::string bounds() const { return {}; }

  std::optional<std::vector<std::string>> read(const Section& section, std::string_view key) const {
    const auto* const list = section.list(key);
    if (list == nullptr) {
      return std::nullopt;
    }
    std::vector<std::string> patterns;
    for (const auto& node : *list) {
      auto pattern = text_of(section.findings(), node, key, wanted_);
      if (pattern && is_right_(*pattern)) {
        patterns.push_back(std::move(*pattern));
      } else if (pattern) {
        section.findings().add(node.place,
                               ticked(key) + ": `" + *pattern + "` is not " + std::string(kind_),
                               std::string(wanted_));
      }
    }
    return patterns;
  }

  std::string text(const std::vector<std::string>& /*patterns*/) const { return {}; }

 private:
  bool (*is_right_)(std::string_view);
  std::string_view kind_;
  std::string_view wanted_;
};

/// A host name or an address, or "*." and a domain. No scheme, no port.
bool is_host_pattern(std::string_view pattern) {
  if (pattern.starts_with("*.")) {
    pattern.remove_prefix(2);
  }
  constexpr std::string_view not_in_names = "/*@[] ";
  const bool address = std::count(pattern.begin(), pattern.end(), ':') > 1;  // IPv6
  return !pattern.empty() && pattern.find_first_of(not_in_names) == std::string_view::npos &&
         (address || pattern.find(':') == std::string_view::npos);
}

/// As browsers write it (RFC 6454 6.2): scheme, host, and a port that is not the default of the scheme; or "*" for any
/// host of a scheme.
bool is_origin_pattern(std::string_view pattern) {
  const auto scheme = pattern.find("://");
  if (scheme == 0 || scheme == std::string_view::npos) {
    return false;
  }
  const auto host = pattern.substr(scheme + 3);
  return host == "*" || (!host.empty() && host.find_first_of("/*@? ") == std::string_view::npos);
}

void read_tls(const Section& section, ServerConfig& server) {
  if (const auto table = section.table("tls", "server.tls")) {
    ServerConfig::Tls tls;
    tls_keys().read(*table, tls);
    table->finish();
    if (!tls.certificate_file.empty() && !tls.key_file.empty()) {
      server.tls = std::move(tls);
    }
  }
}

}  // namespace

const KeyTable<ServerConfig::Tls>& tls_keys() {
  static const KeyTable<ServerConfig::Tls> keys(
      SectionRow("server.tls", "The certificate of the gateway."),
      {
          TlsKey("cert", String(), &ServerConfig::Tls::certificate_file,
                 "A file with the certificate, and those of intermediate authorities.")
              .required()
              .example(R"("/etc/ssl/own.pem")"),
          TlsKey("key", String(), &ServerConfig::Tls::key_file, "A file with its private key.")
              .required()
              .example(R"("/etc/ssl/own.key")"),
      });
  return keys;
}

const KeyTable<ServerConfig>& server_keys() {
  static const KeyTable<ServerConfig> keys(
      SectionRow(
          "server",
          "Where the gateway, `understudy serve`, listens, and which clients and pages may use it.")
          .with_header("[server]"),
      {
          ServerKey("listen", {"host and port", read_listen, listen_text},
                    "The address on which it listens. Port 0: any free one.")
              .alias("port")
              .alias("host")
              .alias("address"),
          ServerKey("keys", SecretList(), &ServerConfig::keys,
                    "The API keys of clients: a request must have one of them.")
              .default_note("none, so every client that reaches the port may use the gateway")
              .example(R"(["..."])"),
          ServerKey(
              "hosts",
              PatternList(is_host_pattern, "a host name",
                          "write host names without a port, such as hosts = [\"gateway.lan\", "
                          "\"*.example.net\"]"),
              &ServerConfig::hosts,
              "Without keys, on this machine only: names other than localhost and 127.0.0.1 that "
              "the `Host` header of a request may have.")
              .default_note("none")
              .example(R"(["gateway.lan"])"),
          ServerKey(
              "origins",
              PatternList(is_origin_pattern, "an origin",
                          "write origins as browsers do, such as origins = "
                          "[\"https://chat.example\", \"app://*\"]"),
              &ServerConfig::origins,
              "Web pages that may use the gateway, by their origin. Without keys, the pages of "
              "this machine and of desktop applications may.")
              .default_note("none")
              .example(R"(["https://chat.example"])"),
          ServerKey("forward", Strings(), &ServerConfig::forward,
                    "Patterns of the paths, without their `/v1`, that are forwarded to a provider "
                    "without being read: `\"/embeddings\"`, `\"/files*\"`. Paths that begin with "
                    "`/organization` are forwarded only if a pattern begins so. Empty: none are.")
              .default_note("`[\"*\"]`: all")
              .example(R"(["/embeddings", "/moderations"])"),
          ServerKey("websocket", Flag(), &ServerConfig::websocket,
                    "Whether clients of the Responses protocol may ask for a WebSocket. Without "
                    "it they are told to use HTTP (426).")
              .example("false"),
          ServerKey("tls", {"table", read_tls}, "Files with the certificate and its private key.")
              .default_note("none, so plain HTTP")
              .example(R"({cert = "/etc/ssl/own.pem", key = "/etc/ssl/own.key"})"),
          ServerKey(
              "keep_alive", Duration(), &ServerConfig::keep_alive,
              "After this long without a byte to a client a heartbeat is sent, so that no proxy "
              "on the way closes the connection."),
          ServerKey("drain", Duration(), &ServerConfig::drain,
                    "How long answers in progress may take to end after a SIGTERM."),
          ServerKey("max_connections", Whole(1, most_connections), &ServerConfig::max_connections,
                    "The most connections of clients at a time."),
          ServerKey("max_body", Size(least_body, most_body), &ServerConfig::max_body,
                    "The largest body of a request."),
          ServerKey("idle", Duration(), &ServerConfig::idle,
                    "A connection without a request is closed after this."),
          ServerKey("report", Flag(), &ServerConfig::report,
                    "Whether answers carry a header that says which member answered, and why.")
              .example("true"),
          ServerKey("user_salt",
                    {"string",
                     [](const Section& section, ServerConfig& server) {
                       if (const auto salt = section.text("user_salt")) {
                         server.user_salt = Secret(*salt);
                       }
                     }},
                    "A secret that is mixed into the hashes of user identifiers, which other "
                    "makers get in place of an identifier that names a session or is too long. "
                    "Gateways that share it send the same hashes.")
              .default_note("derived from the machine's id, so it is the same after a restart")
              .example(R"("...")"),
          ServerKey("threads", Whole(1, most_threads), &ServerConfig::threads,
                    "The threads that serve requests.")
              .default_note("one for each core")
              .example("4"),
      });
  return keys;
}

}  // namespace understudy::config
