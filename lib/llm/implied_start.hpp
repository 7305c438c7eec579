/// Whether an event implies that the answer began. The encoders begin an answer whose beginning the provider did not
/// send, so that what they write is valid.
///
///     if (!started_ && implies_start(event)) { put(Start(), out); }
#pragma once

#include <variant>

#include "understudy/llm/event.hpp"

namespace understudy::llm::detail {

inline bool implies_start(const Event& event) noexcept {
  const auto& body = event.body;
  return std::holds_alternative<Text>(body) || std::holds_alternative<Reasoning>(body) ||
         std::holds_alternative<ReasoningSeal>(body) || std::holds_alternative<ToolStart>(body) ||
         std::holds_alternative<Finish>(body);
}

}  // namespace understudy::llm::detail
