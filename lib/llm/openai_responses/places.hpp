/// Where a part of a Responses answer stands, as one number: how ResponsesReader names blocks.
#pragma once

#include <cstddef>
#include <string_view>

namespace understudy::llm::detail::openai_responses {

/// Numbers beyond what is ever seen may fall together.
constexpr std::size_t part_bits = 16;
constexpr std::size_t wire(std::size_t item, std::size_t part) {
  return (item << (part_bits + 1)) | (part & ((std::size_t{1} << part_bits) - 1));
}
/// For a part whose begin was seen.
constexpr std::size_t mark(std::size_t item, std::size_t part) {
  return wire(item, part) | (std::size_t{1} << part_bits);
}
/// The last place of the item in which `at` is. A reasoning item's name is kept there.
constexpr std::size_t last_place(std::size_t at) {
  return at | ((std::size_t{1} << (part_bits + 1)) - 1);
}

/// What stands between two parts of one reasoning item: each is a paragraph of its own.
constexpr std::string_view paragraph = "\n\n";

}  // namespace understudy::llm::detail::openai_responses
