/// The secret that is mixed into hashes of user identifiers: without it, an identifier's hash cannot be computed, and
/// two installations do not send the same hash for one user.
#pragma once

#include <string>

#include "understudy/client/server_config.hpp"

namespace understudy::detail {

/// Returns the configured salt, else one that is derived from the machine's id and says nothing about it (machine-id(5)
/// asks for that). Without a machine id, as in some containers, all such installations have the same salt. Blocks while
/// it reads the id.
std::string user_salt_of(const ServerConfig& server);

}  // namespace understudy::detail
