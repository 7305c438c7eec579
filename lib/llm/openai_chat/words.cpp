#include "words.hpp"

#include <algorithm>
#include <array>

namespace understudy::llm::detail::openai_chat {
namespace {

struct FinishWord {
  std::string_view name;
  FinishReason reason;
};

constexpr std::array finish_words{
    FinishWord{"stop", FinishReason::stop},
    FinishWord{"end", FinishReason::stop},
    FinishWord{"length", FinishReason::length},
    FinishWord{"model_length", FinishReason::length},
    FinishWord{"tool_calls", FinishReason::tool_use},
    FinishWord{"function_call", FinishReason::tool_use},
    FinishWord{"content_filter", FinishReason::refusal},
};

const FinishWord* known(std::string_view name) {
  const auto* found = std::find_if(finish_words.begin(), finish_words.end(),
                                   [&](const FinishWord& r) { return r.name == name; });
  return found == finish_words.end() ? nullptr : found;
}

}  // namespace

FinishReason finish_of(std::string_view reason) {
  const auto* found = known(reason);
  return found == nullptr ? FinishReason::other : found->reason;
}

bool is_failure(std::string_view reason) {
  return reason == "error" || reason == "abort" || reason == "insufficient_system_resource";
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
