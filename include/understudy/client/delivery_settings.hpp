/// Settings for answers that break: how long an answer is held back, and what happens when it breaks later.
///
/// Invariants
/// 1. While an answer is held back, a failover is not visible to the consumer. After a part was delivered, it is.
/// 2. A truncated answer is never reported as complete, for any settings.
///
///     DeliverySettings().with_commit(Commit::after(750ms)).with_on_partial(OnPartial::restart);
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// The point from which on events are delivered to the consumer.
class Commit {
 public:
  /// When a client gets the first event.
  enum class When : unsigned char {
    first_progress,  ///< at once
    after,  ///< at the first event that comes `held` after the first progress, or at the end
    whole,  ///< when it is complete
  };

  constexpr Commit() noexcept {}
  /// At the first progress of the answer.
  static constexpr Commit at_first_progress() noexcept { return {}; }
  /// At the first event that comes `held` after the first progress, or at the end.
  static constexpr Commit after(Clock::duration held) noexcept { return {When::after, held}; }
  /// When the answer is complete.
  static constexpr Commit whole() noexcept { return {When::whole, {}}; }

  /// Which of these it is.
  constexpr When when() const noexcept { return when_; }
  /// How long events are held; zero unless `after`.
  constexpr Clock::duration held() const noexcept { return held_; }

  friend constexpr bool operator==(const Commit&, const Commit&) = default;

 private:
  constexpr Commit(When when, Clock::duration held) noexcept : when_(when), held_(held) {}

  When when_ = When::first_progress;
  Clock::duration held_{};
};

/// What happens when an answer breaks after a part of it was delivered.
enum class OnPartial : unsigned char {
  fail,     ///< the consumer gets the failure
  restart,  ///< the consumer gets a Retract, then another member's whole answer
  resume,   ///< another member continues the answer where it broke
};

/// When the consumer gets a tool call, if broken answers are resumed.
enum class ToolCallDelivery : unsigned char {
  held,  ///< when it is complete, so that one that is cut can be requested again
  live,  ///< as it comes: the consumer sees its arguments grow, and an answer that is cut in a call fails
};

/// When a conversation returns to a member that is earlier in the chain than the one that serves it.
enum class ReturnWhen : unsigned char {
  cold,  ///< when the serving member has been idle for `Sessions::cache_lifetime`, or the first member has not
  at_once,       ///< as soon as it is healthy
  next_session,  ///< never: the next conversation begins there
};

/// Returns the value of `fallback.return`. It lives as long as the program.
UNDERSTUDY_API std::string_view to_string(ReturnWhen when) noexcept;

/// Returns the name of the enumerator. It lives as long as the program.
UNDERSTUDY_API std::string_view to_string(OnPartial what) noexcept;

/// The name, as in configurations.
UNDERSTUDY_API std::string_view to_string(ToolCallDelivery what) noexcept;

/// See the top of the file. Keys and defaults are those of `[fallback]` (config.hpp).
class DeliverySettings {
 public:
  DeliverySettings() noexcept {}

  DeliverySettings& with_commit(Commit point) { return commit = point, *this; }
  DeliverySettings& with_on_partial(OnPartial what) { return on_partial = what, *this; }
  DeliverySettings& with_max_resumes(unsigned n) { return max_resumes = n, *this; }
  DeliverySettings& with_tool_calls(ToolCallDelivery what) { return tool_calls = what, *this; }

  Commit commit;
  std::optional<OnPartial> on_partial;  ///< none: the library's `fail`
  unsigned max_resumes = 2;             ///< how often a partly delivered answer may be rescued
  ToolCallDelivery tool_calls = ToolCallDelivery::held;  ///< if `on_partial` is `resume`
  ReturnWhen return_when = ReturnWhen::cold;             ///< to an earlier member (sessions.hpp)
};

}  // namespace understudy
