/// UTF-8, one sequence at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace understudy::text {

struct Utf8Step {
  std::size_t length;  // of the sequence, or of what is to become one U+FFFD
  bool valid;
};

/// What stands at the front of `text`, which is not empty: a well-formed sequence (Unicode 3.9, table
/// 3-7), or the longest beginning of one, which is replaced as a whole (WHATWG Encoding, "UTF-8 decode").
inline Utf8Step utf8_step(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) {
      return {i, false};
    }
    const bool low_bound =
        i == 1 && ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90));
    const bool high_bound =
        i == 1 && ((lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90));
    if ((byte(i) & 0xC0U) != 0x80 || low_bound || high_bound) {
      return {i, false};
    }
  }
  return length == 0 ? Utf8Step{1, false} : Utf8Step{length, true};
}

inline constexpr std::string_view utf8_replacement = "\xEF\xBF\xBD";

}  // namespace understudy::text
