#include "../../lib/llm/finish_words.hpp"

#include <doctest/doctest.h>

#include "stream_fixtures.hpp"

namespace finish_words_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::decode;
using R = FinishReason;

namespace {

struct Word {
  std::string word;
  std::optional<FinishReason> reason;
};

const Word words[] = {
    {"STOP", R::stop},
    {"eos", R::stop},
    {"eos_token", R::stop},
    {"COMPLETE", R::stop},
    {"MAX_TOKENS", R::length},
    {"repetition", R::length},
    {"sensitive", R::refusal},
    {"SAFETY", R::refusal},
    {"recitation", R::refusal},
    {"PROHIBITED_CONTENT", R::refusal},
    {"guardrail-intervened", R::refusal},
    {"model_context_window_exceeded", R::context_full},
    {"tool-calls", R::tool_use},
    {"something_new", R::other},
    {"OTHER", R::other},
    {"network_error", {}},
    {"error_finish", {}},
    {"error", {}},
    {"abort", {}},
    {"aborted", {}},
    {"insufficient_system_resource", {}},
    {"insufficient_balance", {}},
    {"MALFORMED_FUNCTION_CALL", {}},
    {"upstreamTimeout", {}},
    {"engine_overloaded", {}},
    {"GENERATION_FAILED", {}},
    {"cancelled", {}},
};

std::string ending(Protocol protocol, const std::string& word) {
  switch (protocol) {
    case Protocol::anthropic_messages:
      return R"({"type":"message_delta","delta":{"stop_reason":")" + word + "\"}}";
    case Protocol::openai_chat:
      return R"({"choices":[{"delta":{},"finish_reason":")" + word + "\"}]}";
    case Protocol::openai_responses:
      return R"({"type":"response.incomplete","response":{"incomplete_details":{"reason":")" +
             word + "\"}}}";
  }
  return "";
}

}  // namespace

TEST_CASE("a word that a compatible server ends with means the same in every protocol") {
  for (const auto& [word, reason] : words) {
    CAPTURE(word);
    for (const auto protocol : protocols) {
      const auto decoded = decode(protocol, {"data: " + ending(protocol, word) + "\n\n"});
      if (reason) {
        CHECK(decoded.ending == Ending::complete);
        const auto event = "finish " + std::string(to_string(*reason)) + " " + word + " ";
        CHECK(std::find(decoded.events.begin(), decoded.events.end(), event) !=
              decoded.events.end());
      } else {
        CHECK(decoded.ending == Ending::failed);
        CHECK(
            decoded.events.back().ends_with("the provider ended the answer with \"" + word + "\""));
      }
    }
  }
}

TEST_CASE("a protocol's own word is looked up first, and case, - and _ do not count") {
  using llm::detail::FinishWord;
  using llm::detail::meaning_of;
  const FinishWord own[] = {{"abort", R::stop, "this test"}, {"two_words", R::pause, "this test"}};
  CHECK(meaning_of("abort", own) == R::stop);
  CHECK(meaning_of("Two-Words", own) == R::pause);
  CHECK(meaning_of("twowords", own) == R::pause);
  CHECK_FALSE(meaning_of("abort", {}));
  CHECK(meaning_of(std::string(100'000, 'x'), own) == R::other);
  CHECK(meaning_of("", own) == R::other);
}

TEST_CASE("a failed Responses answer without words says which status it has") {
  const auto decoded =
      decode(Protocol::openai_responses,
             {R"({"object":"response","status":"cancelled","output":[]})"}, BodyShape::whole);
  CHECK(decoded.events.back() ==
        "error  cancelled the provider ended the answer with \"cancelled\"");
}

}  // namespace finish_words_test
