/// What stands in strings: durations, sizes, addresses. None quotes what it could not read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// No duration is longer: what is meant is "none".
inline constexpr Clock::duration longest_duration = std::chrono::hours(24 * 366);

/// "1.5s", with one of ms, s, m, h; above zero and up to `longest_duration`.
std::optional<Clock::duration> parse_duration(std::string_view text);

/// The same, and a bare number, which is seconds.
std::optional<Clock::duration> parse_seconds(std::string_view text);

/// What was probably meant: "3min" is "3m", "180" is "180s". Empty: who knows.
std::string meant_duration(std::string_view text);

/// In the largest unit that takes it whole: "90s", "2m".
std::string to_text(Clock::duration duration);

/// "32MiB", with one of B, KiB, MiB, GiB; up to a tebibyte.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// What was probably meant: "32MB" is "32MiB". Empty: who knows.
std::string meant_size(std::string_view text);

/// In the largest unit that takes it whole.
std::string size_text(std::uint64_t bytes);

struct HostAndPort {
  std::string host;
  std::uint16_t port;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:0".
std::optional<HostAndPort> parse_listen(std::string_view text);

}  // namespace understudy::detail
