/// Paths of backends.json: `a.b`, `tools[].function.name`, `messages[].content[].tool_use.id`.
///
/// `[]` walks a list. A name is a member; on an object without that member it may also be the object's type, as in
/// the last example: the `id` of the blocks whose `type` is "tool_use".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "testing/strict/json.hpp"

namespace understudy::testing::strict {

/// The positions in the lists on the way to a value.
using Indices = std::vector<std::size_t>;

class Path {
 public:
  Path() = default;
  explicit Path(std::string_view text);

  bool empty() const noexcept { return steps_.empty(); }
  std::string_view text() const noexcept { return text_; }
  /// With positions for `[]`: `input[3].call_id`.
  std::string at(const Indices& indices) const;

  /// Calls `each(value, indices)` for every value at the path, until it returns false.
  template <class Each>
  bool visit(JsonObject root, Each each) const {
    Indices indices;
    return visit(root, 0, indices, each);
  }

  /// The value at a path without lists.
  std::optional<Json> find(JsonObject root) const {
    std::optional<Json> found;
    visit(root, [&](Json value, const Indices&) {
      found = value;
      return false;
    });
    return found;
  }

 private:
  struct Step {
    std::string name;
    bool list;
  };

  template <class Each>
  bool visit(JsonObject object, std::size_t step, Indices& indices, Each& each) const {
    const auto& name = steps_[step].name;
    const auto value = member(object, name);
    const bool last = step + 1 == steps_.size();
    if (!value) {
      return last || text_of(object, "type") != name || visit(object, step + 1, indices, each);
    }
    if (!steps_[step].list) {
      const auto inner = object_of(value);
      return last ? each(*value, indices) : !inner || visit(*inner, step + 1, indices, each);
    }
    const auto list = array_of(value);
    if (!list) {
      return true;
    }
    indices.push_back(0);
    for (const Json element : *list) {
      const auto inner = object_of(element);
      if (last ? !each(element, indices) : inner && !visit(*inner, step + 1, indices, each)) {
        return false;
      }
      ++indices.back();
    }
    indices.pop_back();
    return true;
  }

  std::string text_;
  std::vector<Step> steps_;
};

}  // namespace understudy::testing::strict
