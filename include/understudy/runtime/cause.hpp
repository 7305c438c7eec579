/// The reason why an operation was cancelled.
///
/// Asio's cancellation carries a bit mask, never a reason. Here it carries a `Cause`: an error code of
/// any category (the runtime's own `StopReason`, or a failure of a layer above) and the evidence for it.
///
/// Invariants
/// 1. The cause of a cancelled scope has a nonzero code.
/// 2. A stop (`StopReason`) is never a failure of the peer, and is never retried.
/// 3. A cause is trivially copyable: copying it does not allocate and cannot fail.
///
///     scope.cancel(StopReason::shutdown);
///     if (scope.cause().code == StopReason::shutdown) { ... }
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>
#include <type_traits>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"
#include "understudy/runtime/limit.hpp"

namespace understudy {

/// The reasons for which the local side stops an operation.
/// `deadline` is equivalent to `errc::timed_out`, the others to `errc::operation_canceled`.
enum class StopReason {
  cancelled = 1,   ///< the caller requested it, or plain Asio cancellation arrived from outside
  deadline,        ///< the deadline of the whole operation was reached
  lost,            ///< another contender settled a race first
  sibling_failed,  ///< another child of the scope failed
  shutdown,        ///< the program is shutting down
};

/// The category of StopReason.
UNDERSTUDY_API const boost::system::error_category& stop_category() noexcept;

/// A reason to stop as an error code.
inline error_code make_error_code(StopReason reason) noexcept {
  return {static_cast<int>(reason), stop_category()};
}

/// What was measured when a limit expired. All zero where no limit was involved.
class Evidence {
 public:
  constexpr Evidence() noexcept {}  // not defaulted: an aggregate would meet g++ 12.2's double free

  Phase phase = Phase::none;
  LimitClock clock = LimitClock::none;
  LimitOrigin origin = LimitOrigin::none;
  Clock::duration limit{};                ///< the limit that expired
  Clock::duration since_last_byte{};      ///< time waited since any byte was received
  Clock::duration since_last_progress{};  ///< time waited since progress, or since the phase began
  Clock::duration lateness{};             ///< how late the expiry was noticed
  std::uint64_t bytes = 0;                ///< received in this attempt
  std::uint64_t heartbeats = 0;           ///< received in this attempt
};

/// Why a scope was cancelled.
class Cause {
 public:
  Cause() noexcept {}

  /// From an error code or an error code enum: `Cause{StopReason::lost}`.
  template <class Code>
    requires std::is_constructible_v<error_code, Code>
  Cause(Code c,
        const Evidence& e = Evidence()) noexcept  // implicit on purpose: cancel(StopReason::lost)
      : code(c), evidence(e) {}

  error_code code;
  Evidence evidence;
};

static_assert(std::is_trivially_copyable_v<Cause>);

/// One line for human readers: "timeout: 180 s without progress (limit 180 s, default; phase
/// first_progress; last byte 4.2 s ago; 1204 bytes, 12 heartbeats)".
UNDERSTUDY_API std::string to_string(const Cause& cause);

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::StopReason> : std::true_type {};
