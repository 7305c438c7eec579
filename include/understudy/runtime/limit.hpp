/// A time limit: its length, its origin, and the meaning of its expiry; and the enumerations used by `Evidence`.
#pragma once

#include <boost/system/error_code.hpp>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// The phases of an attempt; each has its own limit.
enum class Phase : unsigned char {
  none,            ///< no phase with a limit
  pool_wait,       ///< waiting for a pooled connection
  connect,         ///< resolve, connect, TLS, proxy
  write,           ///< writing the request
  first_progress,  ///< request sent, no progress yet
  progress,        ///< waiting for further progress
  whole_answer,    ///< waiting for an answer that the peer does not stream
  error_body,      ///< reading the body of an error status
  finish,          ///< finish received, end of stream not yet
};

/// The clock by which a limit is measured.
enum class LimitClock : unsigned char {
  none,
  phase,      ///< time spent in the phase
  progress,   ///< time without progress, regardless of heartbeats
  transport,  ///< time without a byte of any kind
  wall,       ///< time since the call began; never stops
  attempt,    ///< time since the start of an attempt that notes nothing
};

/// The origin of a limit.
enum class LimitOrigin : unsigned char {
  none,
  user,
  scaled,    ///< by the caller, to the size of the request
  floor,     ///< of a model that reasons for a long time
  standard,  ///< the library's default
  learned,   ///< from the heartbeats of this stream
  share_of_deadline,
};

/// A limit. When it expires, `code` becomes the cause's code.
class Limit {
 public:
  constexpr Limit() noexcept = default;
  constexpr Limit(Clock::duration limit, boost::system::error_code meaning,
                  LimitOrigin from) noexcept
      : after(limit), code(meaning), origin(from) {}

  Clock::duration after{};
  boost::system::error_code code;
  LimitOrigin origin = LimitOrigin::none;
};

/// The names used in reports: those of the enumerators, with `default` for `standard`.
UNDERSTUDY_API std::string_view to_string(Phase phase) noexcept;
/// The name of the clock, as in reports.
UNDERSTUDY_API std::string_view to_string(LimitClock clock) noexcept;
/// The name of the origin, as in reports.
UNDERSTUDY_API std::string_view to_string(LimitOrigin origin) noexcept;

}  // namespace understudy
