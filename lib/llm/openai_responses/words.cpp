#include "words.hpp"

#include <algorithm>
#include <array>

#include "llm/finish_words.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

/// Statuses, and reasons of incomplete answers: OpenAI's reference of Responses.
constexpr std::array incomplete_words{
    FinishWord{"max_output_tokens", FinishReason::length, "OpenAI's reference"},
    FinishWord{"content_filter", FinishReason::refusal, "OpenAI's reference"},
    FinishWord{"failed", {}, "OpenAI's reference"},
    FinishWord{"cancelled", {}, "OpenAI's reference"},
};

}  // namespace

std::optional<std::string_view> terminal_status(std::string_view type) {
  if (type == "response.done") {  // Codex's older word for all of them
    return std::string_view();
  }
  for (const std::string_view status : {"completed", "incomplete", "failed", "cancelled"}) {
    if (type.starts_with("response.") && type.substr(9) == status) {
      return status;
    }
  }
  return std::nullopt;
}

std::optional<FinishReason> finish_of(std::string_view reason) {
  return meaning_of(reason, incomplete_words);
}

bool is_codex(const Request& asked) {
  return asked.from_codex ||
         (asked.origin == Protocol::openai_responses &&
          std::any_of(asked.extra.begin(), asked.extra.end(),
                      [](const auto& member) { return member.first == "client_metadata"; }));
}

bool is_completed(FinishReason reason, std::string_view native, bool codex_has_text) {
  switch (reason) {
    case FinishReason::stop:
    case FinishReason::stop_sequence:
    case FinishReason::tool_use:
    case FinishReason::pause:
    case FinishReason::other:
      return true;  // neutral: the API has two reasons to be incomplete, both of them known
    case FinishReason::refusal: return codex_has_text || native == "completed";
    case FinishReason::length:
    case FinishReason::context_full: return codex_has_text;
  }
  return false;
}

std::string_view incomplete_reason(FinishReason reason) {
  return reason == FinishReason::refusal ? "content_filter" : "max_output_tokens";
}

}  // namespace understudy::llm::detail::openai_responses
