/// Ids of tool calls that a provider takes, made of those that another one gave.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace understudy::detail {

class ToolIds {
 public:
  ToolIds(std::size_t longest, bool plain) : longest_(longest), plain_(plain) {}

  /// An id of the conversation, which none that is made up may equal.
  void reserve(const std::string& id) { reserved_.insert(id); }

  /// The id for the next call: `id` itself if it is valid and was not given out before.
  std::string give(const std::string& id);

 private:
  bool valid(std::string_view id) const;
  std::string made_up(std::string_view id, std::size_t attempt) const;

  std::size_t longest_;
  bool plain_;
  std::set<std::string> reserved_;
  std::set<std::string> given_;
};

}  // namespace understudy::detail
