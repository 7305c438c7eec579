/// The resource at a path of the gateway, and the protocol of its answers.
///
/// Invariants
/// 1. A path means the same with a slash at its end, without its `/v1` and with `/v1` twice: base URLs are written in all of
///    these ways, and some SDKs add a version to them.
///
///     const auto resource = resource_at(http.request());
///     if (resource.kind == Resource::Kind::question) { ... }
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forwarding.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

inline constexpr std::string_view version = "/v1";
inline constexpr std::string_view one_model = "/v1/models/";

class Resource {
 public:
  enum class Kind : unsigned char {
    nothing,
    health,     ///< GET: open to all; the root is one of them, at which clients look first
    listing,    ///< GET: models, status, metrics
    question,   ///< POST: parsed, and answered by the chain
    forwarded,  ///< any method: forwarded to the chain without being read (forwarding.hpp)
  };

  std::string path;  ///< without the query, and with `/v1` once
  Kind kind = Kind::nothing;
  llm::Protocol protocol = llm::Protocol::openai_chat;  ///< the client's
  const Forwarding* forwarding = nullptr;               ///< of what is forwarded

  std::string_view below() const { return std::string_view(path).substr(version.size()); }
};

/// Where the path does not determine the protocol, `anthropic-version` does. `forward`: ServerConfig::forward.
Resource resource_at(const HttpHead& head, const std::vector<std::string>& forward);

}  // namespace understudy::gateway::detail
