/// How long a provider may take over a large prompt before that is a stall.
///
/// Invariants
/// 1. Pure: the same size, the same time. An explicit limit of the user takes precedence (runtime/stall_limits.hpp).
///
///     const auto tokens = estimated_tokens(request);
///     auto options = CallOptions().with_prompt(tokens).with_scaled_stale(scaled_stale(tokens));
#pragma once

#include <cstdint>

#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

/// The default limit between progress and progress for a prompt of this size, in tokens; zero for a prompt that needs
/// none of its own. The numbers are those of the agent in whose issue #22277 this project began.
constexpr Clock::duration scaled_stale(std::uint64_t prompt_tokens) noexcept {
  if (prompt_tokens > 100'000) {
    return std::chrono::seconds(300);
  }
  return std::chrono::seconds(prompt_tokens > 50'000 ? 240 : 0);
}

}  // namespace understudy::llm
