/// Ids of tool calls that a provider takes, made of those that another one gave.
///
/// The ids come from outside, and there may be several 100,000 in one body: what was tried for an id is never tried
/// again, and the tables have a keyed hash.
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
      : longest_(longest), plain_(plain), given_(0, hash), attempts_(0, hash) {}

  /// An id of the conversation, which none that is made up may equal.
  void reserve(const std::string& id) { given_.try_emplace(id, false); }

  /// The id for the next call: `id` itself if it is valid and was not given out before.
  std::string give(const std::string& id);

 private:
  bool valid(std::string_view id) const;
  std::string made_up(std::string_view id, std::uint64_t digest, std::size_t attempt) const;

  std::size_t longest_;
  bool plain_;
  std::unordered_map<std::string, bool, KeyedHash> given_;  // false: reserved
  // By digest: ids that share one share candidates too.
  std::unordered_map<std::uint64_t, std::size_t, KeyedHash> attempts_;
};

}  // namespace understudy::detail
