#include "../../lib/gateway/resource.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using namespace understudy::llm;
using understudy::gateway::detail::Resource;
using understudy::gateway::detail::resource_at;

TEST_CASE("a path, with or without a query: the resource, and the protocol of its errors") {
  using Kind = Resource::Kind;
  struct Row {
    const char* target;
    Kind kind;
    Protocol protocol;
    bool versioned = false;  // the client sends `anthropic-version`
  };
  constexpr auto anthropic = Protocol::anthropic_messages;
  constexpr auto chat = Protocol::openai_chat;
  for (const auto& row : {
           Row{"/v1/chat/completions", Kind::question, chat},
           Row{"/v1/chat/completions", Kind::question, chat, true},
           Row{"/v1/messages?beta=true", Kind::question, anthropic},
           Row{"/v1/responses", Kind::question, Protocol::openai_responses, true},
           Row{"/v1/messages/count_tokens", Kind::forwarded, anthropic},
           Row{"/v1/messages/batches", Kind::forwarded, anthropic},
           Row{"/v1/files", Kind::forwarded, chat},
           Row{"/v1/files/file-1/content", Kind::forwarded, anthropic, true},
           Row{"/v1/responses/resp_1", Kind::forwarded, Protocol::openai_responses},
           Row{"/v1/responses/compact", Kind::forwarded, Protocol::openai_responses},
           Row{"/v1/audio/speech", Kind::forwarded, chat},
           Row{"/audio/speech", Kind::forwarded, chat},
           Row{"/files", Kind::nothing, chat},
           Row{"/v1/organization/projects", Kind::nothing, chat},
           Row{"/v1/files/../organization", Kind::nothing, chat},
           Row{"/v1/embeddings", Kind::forwarded, chat},
           Row{"/v1/models", Kind::listing, chat},
           Row{"/v1/models/one?x=1", Kind::listing, anthropic, true},
           Row{"/status", Kind::listing, chat},
           Row{"/metrics", Kind::listing, chat},
           Row{"/healthz?", Kind::health, chat},
           Row{"/readyz", Kind::health, chat},
           Row{"/", Kind::health, chat},
           Row{"//", Kind::health, chat},
           Row{"/v1", Kind::nothing, chat},
           Row{"/v1/", Kind::nothing, chat},
           Row{"/v1/chat/completions/", Kind::question, chat},
           Row{"/chat/completions", Kind::question, chat},
           Row{"/v1/v1/chat/completions?a", Kind::question, chat},
           Row{"/v1/v1/v1/messages/?beta=true", Kind::question, anthropic},
           Row{"/messages", Kind::question, anthropic},
           Row{"/responses/", Kind::question, Protocol::openai_responses},
           Row{"/messages/count_tokens", Kind::forwarded, anthropic},
           Row{"/models", Kind::listing, chat},
           Row{"/models/", Kind::listing, anthropic, true},
           Row{"/v1/v1/models/one", Kind::listing, chat},
           Row{"/v1chat/completions", Kind::nothing, chat},
           Row{"/status/", Kind::listing, chat},
           Row{"/v1/healthz", Kind::forwarded, chat},
           Row{"", Kind::nothing, chat},
           Row{"/v1/models2", Kind::forwarded, anthropic, true},
       }) {
    CAPTURE(row.target);
    HttpHead head;
    head.target = row.target;
    if (row.versioned) {
      head.headers.add("anthropic-version", "2023-06-01");
    }
    const auto at = resource_at(head, {"*"});
    CHECK(at.kind == row.kind);
    CHECK(at.protocol == row.protocol);
    CHECK(at.path.find('?') == std::string::npos);
    if (at.kind == Kind::question || at.kind == Kind::forwarded) {
      CHECK(at.path.starts_with("/v1/"));
      CHECK_FALSE(at.path.starts_with("/v1/v1"));
      CHECK_FALSE(at.path.ends_with("/"));
    }
    CHECK((at.forwarding == nullptr) == (row.kind != Kind::forwarded));
    CHECK(resource_at(head, {}).kind == (row.kind == Kind::forwarded ? Kind::nothing : row.kind));
  }
}
