/// The words of a comma-separated header.
#pragma once

#include <algorithm>
#include <string_view>

#include "llm/error_words.hpp"

namespace understudy::llm::detail {

/// Calls `each(word)` for the words that are not empty, without the white space around them.
template <class Each>
void each_word(std::string_view list, Each each) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto word = trimmed(list.substr(0, comma)); !word.empty()) {
      each(word);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace understudy::llm::detail
