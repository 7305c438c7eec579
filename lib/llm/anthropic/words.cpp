#include "words.hpp"

#include <array>

#include "llm/finish_words.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

/// platform.claude.com, "Handling stop reasons".
constexpr std::array stop_words{
    FinishWord{"end_turn", FinishReason::stop, "Anthropic's reference"},
    FinishWord{"max_tokens", FinishReason::length, "Anthropic's reference"},
    FinishWord{"stop_sequence", FinishReason::stop_sequence, "Anthropic's reference"},
    FinishWord{"tool_use", FinishReason::tool_use, "Anthropic's reference"},
    FinishWord{"pause_turn", FinishReason::pause, "Anthropic's reference"},
    FinishWord{"refusal", FinishReason::refusal, "Anthropic's reference"},
    FinishWord{"model_context_window_exceeded", FinishReason::context_full,
               "Anthropic's reference"},
};

}  // namespace

std::optional<FinishReason> finish_of(std::string_view reason) {
  return meaning_of(reason, stop_words);
}

}  // namespace understudy::llm::detail::anthropic
