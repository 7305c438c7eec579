/// Halves of UTF-16 surrogate pairs, in the three bytes that UTF-8 would have for them (WTF-8). No valid UTF-8 contains
/// them, so they cannot be confused with text: they mark where a piece of text begins or ends within a character.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace understudy::text {

inline constexpr std::size_t half_size = 3;  // bytes

inline bool is_high_half(std::uint32_t code) { return code >= 0xD800 && code < 0xDC00; }
inline bool is_low_half(std::uint32_t code) { return code >= 0xDC00 && code < 0xE000; }

/// The half whose bytes these are; nothing if they are not those of a half.
inline std::optional<std::uint32_t> half_of(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() != half_size || byte(0) != 0xED || byte(1) < 0xA0) {
    return std::nullopt;
  }
  return 0xD000U | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
}

/// The first half of a character, at the end of `text`.
inline std::optional<std::uint32_t> high_half_at_end(std::string_view text) {
  const auto half =
      text.size() < half_size ? std::nullopt : half_of(text.substr(text.size() - half_size));
  return half && is_high_half(*half) ? half : std::nullopt;
}

/// The second half of a character, at the begin of `text`.
inline std::optional<std::uint32_t> low_half_at_begin(std::string_view text) {
  const auto half = half_of(text.substr(0, half_size));
  return half && is_low_half(*half) ? half : std::nullopt;
}

}  // namespace understudy::text
