#include "../../lib/gateway/forwarding.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using gateway::detail::Forwarding;
using gateway::detail::forwarding_of;
using gateway::detail::is_forwarded;
using gateway::detail::purpose_of;
using llm::Protocol;
using Model = Forwarding::Model;

TEST_CASE(
    "each endpoint: who has it, whose model is sent, and whether only one provider can answer") {
  struct Row {
    const char* path;
    Protocol protocol;  // the first that has it
    Model model;
    bool kept_state;
    bool messages = false;  // the client speaks Messages
  };
  constexpr auto anthropic = Protocol::anthropic_messages;
  constexpr auto chat = Protocol::openai_chat;
  constexpr auto responses = Protocol::openai_responses;
  for (const auto& row : {
           Row{"/messages/count_tokens", anthropic, Model::members, false},
           Row{"/messages/batches", anthropic, Model::untouched, true},
           Row{"/messages/batches/b1/results", anthropic, Model::untouched, true},
           Row{"/responses/compact", responses, Model::members, false},
           Row{"/responses/input_tokens", responses, Model::members, false},
           Row{"/responses/resp_1", responses, Model::untouched, true},
           Row{"/chat/completions/c1", chat, Model::untouched, true},
           Row{"/embeddings", chat, Model::clients, false},
           Row{"/moderations", chat, Model::clients, false},
           Row{"/audio/transcriptions", chat, Model::clients, false},
           Row{"/images/edits", chat, Model::clients, false},
           Row{"/completions", chat, Model::clients, false},
           Row{"/rerank", chat, Model::clients, false},
           Row{"/files", chat, Model::untouched, true},
           Row{"/files", anthropic, Model::untouched, true, true},
           Row{"/batches/b1/cancel", chat, Model::untouched, true},
           Row{"/anything", chat, Model::untouched, true},
       }) {
    CAPTURE(row.path);
    const auto& rule = forwarding_of(row.path, row.messages);
    CHECK(rule.protocols.front() == row.protocol);
    CHECK(rule.model == row.model);
    CHECK(rule.kept_state == row.kept_state);
  }
}

TEST_CASE("what `forward` allows") {
  const std::vector<std::string> all{"*"};
  CHECK(is_forwarded(all, "/files/file-1"));
  CHECK_FALSE(is_forwarded({}, "/files/file-1"));
  CHECK(is_forwarded({"/embeddings", "/files*"}, "/files/file-1"));
  CHECK_FALSE(is_forwarded({"/embeddings", "/files*"}, "/batches"));
  CHECK_FALSE(is_forwarded(all, "/organization/projects"));
  CHECK_FALSE(is_forwarded(all, "/organizations/workspaces"));
  CHECK(is_forwarded({"/organization/usage*"}, "/organization/usage/completions"));
  for (const auto* path : {"/files/../organization", "/files/%2e%2e/organization", "/files//x",
                           "/files/%2Fx", "/files/./x", "/files\\x", "/files/%5c", "/files/a b"}) {
    CAPTURE(path);
    CHECK_FALSE(is_forwarded(all, path));
  }
}

TEST_CASE("health knows a few endpoints by name, however many paths there are") {
  CHECK(purpose_of("/messages/count_tokens") == "/messages/count_tokens");
  CHECK(purpose_of("/files/file-1/content") == "/files");
  CHECK(purpose_of("/files") == "/files");
  CHECK(purpose_of("/audio/speech") == "/audio");
  CHECK(purpose_of("/made-up-1/x") == purpose_of("/made-up-2"));
}
