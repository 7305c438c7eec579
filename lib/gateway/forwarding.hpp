/// The endpoints that the gateway does not read: what is done with each of them, in one table.
///
/// Invariants
/// 1. The first row that matches decides. The last one matches every path.
/// 2. Requests whose result only the provider has that got them (files, batches, stored responses) go to the first member
///    that speaks a protocol of the endpoint, and to no other.
///
///     const auto* const rule = forwarding_of("/v1/embeddings", false);
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/protocol.hpp"

namespace understudy::gateway::detail {

class Forwarding {
 public:
  enum class Model : unsigned char {
    members,   ///< a chain's models have the endpoint: the member's model is sent
    clients,   ///< chains have no such models: the client's is sent, unless there is a route for it
    untouched  ///< the body may have none
  };

  std::string_view path;                     ///< a pattern, below the version
  std::span<const llm::Protocol> protocols;  ///< members that have it
  Model model;
  bool kept_state;  ///< see invariant 2
};

/// The row of a path below the version. `messages`: the client speaks Messages, as far as it says so.
const Forwarding& forwarding_of(std::string_view below, bool messages);

/// The endpoint as a word, for health: a path's own names are not a part of it.
std::string purpose_of(std::string_view below);

/// Whether `server.forward` allows a path below the version. Paths that could leave their folder are never allowed, and
/// those of an organization's administration only if a pattern names them.
bool is_forwarded(const std::vector<std::string>& allowed, std::string_view below);

}  // namespace understudy::gateway::detail
