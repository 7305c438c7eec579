#include "understudy/llm/conversation.hpp"

#include <doctest/doctest.h>

#include <string>

namespace conversation_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

using Kind = AnswerBlock::Kind;

Answer answer_of(Protocol protocol, const std::string& provider) {
  Answer answer;
  answer.protocol = protocol;
  answer.origin = ReasoningOrigin(provider, "m");
  return answer;
}

AnswerBlock& add(Answer& answer, Kind kind, std::string text) {
  auto& block = answer.blocks.emplace_back(kind, answer.blocks.size());
  block.text = std::move(text);
  return block;
}

AnswerBlock& call(Answer& answer, std::string id, bool complete = true) {
  auto& block = add(answer, Kind::tool_call, "");
  block.id = std::move(id);
  block.name = "read";
  block.arguments = "{}";
  block.complete = complete;
  return block;
}

}  // namespace

TEST_CASE("text, refusals and complete calls become parts; empty text and cut calls do not") {
  auto answer = answer_of(Protocol::openai_chat, "openai");
  add(answer, Kind::text, "Hello");
  add(answer, Kind::text, "");
  add(answer, Kind::refusal, "No.");
  call(answer, "c1").name_space = "files";
  call(answer, "c2", false);
  const auto message = message_of(answer);
  REQUIRE(message.parts.size() == 3);
  CHECK(std::get<TextPart>(message.parts[0]).text == "Hello");
  CHECK_FALSE(std::get<TextPart>(message.parts[0]).refusal);
  CHECK(std::get<TextPart>(message.parts[1]).refusal);
  const auto& kept = std::get<ToolCallPart>(message.parts[2]);
  CHECK(kept.id == "c1");
  CHECK(kept.name_space == "files");
}

TEST_CASE("reasoning keeps its seal, and whose it is") {
  struct Case {
    Protocol protocol;
    ReasoningSeal::Kind kind;
    const char* json;  // contained in the part's JSON, or empty: the part has none
  };
  for (const auto& one : {
           Case{Protocol::anthropic_messages, ReasoningSeal::Kind::signature,
                R"({"type":"thinking","thinking":"hm","signature":"the seal"})"},
           Case{Protocol::anthropic_messages, ReasoningSeal::Kind::redacted,
                R"({"type":"redacted_thinking","data":"the seal"})"},
           Case{Protocol::openai_responses, ReasoningSeal::Kind::encrypted, ""},
       }) {
    auto answer = answer_of(one.protocol, "maker");
    auto& block = add(answer, Kind::reasoning, "hm");
    block.seal_kind = one.kind;
    block.seal = "the seal";
    const auto message = message_of(answer);
    REQUIRE(message.parts.size() == 1);
    const auto& part = std::get<ReasoningPart>(message.parts[0]);
    CHECK(part.origin.protocol == one.protocol);
    CHECK(part.origin.provider == "maker");
    CHECK(part.seal == "the seal");
    CHECK(part.text == "hm");
    CHECK(part.json == one.json);
  }
}

TEST_CASE("reasoning without a seal is kept for its own provider") {
  auto answer = answer_of(Protocol::openai_chat, "deepseek");
  add(answer, Kind::reasoning, "hm");
  const auto message = message_of(answer);
  REQUIRE(message.parts.size() == 1);
  const auto& part = std::get<ReasoningPart>(message.parts[0]);
  CHECK(part.text == "hm");
  CHECK(part.origin.provider == "deepseek");
  CHECK(part.seal.empty());
}

TEST_CASE("calls are open until they have a result; results are in one message, in order") {
  Conversation talk(Request("m"));
  talk.say("Read both.");
  CHECK(talk.open_calls().empty());
  auto answer = answer_of(Protocol::openai_chat, "openai");
  call(answer, "c1");
  call(answer, "c2");
  talk.add(answer);
  REQUIRE(talk.open_calls().size() == 2);
  const auto both = talk.open_calls();
  talk.add_result(result_of(both[0], "one"));
  REQUIRE(talk.open_calls().size() == 1);
  CHECK(talk.open_calls()[0].id == "c2");
  talk.add_result(result_of(both[1], "failed", true));
  CHECK(talk.open_calls().empty());
  REQUIRE(talk.request().messages.size() == 3);
  const auto& parts = talk.request().messages.back().parts;
  REQUIRE(parts.size() == 2);
  CHECK(std::get<ToolResultPart>(parts[0]).call_id == "c1");
  CHECK(std::get<ToolResultPart>(parts[1]).is_error);
  talk.say("And now?");
  CHECK(talk.request().messages.back().parts.size() == 1);
}

}  // namespace conversation_test
