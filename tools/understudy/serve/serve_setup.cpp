#include "serve_setup.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "descriptors.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::tool {
namespace {

/// What is wrong with where it would listen, and with whom it would let in.
void check(const ServerConfig& server, bool allow_open, std::vector<ConfigError>& errors) {
  error_code unparsed;
  const auto address = asio::ip::make_address(server.host, unparsed);
  if (unparsed) {
    errors.emplace_back(ConfigPlace(), "server.listen: `" + server.host + "` is not an address",
                        "write \"127.0.0.1:8080\"");
  } else if (!address.is_loopback() && !allow_open && server.keys.empty()) {
    errors.emplace_back(
        ConfigPlace(),
        "no `server.keys`, and " + server.host + " can be reached from other machines",
        "set `server.keys`, or pass --allow-open; changing `server.listen` requires a "
        "restart");
  }
}

/// `server.max_connections`, or what the limit on descriptors has room for if that is less.
std::size_t connections_of(const ServerConfig& server) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(
      server.max_connections, connections_within(descriptor_limit(), threads_of(server))));
}

}  // namespace

unsigned threads_of(const ServerConfig& server) {
  return server.threads.value_or(std::max(1U, std::thread::hardware_concurrency()));
}

std::optional<std::string> connections_warning(const ServerConfig& server) {
  const auto connections = connections_of(server);
  if (connections >= server.max_connections) {
    return std::nullopt;
  }
  return "server.max_connections is " + std::to_string(connections) + " and not " +
         std::to_string(server.max_connections) + ": this process may have " +
         std::to_string(descriptor_limit()) + " descriptors, and a call needs two; " +
         std::string(remedy(LocalFault::descriptors));
}

bool keep_unchangeable(Config& config, const Config& in_force) {
  auto& server = config.server;
  const auto& was = in_force.server;
  const bool moved =
      was.host != server.host || was.port != server.port || was.threads != server.threads;
  const bool logs =
      in_force.log.format != config.log.format || in_force.log.prompts != config.log.prompts;
  server.host = was.host;
  server.port = was.port;
  server.threads = was.threads;
  config.log.format = in_force.log.format;
  config.log.prompts = in_force.log.prompts;
  return moved || logs;
}

boost::system::result<gateway::Setup, ConfigErrors> serve_setup(Config config, bool allow_open) {
  ConfigErrors errors{config.file, {}};
  check(config.server, allow_open, errors.errors);
  auto setup = gateway::Setup::make(std::move(config));
  if (setup.has_error()) {
    auto more = setup.error().errors;
    std::move(more.begin(), more.end(), std::back_inserter(errors.errors));
  }
  if (!errors.errors.empty()) {
    return errors;
  }
  const auto& server = setup->config->server;
  const auto threads = threads_of(server);
  const auto connections = connections_of(server);
  setup->http.with_max_connections(connections < server.max_connections
                                       ? connections / threads
                                       : (connections + threads - 1) / threads);
  return setup;
}

}  // namespace understudy::tool
