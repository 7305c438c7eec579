/// Records the first complete tool call that was delivered to the consumer. After it, nothing is regenerated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/llm/event.hpp"

namespace understudy::detail {

/// Returns whether an llm::Other of that type is a call that the client runs. Events cannot express such a call, so it
/// is not held back until it is complete: it counts as delivered once it has begun.
inline bool is_client_call(std::string_view type) {
  constexpr std::array<std::string_view, 6> types{"custom_tool_call", "local_shell_call",
                                                  "shell_call",       "apply_patch_call",
                                                  "computer_call",    "mcp_approval_request"};
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// See the top of the file.
class CompleteCall {
 public:
  /// Records an event that is delivered to the consumer. Call it for every event, in order.
  void note(const llm::Event& event) {
    if (name_) {
      return;
    }
    if (const auto* start = std::get_if<llm::ToolStart>(&event.body)) {
      open_.emplace_back(start->block,
                         "`" + std::string(start->name) + "` (" + std::string(start->id) + ")");
    } else if (const auto* end = std::get_if<llm::ToolEnd>(&event.body)) {
      const auto call = std::find_if(open_.begin(), open_.end(),
                                     [&](const auto& one) { return one.first == end->block; });
      if (end->complete) {
        name_ = call == open_.end() ? "without a name" : std::move(call->second);
        open_.clear();
      } else if (call != open_.end()) {
        open_.erase(call);
      }
    } else if (const auto* other = std::get_if<llm::Other>(&event.body)) {
      if (is_client_call(other->type)) {
        name_ = "`" + std::string(other->type) + "`";
        unfinished_ = true;
      }
    }
  }

  /// Returns the name and id of the call, if there is one.
  const std::optional<std::string>& name() const noexcept { return name_; }
  /// Returns whether it is one that only counts as delivered, so that it is not known whether it is complete.
  bool unfinished() const noexcept { return unfinished_; }

 private:
  std::vector<std::pair<std::size_t, std::string>> open_;
  std::optional<std::string> name_;
  bool unfinished_ = false;
};

}  // namespace understudy::detail
