/// The settings of the gateway and of its log, the sections `[server]` and `[log]` of the configuration.
///
/// Invariants
/// 1. The library only reads them; the gateway (tools/understudy/serve) acts on them.
/// 2. A default-constructed value holds the defaults of the configuration (docs/configuration.md).
///
///     std::cout << config.server.host << ":" << config.server.port << "\n";
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "understudy/failover/secret.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// The section `[server]`.
class ServerConfig {
 public:
  /// The files for a server with TLS.
  struct Tls {
    std::string certificate_file;
    std::string key_file;
  };

  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::vector<Secret> keys;
  /// Additional names that are allowed in the Host header of a request, and the origins of web pages that may use the
  /// gateway. Patterns: "*.example.net", "app://*".
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  /// Patterns of the paths, below the version, that are forwarded without being read.
  std::vector<std::string> forward = {"*"};
  bool websocket = true;  ///< Responses clients may use a WebSocket
  std::optional<Tls> tls;
  Clock::duration keep_alive = std::chrono::seconds(15);
  Clock::duration drain = std::chrono::seconds(30);
  std::size_t max_connections =
      10'000;  ///< for all threads together; each thread has an equal share
  std::size_t max_body = std::size_t{32} * 1024 * 1024;
  Clock::duration idle = std::chrono::seconds(75);
  bool report = false;
  Secret user_salt;  ///< for hashes of user identifiers; empty: derived from the machine's id
  std::optional<unsigned> threads;  ///< none: one for each core
};

/// The section `[log]`.
class LogConfig {
 public:
  /// What is logged at least.
  enum class Level : unsigned char { debug, info, warn, error, off };
  /// How lines of the log are written.
  enum class Format : unsigned char { text, json };

  Level level = Level::info;
  Format format = Format::text;
  bool prompts = false;
};

}  // namespace understudy
