/// Patterns of names in which `*` stands for any text, also for none: "claude-haiku-*".
///
/// Invariants
/// 1. The cost is at most the product of both lengths, for any number of stars; a pattern with one star costs what it
///    compares.
///
///     assert(matches_glob("claude-haiku-*", "claude-haiku-4-5"));
#pragma once

#include <cstddef>
#include <string_view>

namespace understudy::text {

constexpr bool is_glob(std::string_view pattern) {
  return pattern.find('*') != std::string_view::npos;
}

constexpr bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;  // the last one, which takes the text from `taken` on
  std::size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace understudy::text
