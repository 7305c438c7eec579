/// The resource at a path of the gateway, and the protocol of its answers.
///
///     const auto resource = resource_at(http.request());
///     if (resource.kind == Resource::Kind::question) { ... }
#pragma once

#include <string_view>
#include <vector>

#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

inline constexpr std::string_view one_model = "/v1/models/";

class Resource {
 public:
  enum class Kind : unsigned char {
    nothing,
    health,     ///< GET: open to all
    listing,    ///< GET: models, status, metrics
    question,   ///< POST: parsed, and answered by the chain
    forwarded,  ///< POST: forwarded to the chain without being parsed, but for its model
  };

  /// The path without the query.
  std::string_view path;
  Kind kind = Kind::nothing;
  llm::Protocol protocol = llm::Protocol::openai_chat;  ///< the client's
  std::vector<llm::Protocol> members;  ///< of what is forwarded: the protocols that have it
  bool own_model = false;  ///< of what is forwarded: it wants other models than the chain's
};

/// The result views the head. Where the path does not determine the protocol, `anthropic-version` does.
Resource resource_at(const HttpHead& head);

}  // namespace understudy::gateway::detail
