/// Ids of tool calls, and names of tools, that a provider takes, made of those that another one gave.
///
/// The ids come from outside, and there may be several 100,000 in one body: each is found at once, and what was tried
/// for an id is never tried again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/name_table.hpp"

namespace understudy::llm::detail {

class ToolIds {
 public:
  ToolIds(std::size_t longest, bool plain, const text::KeyedHash& hash)
      : longest_(longest), plain_(plain), ids_(hash) {}

  /// Ids have that many characters at least, and begin with a letter or `_` if that is asked for.
  void demand(std::size_t shortest, bool letter_first) {
    shortest_ = shortest;
    letter_first_ = letter_first;
  }

  /// An id of the conversation, which none that is made up may equal. Whether it is valid, and the first of its
  /// name: if all are, they may stay as they are.
  bool reserve(std::string_view id) { return add(id).second && valid(id); }

  /// The id for the next call: `id` itself if it is valid and was not given out before.
  std::string give(const std::string& id);

 private:
  struct Known {
    bool given = false;
    std::uint32_t attempts = 0;  // at making up another one
  };

  std::pair<std::size_t, bool> add(std::string_view id);
  bool valid(std::string_view id) const;
  std::string made_up(std::string_view id, std::uint64_t digest, std::uint32_t attempt) const;

  std::size_t longest_;
  bool plain_;
  std::size_t shortest_ = 1;
  bool letter_first_ = false;
  text::NameTable<std::string> ids_;
  std::vector<Known> known_;  // of each
};

}  // namespace understudy::llm::detail
