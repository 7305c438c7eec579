/// The finish that is written for an answer to a client of another protocol.
///
/// Invariants
/// 1. `tool_use` is written only if a call was written. Calls of a kind that the client's protocol does not have, such
///    as a custom one of the Responses API, are not.
///
///     json.member("stop_reason", stop_word(written_finish(answer)));
#pragma once

#include <algorithm>

#include "understudy/llm/answer.hpp"

namespace understudy::llm::detail {

inline FinishReason written_finish(FinishReason reason, bool called) noexcept {
  return reason == FinishReason::tool_use && !called ? FinishReason::stop : reason;
}

inline FinishReason written_finish(const Answer& answer) {
  const bool called = std::any_of(
      answer.blocks.begin(), answer.blocks.end(),
      [](const AnswerBlock& block) { return block.kind == AnswerBlock::Kind::tool_call; });
  return written_finish(answer.finish.value_or(FinishReason::length), called);  // none: it was cut
}

}  // namespace understudy::llm::detail
