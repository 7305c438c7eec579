#include "understudy/llm/mend.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace mend_test {

using namespace understudy;
using namespace understudy::llm;
using R = FailoverReason;

namespace {

ToolResultPart result_with_image() {
  ToolResultPart result("call_1", "the gauge:");
  result.content.emplace_back(ImagePart());
  return result;
}

/// A conversation that holds everything that any provider refuses.
Request everything() {
  Request request("m");
  request.body = "{}";
  auto& turn = request.messages.emplace_back(Role::assistant);
  turn.parts.emplace_back(ReasoningPart(Origin(Protocol::anthropic_messages)));
  turn.parts.emplace_back(TextPart("Let me look."));
  auto& user = request.messages.emplace_back(Role::user);
  user.parts.emplace_back(result_with_image());
  user.parts.emplace_back(ImagePart());
  request.thinking.mode = Thinking::Mode::off;
  request.tools.emplace_back(
      "read", "reads",
      R"({"type":"object","properties":{"when":{"type":"string","format":"date","pattern":"^2"},)"
      R"("pattern":{"type":"string"}},"anyOf":[{"format":"x"},1,true,null]})");
  return request;
}

std::size_t images(const Request& request) {
  std::size_t count = 0;
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) {
      count += std::holds_alternative<ImagePart>(part) ? 1 : 0;
      if (const auto* result = std::get_if<ToolResultPart>(&part)) {
        for (const auto& content : result->content) {
          count += std::holds_alternative<ImagePart>(content) ? 1 : 0;
        }
      }
    }
  }
  return count;
}

}  // namespace

TEST_CASE("what a provider refuses is taken out, once, and the body as it came no longer counts") {
  for (const auto reason :
       {R::thinking_signature, R::invalid_encrypted_content, R::reasoning_mandatory,
        R::multimodal_tool_content_unsupported, R::image_corrupt, R::llama_cpp_grammar_pattern}) {
    CAPTURE(to_string(reason));
    auto request = everything();
    CHECK(mend(request, reason));
    CHECK(request.body.empty());
    CHECK_FALSE(mend(request, reason));
  }
}

TEST_CASE("what cannot be mended is left alone") {
  for (const auto reason : {R::image_too_large, R::context_overflow, R::timeout, R::format_error}) {
    auto request = everything();
    CHECK_FALSE(mend(request, reason));
    CHECK(request.body == "{}");
    CHECK(images(request) == 2);
  }
}

TEST_CASE("reasoning goes, the rest of the turn stays; a turn of nothing else goes with it") {
  auto request = everything();
  request.messages.emplace_back(Role::assistant)
      .parts.emplace_back(ReasoningPart(Origin(Protocol::openai_responses)));
  CHECK(mend(request, R::thinking_signature));
  REQUIRE(request.messages.size() == 2);
  REQUIRE(request.messages[0].parts.size() == 1);
  CHECK(std::get<TextPart>(request.messages[0].parts[0]).text == "Let me look.");
}

TEST_CASE("images: in tool results alone, or everywhere; something stands in their place") {
  auto request = everything();
  CHECK(mend(request, R::multimodal_tool_content_unsupported));
  CHECK(images(request) == 1);
  const auto& result = std::get<ToolResultPart>(request.messages[1].parts[0]);
  REQUIRE(result.content.size() == 2);
  CHECK_FALSE(std::get<TextPart>(result.content[1]).text.empty());
  CHECK(mend(request, R::image_corrupt));
  CHECK(images(request) == 0);
}

TEST_CASE("a schema loses the keywords, not the properties that are called so") {
  auto request = everything();
  CHECK(mend(request, R::llama_cpp_grammar_pattern));
  CHECK(request.tools[0].schema ==
        R"({"type":"object","properties":{"when":{"type":"string"},"pattern":{"type":"string"}},)"
        R"("anyOf":[{},1,true,null]})");
  request.tools[0].schema = R"({"pattern":)";
  CHECK_FALSE(mend(request, R::llama_cpp_grammar_pattern));  // malformed: as the caller wrote it
}

TEST_CASE("a model that must think may") {
  auto request = everything();
  CHECK(mend(request, R::reasoning_mandatory));
  CHECK(request.thinking.mode == Thinking::Mode::unset);
  request.thinking.effort = "none";
  CHECK(mend(request, R::reasoning_mandatory));
  CHECK(request.thinking.effort.empty());
}

TEST_CASE("a schema that is nested deeper than the stack is long stays as it is") {
  constexpr std::size_t depth = 1'000'000;
  Request request("m");
  for (const auto& [open, shut] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
    std::string schema = R"({"pattern":"x","deep":)";
    for (std::size_t i = 0; i < depth; ++i) {
      schema += open;
    }
    schema += "1";
    for (std::size_t i = 0; i < depth; ++i) {
      schema += shut;
    }
    request.tools.emplace_back("f", "", schema + "}");
  }
  CHECK_FALSE(mend(request, R::llama_cpp_grammar_pattern));
}

}  // namespace mend_test
