/// How long to wait before a retry: exponential, with full jitter.
///
/// Full jitter (AWS, "Exponential Backoff And Jitter"): anything between zero and the step, so that calls that failed
/// together do not return together.
///
///     const auto wait = backoff(BackoffSettings(), retries, state.random());
#pragma once

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// The steps of the waits between retries of one member. Each step is twice the one before.
class BackoffSettings {
 public:
  constexpr BackoffSettings() noexcept {}
  constexpr BackoffSettings(Clock::duration first, Clock::duration longest) noexcept
      : base(first), cap(longest) {}

  Clock::duration base = std::chrono::milliseconds(500);  ///< the step before the first retry
  Clock::duration cap = std::chrono::seconds(30);         ///< no step is longer
};

/// The wait before retry number `retries` (0: the first), for a `jitter` in [0, 1).
UNDERSTUDY_API Clock::duration backoff(const BackoffSettings& settings, unsigned retries,
                                       double jitter) noexcept;

}  // namespace understudy
