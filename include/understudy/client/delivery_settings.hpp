/// What a consumer gets to see when an answer breaks: how long it is held back, and what happens after.
///
/// Invariants
/// 1. What is held back can fail over without anybody noticing. What was delivered cannot.
/// 2. A cut answer is never reported as a finished one, whatever is set here.
///
///     DeliverySettings().with_commit(Commit::after(750ms)).with_on_partial(OnPartial::restart);
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// The point from which on a consumer sees the answer.
class Commit {
 public:
  enum class When : unsigned char {
    first_progress,  ///< at once
    after,           ///< when an event comes so long after its first progress, or it is complete
    whole,           ///< when it is complete
  };

  constexpr Commit() noexcept {}
  static constexpr Commit at_first_progress() noexcept { return {}; }
  static constexpr Commit after(Clock::duration held) noexcept { return {When::after, held}; }
  static constexpr Commit whole() noexcept { return {When::whole, {}}; }

  constexpr When when() const noexcept { return when_; }
  constexpr Clock::duration held() const noexcept { return held_; }

  friend constexpr bool operator==(const Commit&, const Commit&) = default;

 private:
  constexpr Commit(When when, Clock::duration held) noexcept : when_(when), held_(held) {}

  When when_ = When::first_progress;
  Clock::duration held_{};
};

/// What happens when an answer breaks that was seen in part.
enum class OnPartial : unsigned char {
  fail,     ///< the consumer gets the failure
  restart,  ///< it gets a Retract, and then another member's answer from its beginning
  resume,   ///< another member goes on where the answer broke
};

UNDERSTUDY_API std::string_view to_string(OnPartial what) noexcept;

/// See the top of the file. Keys and defaults are those of `[fallback]` (config.hpp).
class DeliverySettings {
 public:
  DeliverySettings() noexcept {}

  DeliverySettings& with_commit(Commit point) { return commit = point, *this; }
  DeliverySettings& with_on_partial(OnPartial what) { return on_partial = what, *this; }
  DeliverySettings& with_max_resumes(unsigned n) { return max_resumes = n, *this; }

  Commit commit;
  std::optional<OnPartial> on_partial;  ///< none: the library's `fail`
  unsigned max_resumes = 2;             ///< how often an answer that was seen in part is rescued
};

}  // namespace understudy
