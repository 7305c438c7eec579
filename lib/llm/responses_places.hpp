/// Where a part of a Responses answer stands, as one number: how ResponsesReader names blocks.
#pragma once

#include <cstddef>
#include <string_view>

#include "open_blocks.hpp"

namespace understudy::detail {

/// Numbers beyond what is ever seen may fall together.
constexpr std::size_t part_bits = 16;
constexpr std::size_t wire(std::size_t item, std::size_t part) {
  return (item << (part_bits + 1)) | (part & ((std::size_t{1} << part_bits) - 1));
}
/// For a part whose begin was seen.
constexpr std::size_t mark(std::size_t item, std::size_t part) {
  return wire(item, part) | (std::size_t{1} << part_bits);
}
inline bool in_item(const OpenBlock& block, std::size_t item) {
  return block.wire >> (part_bits + 1) == wire(item, 0) >> (part_bits + 1);
}

/// What stands between two parts of one reasoning item: each is a paragraph of its own.
constexpr std::string_view paragraph = "\n\n";

}  // namespace understudy::detail
