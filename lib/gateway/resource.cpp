#include "resource.hpp"

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::gateway::detail {
namespace {

constexpr std::string_view version = "/v1";

/// Finds the endpoint of a protocol at a path below the version.
void find_endpoint(Resource& at, std::string_view below) {
  for (const auto protocol : llm::protocols) {
    const auto& traits = llm::traits_of(protocol);
    if (below == traits.path) {
      at.kind = Resource::Kind::question;
      at.protocol = protocol;
      return;
    }
    for (const auto& endpoint : traits.forwarded) {
      if (below == endpoint.path) {
        at.kind = Resource::Kind::forwarded;
        at.members.push_back(protocol);
        at.own_model = endpoint.own_model;
      }
    }
  }
}

/// The protocol whose clients ask at such a path, or send such a header.
llm::Protocol clients_protocol(std::string_view below, const HttpHead& head) {
  for (const auto protocol : llm::protocols) {
    const auto& traits = llm::traits_of(protocol);
    if (below.starts_with(traits.path) ||
        (!traits.client_header.empty() && head.headers.find(traits.client_header))) {
      return protocol;
    }
  }
  return llm::Protocol::openai_chat;
}

}  // namespace

Resource resource_at(const HttpHead& head) {
  using Kind = Resource::Kind;
  Resource at;
  at.path = std::string_view(head.target).substr(0, head.target.find('?'));
  const auto below =
      at.path.starts_with(version) ? at.path.substr(version.size()) : std::string_view();
  at.protocol = clients_protocol(below, head);
  if (at.path == "/healthz" || at.path == "/readyz") {
    at.kind = Kind::health;
  } else if (at.path == "/v1/models" || at.path.starts_with(one_model) || at.path == "/status" ||
             at.path == "/metrics") {
    at.kind = Kind::listing;
  } else {
    find_endpoint(at, below);
  }
  return at;
}

}  // namespace understudy::gateway::detail
