/// From a configuration to what the program's gateways serve by: checks of where it listens, and connections within
/// the limit on descriptors.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "understudy/client/config.hpp"
#include "understudy/gateway/setup.hpp"

namespace understudy::tool {

/// `server.threads`, or one per core.
unsigned threads_of(const ServerConfig& server);

/// A warning if the configuration asks for more connections than the limit on descriptors allows.
std::optional<std::string> connections_warning(const ServerConfig& server);

/// Gives settings that cannot change at run time the values that are in force. Returns whether `config` had others.
bool keep_unchangeable(Config& config, const Config& in_force);

/// With the certificate that the configuration names, and the connections that one of its threads may have. Errors:
/// all of them.
boost::system::result<gateway::Setup, ConfigErrors> serve_setup(Config config, bool allow_open);

}  // namespace understudy::tool
