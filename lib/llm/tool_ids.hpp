/// Ids of tool calls that a provider takes, made of those that another one gave.
///
/// The ids come from outside, and there may be several 100,000 in one body: each is looked up in a table with a keyed
/// hash, and what was tried for an id is never tried again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "keyed_hash.hpp"

namespace understudy::detail {

class ToolIds {
 public:
  ToolIds(std::size_t longest, bool plain, const KeyedHash& hash)
      : longest_(longest), plain_(plain), ids_(0, hash) {}

  /// For so many ids.
  void expect(std::size_t count) { ids_.reserve(count); }

  /// An id of the conversation, which none that is made up may equal. Whether it is valid, and the first of its
  /// name: if all are, they may stay as they are.
  bool reserve(const std::string& id) { return ids_.try_emplace(id).second && valid(id); }

  /// The id for the next call: `id` itself if it is valid and was not given out before.
  std::string give(const std::string& id);

 private:
  struct Known {
    bool given = false;
    std::uint32_t attempts = 0;  // at making up another one
  };

  bool valid(std::string_view id) const;
  std::string made_up(std::string_view id, std::uint64_t digest, std::uint32_t attempt) const;

  std::size_t longest_;
  bool plain_;
  std::unordered_map<std::string, Known, KeyedHash> ids_;
};

}  // namespace understudy::detail
