/// Durations as people write them: "180s", "750ms", "2m".
///
/// Invariants
/// 1. A duration is a number above zero and a unit (ms, s, m, h), without a space, and at most `longest_duration`.
/// 2. What `duration_text` writes, `parse_duration` reads, if it is a whole number of milliseconds.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace understudy::text {

/// A year. A longer limit than that is meant to be none.
inline constexpr std::chrono::nanoseconds longest_duration = std::chrono::hours(24 * 366);

/// "1.5s".
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "1.5s", or a bare number, which is seconds.
std::optional<std::chrono::nanoseconds> parse_seconds(std::string_view text);

/// The duration that was probably meant: "3min" is "3m", "180" is "180s". Empty if it cannot be guessed.
std::string meant_duration(std::string_view text);

/// In the largest unit of which it is a whole number: "90s", "2m".
std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace understudy::text
