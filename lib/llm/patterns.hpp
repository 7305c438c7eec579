// The small language of classify.cpp's table.
//
// Alternatives are separated by " | ". Wording is in normal form (error_reader.hpp), is found as whole
// words, and may have
//   *       at its end: any end of the word ("throttl*")
//   ...     between parts: anything within a sentence, up to `gap_limit` bytes of it
// Codes are compared by letters and digits alone; `*` at either end stands for anything.
#pragma once

#include <algorithm>
#include <string_view>

namespace understudy::llm::detail {

/// A model's whole path lies between "model" and "not found".
inline constexpr std::size_t gap_limit = 120;

/// Calls f with each alternative until it is true.
template <class F>
constexpr bool any_of(std::string_view alternatives, F f) {
  constexpr std::string_view separator = " | ";
  while (!alternatives.empty()) {
    const auto end = std::min(alternatives.find(separator), alternatives.size());
    if (f(alternatives.substr(0, end))) {
      return true;
    }
    alternatives.remove_prefix(std::min(end + separator.size(), alternatives.size()));
  }
  return false;
}

/// Whether one of the phrases is in `text`, which is in normal form.
bool contains(std::string_view text, std::string_view phrases);

/// Whether `code`, which is in normal form, is what the pattern means.
bool same_code(std::string_view code, std::string_view pattern);

/// Whether wording is written in normal form, and so can be found at all.
constexpr bool well_written(std::string_view phrases) {
  return !any_of(phrases, [](std::string_view phrase) {
    const auto bad = [](char c) {
      return (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '|';
    };
    return phrase.empty() || phrase.front() == ' ' || phrase.back() == ' ' ||
           std::any_of(phrase.begin(), phrase.end(), bad);
  });
}

}  // namespace understudy::llm::detail
