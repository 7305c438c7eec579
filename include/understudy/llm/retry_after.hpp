/// Determines how long a provider asks callers to wait, from all forms in which providers state it.
///
/// The sources are tried in this order, and the first that names a time in the future is used: `retry-after-ms`,
/// `retry-after`, the body (`retryDelay`, `retry_after`, `resets_in_seconds`, `resets_at`, `reset_at`,
/// and phrases such as "try again in 7m12s"), and the reset times of the rate limit headers.
///
/// Invariants
/// 1. The functions are pure: the current time is an argument. Any bytes are valid, nothing throws, and at most
///    `retry_after_body_limit` bytes of the body are read.
/// 2. The result is greater than zero and at most `longest_retry_after`. A time that is zero, negative, in the past or
///    not a number is ignored.
/// 3. A date is interpreted relative to the `Date` header of the response, so that a wrong clock has no effect
///    (RFC 9110 10.2.3).
///
///     const HeaderField headers[] = {{"retry-after", "21"}};
///     assert(retry_after(headers, "", std::chrono::system_clock::now()) == 21s);
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

/// In bytes.
inline constexpr std::size_t retry_after_body_limit = std::size_t{64} * 1024;
inline constexpr Clock::duration longest_retry_after = std::chrono::hours(24 * 366);

/// The name and value of a header. Names are case-insensitive.
using HeaderField = std::pair<std::string_view, std::string_view>;

/// Returns how long to wait from `now` on, or nothing if the provider did not state it. See the top of the file.
UNDERSTUDY_API std::optional<Clock::duration> retry_after(
    std::span<const HeaderField> headers, std::string_view body,
    std::chrono::system_clock::time_point now);

/// Parses a time as providers write it: an HTTP date in any of its three forms (RFC 9110 5.6.7), or RFC 3339. Returns
/// nothing if `text` is not a time.
UNDERSTUDY_API std::optional<std::chrono::system_clock::time_point> parse_date(
    std::string_view text, std::chrono::system_clock::time_point now);

/// Parses a duration as providers write it: "21", "2.66", "120ms", "7m12s", "18h31m10s", "4hr 5min", "6 seconds". A
/// number without a unit is in seconds. Returns nothing if `text` as a whole is not a duration.
UNDERSTUDY_API std::optional<Clock::duration> parse_span(std::string_view text);

}  // namespace understudy::llm
