/// Edits JSON text in place: members and elements are set, removed, renamed or added by path, in one pass, and all other bytes
/// are kept. For bodies and events that are passed on within one protocol.
///
/// Invariants
/// 1. Bytes outside of the edited members are kept: white space, the order and repetition of members, the spelling of
///    numbers and strings. Without edits the text is returned as it is.
/// 2. Any bytes are valid input. Text that is not well-formed as far as the paths lead gives nothing. What lies outside
///    of the paths is not validated.
/// 3. The cost is linear in the text, times the depth of the paths at most.
/// 4. Of repeated members, each is edited.
///
///     const JsonEdits edits{JsonEdit::set({"message", "usage"}, "{}"), JsonEdit::remove({"input", 2, "id"})};
///     const auto edited = edit_json(text, edits);
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "understudy/export.hpp"

namespace understudy::text {

/// The name of a member, or the index of an element.
class JsonStep {
 public:
  JsonStep(const char* name) : step_(std::string(name)) {}
  JsonStep(std::string name) : step_(std::move(name)) {}
  JsonStep(std::size_t index) : step_(index) {}
  JsonStep(int index) : step_(static_cast<std::size_t>(index)) {}

  const std::string* name() const { return std::get_if<std::string>(&step_); }
  std::size_t index() const { return std::get<std::size_t>(step_); }

 private:
  std::variant<std::string, std::size_t> step_;
};

using JsonPath = std::vector<JsonStep>;

/// Calls `each(name)` for the names of a path that is written with dots: "reasoning.effort".
template <class Each>
void each_name(std::string_view dotted, Each each) {
  while (!dotted.empty()) {
    const auto end = std::min(dotted.find('.'), dotted.size());
    each(dotted.substr(0, end));
    dotted.remove_prefix(std::min(end + 1, dotted.size()));
  }
}

/// That path.
JsonPath json_path(std::string_view dotted);

class JsonEdit {
 public:
  enum class Kind : unsigned char { set, remove, rename, append };

  /// Replaces a value by JSON text. A member that is missing is added at the end of its object, if there is that object.
  static JsonEdit set(JsonPath path, std::string json) {
    return {Kind::set, std::move(path), std::move(json)};
  }
  static JsonEdit remove(JsonPath path) { return {Kind::remove, std::move(path), {}}; }
  /// Renames a member. A path that ends with an index does nothing.
  static JsonEdit rename(JsonPath path, std::string name) {
    return {Kind::rename, std::move(path), std::move(name)};
  }

  /// Adds an element at the end of the array at `path`.
  static JsonEdit append(JsonPath path, std::string json) {
    return {Kind::append, std::move(path), std::move(json)};
  }

  Kind kind;
  JsonPath path;  // not empty
  std::string value;

 private:
  JsonEdit(Kind k, JsonPath p, std::string v) : kind(k), path(std::move(p)), value(std::move(v)) {}
};

using JsonEdits = std::vector<JsonEdit>;

/// The edited text; nothing if the text is not well-formed. Edits of places that do not exist do nothing. Of several
/// edits of one place, the last counts; edits below a place that is set or removed do nothing.
UNDERSTUDY_API std::optional<std::string> edit_json(std::string_view json, const JsonEdits& edits);

/// The text of the value at `path`, the first of its name; empty if there is none.
UNDERSTUDY_API std::string_view json_at(std::string_view json, const JsonPath& path);

/// The texts of the elements of an array, of the first `most` at most; none if it is not a well-formed array so far.
std::vector<std::string_view> json_elements(std::string_view array, std::size_t most);

}  // namespace understudy::text
