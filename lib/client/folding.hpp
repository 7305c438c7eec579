/// Text as it is compared where two members' words meet: white space and spelling made alike.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::detail {

/// One code point, folded.
class FoldedStep {
 public:
  std::string_view text() const noexcept { return {bytes_.data(), size_}; }
  void append(char32_t c) noexcept;
  void append(std::string_view raw) noexcept;

  std::size_t length = 0;  // in the unfolded text
  bool white = false;      // a space of any kind: no text
  bool cut = false;        // the text ends within the sequence, as far as can be seen

 private:
  std::array<char, 8> bytes_{};  // the longest: a letter of two bytes and two marks of two
  std::size_t size_ = 0;
};

/// What stands at the front of `text`, which is not empty. What is not UTF-8 stays as it is.
FoldedStep fold_step(std::string_view text);

/// The whole, without white space at its beginning; every other run of it is one space.
UNDERSTUDY_API std::string folded(std::string_view text);

/// Where the white space at the beginning of `text` ends.
UNDERSTUDY_API std::size_t white_prefix(std::string_view text);

/// Where the white space at the end of `text` begins.
UNDERSTUDY_API std::size_t white_suffix(std::string_view text);

/// Whether a code point begins at `at`, which may be the end.
inline bool at_code_point(std::string_view text, std::size_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80;
}

/// The code points of `text`.
UNDERSTUDY_API std::size_t code_points(std::string_view text);

/// Whether `text` ends with what it begins with, which is shorter than all of it and has so many code points.
bool ends_as_it_begins(std::string_view text, std::size_t at_least);

}  // namespace understudy::detail
