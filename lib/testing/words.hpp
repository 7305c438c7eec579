/// Texts in pieces, as models stream them.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace understudy::testing {

/// The words of a text, each with the space before it, so that together they are the text.
inline std::vector<std::string_view> spaced_words(std::string_view text) {
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const auto end = std::min(text.find(' ', 1), text.size());
    all.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return all;
}

}  // namespace understudy::testing
