/// How long a provider asks to be left alone, in whatever form it says so.
///
/// Looked for in this order; the first that names a time in the future is the answer: `retry-after-ms`,
/// `retry-after`, the body (`retryDelay`, `retry_after`, `resets_in_seconds`, `resets_at`, `reset_at`,
/// and wordings such as "try again in 7m12s"), and the rate limit headers' resets.
///
/// Invariants
/// 1. Pure: the time is an argument. Any bytes may come in; nothing throws, and at most
///    `retry_after_body_limit` bytes of the body are read.
/// 2. The answer is more than zero and at most `longest_retry_after`. A time of zero or in the past, what
///    is negative, not a number or garbage, counts as not said.
/// 3. A date is taken relative to the response's own `Date`, so a wrong clock does no harm (RFC 9110 10.2.3).
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

inline constexpr std::size_t retry_after_body_limit = std::size_t{64} * 1024;
inline constexpr Clock::duration longest_retry_after = std::chrono::hours(24 * 366);

/// Name and value; names in any case.
using HeaderField = std::pair<std::string_view, std::string_view>;

/// The time to wait from now on, or nothing if the provider did not say. See the top of the file.
UNDERSTUDY_API std::optional<Clock::duration> retry_after(
    std::span<const HeaderField> headers, std::string_view body,
    std::chrono::system_clock::time_point now);

/// A time as providers write it: an HTTP date in any of its three forms (RFC 9110 5.6.7), or RFC 3339.
UNDERSTUDY_API std::optional<std::chrono::system_clock::time_point> parse_date(
    std::string_view text, std::chrono::system_clock::time_point now);

/// A span as providers write it, all of the text: "21", "2.66", "120ms", "7m12s", "18h31m10s",
/// "4hr 5min", "6 seconds". A number without a unit is seconds. Nothing if it is not one.
UNDERSTUDY_API std::optional<Clock::duration> parse_span(std::string_view text);

}  // namespace understudy::llm
