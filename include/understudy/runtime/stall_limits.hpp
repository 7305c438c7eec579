/// Computes how long an attempt may take in each phase, from the user's settings and facts about the request.
///
/// Invariants
/// 1. Pure functions: equal inputs give equal limits.
/// 2. An explicit limit of the user applies exactly as written; floor and scaling do not change it.
/// 3. Every limit has its origin and the error code of its expiry.
///
///     const StallCodes codes(FailoverReason::connection, FailoverReason::timeout);
///     auto limits = stall_limits(StallSettings().with_stale(60s), StallFacts().with_floor(300s), codes);
#pragma once

#include <cstddef>
#include <optional>

#include "understudy/export.hpp"
#include "understudy/runtime/cause.hpp"
#include "understudy/runtime/limit.hpp"

namespace understudy {

/// The user's settings, key by key; a key without a value has its default.
class StallSettings {
 public:
  StallSettings() noexcept {}  // not an aggregate: g++ 12.2 destroys those twice beside co_await

  StallSettings& with_connect(Clock::duration d) { return connect = d, *this; }
  StallSettings& with_write(Clock::duration d) { return write = d, *this; }
  StallSettings& with_first_progress(Clock::duration d) { return first_progress = d, *this; }
  StallSettings& with_stale(Clock::duration d) { return stale = d, *this; }
  StallSettings& with_silence(Clock::duration d) { return silence = d, *this; }
  StallSettings& with_whole_answer(Clock::duration d) { return whole_answer = d, *this; }
  StallSettings& with_finish(Clock::duration d) { return finish = d, *this; }
  StallSettings& with_last_member(Clock::duration d) { return last_member = d, *this; }

  /// These settings, with those of `base` for keys without a value.
  UNDERSTUDY_API StallSettings or_else(const StallSettings& base) const;

  std::optional<Clock::duration> connect;         ///< resolve, connect, TLS, proxy; default 10 s
  std::optional<Clock::duration> write;           ///< no byte accepted; default 30 s
  std::optional<Clock::duration> first_progress;  ///< default: as `stale`
  std::optional<Clock::duration> stale;           ///< between progress; default 180 s and more
  std::optional<Clock::duration> silence;         ///< no byte of any kind; default: learned
  std::optional<Clock::duration> whole_answer;    ///< answer not streamed; default 600 s
  std::optional<Clock::duration> finish;          ///< finish received, end not yet; default 5 s
  std::optional<Clock::duration> last_member;  ///< if no other member can take over; default 600 s
};

/// Facts about one request. The larger of them raises the default of `stale`; zero means unknown.
class StallFacts {
 public:
  StallFacts() noexcept {}

  StallFacts& with_scaled(Clock::duration d) { return scaled = d, *this; }
  StallFacts& with_floor(Clock::duration d) { return floor = d, *this; }

  Clock::duration scaled{};  ///< a default that the caller has scaled to the size of the request
  Clock::duration floor{};   ///< the peer may work this long without sending anything
};

/// The error codes of expiry, in terms of the layer above.
class StallCodes {
 public:
  StallCodes(error_code connection_code, error_code timeout_code) noexcept
      : connection(connection_code), timeout(timeout_code) {}

  error_code connection;  ///< the transport is dead or was never established
  error_code timeout;     ///< the peer is alive but makes no progress
};

/// The limits of one attempt. A zero `share` or `attempt`, or an empty `deadline`, means no limit.
class StallLimits {
 public:
  StallLimits() noexcept {}

  Limit connect;
  Limit write;
  Limit first_progress;
  Limit stale;
  Limit whole_answer;
  Limit error_body;
  Limit finish;
  Limit silence;  ///< zero: learned from the heartbeats, see StallState
  Limit last_member;
  Limit attempt;  ///< from the attempt's start until it notes its first phase or wait
  Limit share;    ///< of the deadline, from the attempt's start until something is delivered
  std::optional<Clock::time_point> deadline;  ///< the call's; expiry is StopReason::deadline
};

/// The table of failover.md 2.2.
UNDERSTUDY_API StallLimits stall_limits(const StallSettings& settings, const StallFacts& facts,
                                        const StallCodes& codes);

/// The share of the remaining time of a call for one attempt, when `eligible_left` members (including its own) could be
/// tried: an equal part, and the last gets the rest. Empty if that is less than `min_attempt`, so that the attempt
/// should not be started.
UNDERSTUDY_API std::optional<Clock::duration> share_of_deadline(Clock::duration remaining,
                                                                std::size_t eligible_left,
                                                                Clock::duration min_attempt);

}  // namespace understudy
