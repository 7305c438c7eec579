// Reasoning that its maker has bound to the beginning of the conversation, which the client then changes: a session that
// went on without the gateway would end, and with it the maker ignores the reasoning, and says so.
#include <string>

#include "walk_stage.hpp"

namespace bound_reasoning {

using namespace walk_stage;

constexpr auto messages = Protocol::anthropic_messages;
constexpr const char* beta = "thinking-binding-controls-2026-08-01";

std::vector<Host> binding_hosts() {
  return {{"anthropic", "claude-opus-5-5"}, {"anthropic", "claude-sonnet-5-5"}};
}

/// How often the records of calls say that the provider has dropped reasoning.
std::size_t reported(const Stage& stage) {
  std::size_t calls = 0;
  for (const auto& call : stage.records->recent()) {
    const auto* const answer = call->report.answer();
    calls += answer != nullptr && answer->ignored > 0 ? 1U : 0U;
  }
  return calls;
}

TEST_CASE("a client changes its system prompt in mid-conversation: one refusal, then none") {
  for (const auto& first : binding_hosts()) {
    CAPTURE(first.model);
    for (const bool streams : {true, false}) {
      CAPTURE(streams);
      Stage stage({first});
      stage.client_edits = true;
      stage.streams = streams;
      Agent agent(messages, first.model);
      stage.play(stage.configuration(), [&](HttpClient& http) -> awaitable<void> {
        co_await stage.turn(http, agent, messages);
        CHECK(stage.refused() == 0);
        agent.system = "You read files, and say which.";
        stage.forget();
        co_await stage.turn(http, agent, messages);
        CHECK(stage.refused() == 1);
        co_await stage.turn(http, agent, messages);
        co_await stage.turn(http, agent, messages);
      });
      CHECK(stage.refused() == 1);
      CHECK(stage.extra() == 1);
      CHECK(stage.answered(0) == 8);
      CHECK(stage.last_body(0).find(R"("prefix_mismatch_behavior":"drop_block")") !=
            std::string::npos);
      CHECK(stage.last.status == 200);
      CHECK(reported(stage) == 6);
    }
  }
}

/// Two turns of a client that has chosen what is done about a mismatch, with a change of its system prompt between them.
void change_between_turns(Stage& stage, const Host& first, const std::string& behavior) {
  stage.client_edits = true;
  stage.betas = beta;
  Agent agent(messages, first.model);
  agent.thinking =
      R"(,"thinking":{"type":"adaptive","block_binding":{"prefix_mismatch_behavior":")" + behavior +
      R"("}})";
  stage.play(stage.configuration(), [&](HttpClient& http) -> awaitable<void> {
    co_await stage.turn(http, agent, messages);
    agent.system = "You read files, and say which.";
    stage.forget();
    co_await stage.turn(http, agent, messages);
  });
}

TEST_CASE("a client that wants the refusal of changed conversations gets it") {
  for (const auto& first : binding_hosts()) {
    CAPTURE(first.model);
    Stage stage({first});
    change_between_turns(stage, first, "error");
    CHECK(stage.refused() == 1);
    CHECK(stage.last.status == 400);
    CHECK(stage.last.has("bound to a different conversation"));
  }
}

TEST_CASE("a client that lets the maker drop what does not match is never refused") {
  for (const auto& first : binding_hosts()) {
    CAPTURE(first.model);
    Stage stage({first});
    change_between_turns(stage, first, "drop_block");
    CHECK(stage.refused() == 0);
    CHECK(stage.answered(0) == 4);
    CHECK(reported(stage) == 2);
  }
}

}  // namespace bound_reasoning
