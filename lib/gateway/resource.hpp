/// What there is at a path of the gateway's, and in whose words it answers.
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
    health,    ///< open to all
    listing,   ///< GET: models, status, metrics
    question,  ///< POST: read here, and answered by the chain
    passed,    ///< POST: answered by the chain, and not read but for its model
  };

  /// What is asked: its path without the query.
  std::string_view path;
  Kind kind = Kind::nothing;
  llm::Protocol protocol = llm::Protocol::openai_chat;  ///< the client's
  std::vector<llm::Protocol> members;  ///< of what is passed: the protocols that have it
  bool own_model = false;  ///< of what is passed: it wants other models than the chain's
};

/// Where the path does not say whose words an answer is to be in: Anthropic's clients name a version. Views the head.
Resource resource_at(const HttpHead& head);

}  // namespace understudy::gateway::detail
