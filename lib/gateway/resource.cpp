#include "resource.hpp"

namespace understudy::gateway::detail {

Resource resource_at(const HttpHead& head) {
  using Kind = Resource::Kind;
  Resource at;
  at.path = std::string_view(head.target).substr(0, head.target.find('?'));
  if (at.path.starts_with("/v1/messages") || head.headers.find("anthropic-version")) {
    at.protocol = llm::Protocol::anthropic_messages;
  }
  if (at.path == "/healthz" || at.path == "/readyz") {
    at.kind = Kind::health;
  } else if (at.path == "/v1/models" || at.path.starts_with(one_model) || at.path == "/status" ||
             at.path == "/metrics") {
    at.kind = Kind::listing;
  } else if (at.path == "/v1/messages") {
    at.kind = Kind::question;
  } else if (at.path == "/v1/chat/completions" || at.path == "/v1/responses") {
    at.kind = Kind::question;
    at.protocol =
        at.path == "/v1/responses" ? llm::Protocol::openai_responses : llm::Protocol::openai_chat;
  } else if (at.path == "/v1/messages/count_tokens") {
    at.kind = Kind::forwarded;
    at.members = {llm::Protocol::anthropic_messages};
  } else if (at.path == "/v1/embeddings") {
    at.kind = Kind::forwarded;
    at.members = {llm::Protocol::openai_chat, llm::Protocol::openai_responses};
    at.own_model = true;
  }
  return at;
}

}  // namespace understudy::gateway::detail
