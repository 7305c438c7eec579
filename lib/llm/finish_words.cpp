#include "finish_words.hpp"

#include <algorithm>
#include <array>

#include "error_words.hpp"

namespace understudy::llm::detail {
namespace {

using R = FinishReason;

/// Words of one API that servers also send in the protocol of another.
constexpr std::array shared_words{
    // Anthropic's, from gateways that translate the rest (protocols.md 2.2).
    FinishWord{"end_turn", R::stop, "Anthropic's reference"},
    FinishWord{"max_tokens", R::length,
               "Anthropic's reference; Gemini's MAX_TOKENS: QwenLM/qwen-code#9884"},
    FinishWord{"stop_sequence", R::stop_sequence,
               "Anthropic's and text-generation-inference's references"},
    FinishWord{"tool_use", R::tool_use, "Anthropic's reference"},
    FinishWord{"pause_turn", R::pause, "Anthropic's reference"},
    FinishWord{"refusal", R::refusal, "Anthropic's reference"},
    FinishWord{"model_context_window_exceeded", R::context_full,
               "Anthropic's and z.ai's references"},
    // Chat's, from gateways whose Messages or Responses are translated.
    FinishWord{"stop", R::stop, "OpenAI's reference; Gemini's STOP: QwenLM/qwen-code#9884"},
    FinishWord{"length", R::length, "OpenAI's reference"},
    FinishWord{"tool_calls", R::tool_use, "OpenAI's reference"},
    FinishWord{"function_call", R::tool_use, "OpenAI's reference"},
    FinishWord{"content_filter", R::refusal, "OpenAI's reference"},
    FinishWord{"max_output_tokens", R::length, "OpenAI's reference of Responses"},
    // Gemini's: cloud.google.com, GenerateContentResponse.FinishReason; theopenco/llmgateway#2218.
    FinishWord{"SAFETY", R::refusal, "Gemini's reference"},
    FinishWord{"RECITATION", R::refusal, "Gemini's reference"},
    FinishWord{"BLOCKLIST", R::refusal, "Gemini's reference"},
    FinishWord{"PROHIBITED_CONTENT", R::refusal, "Gemini's reference"},
    FinishWord{"SPII", R::refusal, "Gemini's reference"},
    FinishWord{"MODEL_ARMOR", R::refusal, "Gemini's reference"},
    FinishWord{"IMAGE_SAFETY", R::refusal, "Gemini's reference"},
    FinishWord{"MALFORMED_FUNCTION_CALL",
               {},
               "googleapis/python-genai#1836, NousResearch/hermes-agent#83886"},
    FinishWord{"UNEXPECTED_TOOL_CALL", {}, "Gemini's reference, agentjido/req_llm#935"},
    // z.ai: docs.z.ai, chat completion; promptfoo/promptfoo#9905, mozilla-ai/any-llm#1204.
    FinishWord{"sensitive", R::refusal, "z.ai's reference"},
    FinishWord{"network_error", {}, "z.ai's reference, anomalyco/opencode#44376"},
    // DeepSeek: api-docs.deepseek.com, create chat completion.
    FinishWord{"insufficient_system_resource", {}, "DeepSeek's reference"},
    // Engines.
    FinishWord{"eos", R::stop, "Together's reference, vespa-engine/vespa#33327"},
    FinishWord{"eos_token", R::stop,
               "text-generation-inference's reference, spring-projects/spring-ai#4900"},
    FinishWord{"repetition", R::length,
               "vLLM's repetition detection, Aleph-Alpha-Research/eval-framework#838"},
    FinishWord{"abort", {}, "vLLM and SGLang: protocols.md 5.3, InternLM/xtuner#1755"},
    FinishWord{"error_finish", {}, "ranxianglei/billion-context-pi#169"},
    FinishWord{"error", {}, "OpenRouter's and Mistral's references"},
    // Bedrock's Converse and Cohere's.
    FinishWord{"content_filtered", R::refusal, "Bedrock's reference"},
    FinishWord{"guardrail_intervened", R::refusal, "Bedrock's reference"},
    FinishWord{"complete", R::stop, "Cohere's reference"},
    FinishWord{"tool_call", R::tool_use, "Cohere's reference"},
};

/// Parts of words that say that something failed.
constexpr std::array<std::string_view, 12> failures{
    "error",       "fail",      "abort", "timeout",    "timedout", "overload",
    "unavailable", "exception", "crash", "disconnect", "cancel",   "insufficient"};

const FinishWord* find(std::string_view normal, std::span<const FinishWord> words) {
  const auto found = std::find_if(words.begin(), words.end(), [&](const FinishWord& w) {
    return normal_code(w.word) == normal;
  });
  return found == words.end() ? nullptr : &*found;
}

constexpr std::size_t longest_word = 128;

}  // namespace

std::optional<FinishReason> meaning_of(std::string_view word, std::span<const FinishWord> own) {
  const auto normal = normal_code(word.substr(0, longest_word));
  if (const auto* const known = find(normal, own)) {
    return known->reason;
  }
  if (const auto* const known = find(normal, shared_words)) {
    return known->reason;
  }
  return says_failure(word) ? std::nullopt : std::optional(FinishReason::other);
}

bool says_failure(std::string_view word) {
  const auto normal = normal_code(word.substr(0, longest_word));
  return std::any_of(failures.begin(), failures.end(), [&](std::string_view failure) {
    return normal.find(failure) != std::string::npos;
  });
}

std::string_view failure_message(std::string_view word, text::Arena& arena) {
  constexpr std::string_view before = "the provider ended the answer with \"";
  word = word.substr(0, longest_word);
  const auto size = before.size() + word.size() + 1;
  char* const begin = arena.take(size);
  char* const end =
      std::copy(word.begin(), word.end(), std::copy(before.begin(), before.end(), begin));
  *end = '"';
  return {begin, size};
}

}  // namespace understudy::llm::detail
