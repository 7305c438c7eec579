/// The default stall limit for large prompts.
///
/// Invariants
/// 1. The function is pure. A limit that the user sets explicitly takes precedence (runtime/stall_limits.hpp).
///
///     const auto tokens = estimated_tokens(request);
///     auto options = CallOptions().with_prompt(tokens).with_scaled_stale(scaled_stale(tokens));
#pragma once

#include <cstdint>

#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

/// Returns the default limit on the time between two progress events for a prompt of this size, in tokens. Zero: the
/// prompt needs no limit of its own. The values are those of the agent whose issue #22277 motivated this project.
constexpr Clock::duration scaled_stale(std::uint64_t prompt_tokens) noexcept {
  if (prompt_tokens > 100'000) {
    return std::chrono::seconds(300);
  }
  return std::chrono::seconds(prompt_tokens > 50'000 ? 240 : 0);
}

}  // namespace understudy::llm
