#include "words.hpp"

#include <array>

#include "llm/finish_words.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

/// Chat's own words. Those that compatible servers add are in lib/llm/finish_words.cpp.
constexpr std::array finish_words{
    FinishWord{"stop", FinishReason::stop, "OpenAI's reference"},
    FinishWord{"end", FinishReason::stop, "[O], protocols.md 5"},
    FinishWord{"length", FinishReason::length, "OpenAI's reference"},
    FinishWord{"model_length", FinishReason::length, "Mistral's reference"},
    FinishWord{"tool_calls", FinishReason::tool_use, "OpenAI's reference"},
    FinishWord{"function_call", FinishReason::tool_use, "OpenAI's reference, deprecated"},
    FinishWord{"content_filter", FinishReason::refusal, "OpenAI's reference"},
};

}  // namespace

std::optional<FinishReason> finish_of(std::string_view reason) {
  return meaning_of(reason, finish_words);
}

std::string_view finish_word(FinishReason reason, std::string_view native) {
  switch (reason) {
    case FinishReason::stop:
    case FinishReason::stop_sequence:
    case FinishReason::pause:
    case FinishReason::other:
      return "stop";  // neutral: another protocol's word would be unknown here
    case FinishReason::length:
    case FinishReason::context_full: return "length";
    case FinishReason::tool_use: return "tool_calls";
    case FinishReason::refusal: return native == "stop" ? "stop" : "content_filter";
  }
  return "stop";
}

}  // namespace understudy::llm::detail::openai_chat
