#include "resource.hpp"

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::gateway::detail {
namespace {

/// Finds the endpoint of a protocol at a path below the version.
bool find_endpoint(Resource& at) {
  for (const auto protocol : llm::protocols) {
    if (at.below() == llm::traits_of(protocol).path) {
      at.kind = Resource::Kind::question;
      at.protocol = protocol;
      return true;
    }
  }
  return false;
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

/// The path of a target, as invariant 1 says.
std::string plain_path(std::string_view target) {
  auto path = target.substr(0, target.find('?'));
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  constexpr std::string_view twice = "/v1/v1/";
  while (path.starts_with(twice)) {
    path.remove_prefix(version.size());
  }
  return std::string(path);
}

bool has_version(std::string_view path) {
  return path.starts_with(version) &&
         (path.size() == version.size() || path[version.size()] == '/');
}

/// What is at a path with a version: an endpoint, a list of models, or what is forwarded.
void find(Resource& at, const HttpHead& head, const std::vector<std::string>& forward) {
  using Kind = Resource::Kind;
  if (find_endpoint(at)) {
    return;
  }
  at.protocol = clients_protocol(at.below(), head);
  if (at.path == "/v1/models" || at.path.starts_with(one_model)) {
    at.kind = Kind::listing;
  } else if (at.below().size() > 1 && is_forwarded(forward, at.below())) {
    at.kind = Kind::forwarded;
    at.forwarding = &forwarding_of(at.below(), at.protocol == llm::Protocol::anthropic_messages);
  }
}

/// Whether a path without a version is one that has lost it: an endpoint of a protocol, or one that has a row of its own.
bool lost_its_version(const Resource& at) {
  using Kind = Resource::Kind;
  return at.kind == Kind::question || at.kind == Kind::listing ||
         (at.kind == Kind::forwarded && at.forwarding->path != "*");
}

}  // namespace

Resource resource_at(const HttpHead& head, const std::vector<std::string>& forward) {
  using Kind = Resource::Kind;
  Resource at;
  at.path = plain_path(head.target);
  if (at.path == "/healthz" || at.path == "/readyz" || at.path == "/") {
    at.kind = Kind::health;
  } else if (at.path == "/status" || at.path == "/metrics") {
    at.kind = Kind::listing;
  } else if (has_version(at.path)) {
    find(at, head, forward);
  } else if (!at.path.empty()) {
    Resource versioned;
    versioned.path = std::string(version) + at.path;
    find(versioned, head, forward);
    at = lost_its_version(versioned) ? std::move(versioned) : std::move(at);
  }
  if (!has_version(at.path)) {
    at.protocol = clients_protocol({}, head);
  }
  return at;
}

}  // namespace understudy::gateway::detail
