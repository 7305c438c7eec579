/// A JSON value that is assembled from pieces of other JSON documents, such as the events of a stream.
///
/// Invariants
/// 1. Whatever goes in is compact JSON, as `append_compact` writes it: valid, and without white space. So what comes out
///    is valid too.
/// 2. Numbers and strings keep the text in which they were written, strings with their escapes. Two strings are joined
///    as written, so that a surrogate pair may be divided between them. Members keep the order in which they first came;
///    of duplicates the last one wins.
/// 3. A value is one text until a member or an element of it is asked for: it takes about as much memory as its text.
/// 4. `append` and `merge` cost time linear in their argument, not in what is there already.
///
///     Tree message;
///     message.member("content")->append("\"Eighty\"");
///     message.member("content")->append("\" percent.\"");
///     message.write(out);  // {"content":"Eighty percent."}
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/json.hpp"
#include "understudy/export.hpp"

namespace understudy::json {

/// Appends the JSON object `padded` (see Parser) to `out` in compact form. Returns nullptr, or why it is malformed; then
/// `out` is as it was. Nesting beyond `deepest` is malformed. NaN, Infinity and -Infinity, which Python's json module
/// writes for numbers that are not finite (a log probability, for instance), become null.
const char* append_compact(std::string_view padded, text::Arena& arena, std::string& out);
inline constexpr int deepest = 128;

/// The text in compact form if it is one JSON object and nothing else; empty otherwise.
UNDERSTUDY_API std::string compact_object(std::string_view text);

/// Calls `each(name, value)` for every member of a compact object, as written; the name is without its quotes. Returns
/// false as soon as `each` does. A value that is not an object has no members.
template <class Each>
bool each_member(std::string_view object, Each each);
/// The same for the elements of a compact array.
template <class Each>
bool each_element(std::string_view array, Each each);

/// The value of a member of a compact object; empty: there is none.
std::string_view member_of(std::string_view object, std::string_view name);

inline bool is_string(std::string_view value) { return value.starts_with('"'); }
inline bool is_object(std::string_view value) { return value.starts_with('{'); }
inline bool is_array(std::string_view value) { return value.starts_with('['); }
inline bool is_null(std::string_view value) { return value.empty() || value == "null"; }

/// The content of a compact string, with its escapes; empty for anything else.
inline std::string_view inside_of(std::string_view value) {
  return is_string(value) ? value.substr(1, value.size() - 2) : std::string_view();
}

/// A string's content without its escapes.
std::string unescaped_text(std::string_view value);
/// The text as a JSON string.
UNDERSTUDY_API std::string quoted(std::string_view text);

/// Replaces the escapes of lone surrogates by that of U+FFFD, in place: many parsers refuse them. Only the whole text
/// tells which are alone (invariant 2).
void replace_lone_surrogates(std::string& json);

/// See the top of the file. Movable.
class Tree {
 public:
  /// Fields of an answer that are merged member by member have a handful of members. Larger objects are replaced.
  static constexpr std::size_t most_members = 256;
  /// As many as a reader may have open, with room (OpenBlocks::most).
  static constexpr std::size_t most_elements = 4096;
  /// Objects within objects are merged to this depth; below it, the last one wins.
  static constexpr int deepest_merge = 8;

  Tree() = default;
  /// An empty text is null, as in `set`.
  explicit Tree(std::string_view json) { set(json); }

  /// The value as text, unless a member or an element was asked for.
  std::string_view text() const { return text_; }
  bool null() const { return !parts_ && json::is_null(text_); }
  bool object() const { return parts_ ? !parts_->array : is_object(text_); }
  bool array() const { return parts_ ? parts_->array : is_array(text_); }

  void set(std::string_view json);

  /// Joins strings with strings, and arrays with arrays. Null and an empty string change nothing; any other value
  /// replaces this one.
  void append(std::string_view json);

  /// Merges objects member by member. Null and an empty string replace nothing but null; any other value replaces this
  /// one.
  void merge(std::string_view json) { merge(json, deepest_merge); }

  /// The member of that name, or nullptr. The pointer is valid until a member is added.
  Tree* find(std::string_view name);
  /// The same, added as null if it is missing. nullptr if there are `most_members`. A value that is not an object becomes
  /// an empty one.
  Tree* member(std::string_view name);

  /// The number of elements of an array; 0 for anything else.
  std::size_t count();
  /// Precondition: at < count().
  Tree& element(std::size_t at) { return parts_->values[at]; }
  /// Adds an element; nullptr if there are `most_elements`. A value that is not an array becomes an empty one.
  Tree* add(std::string_view json);
  Tree* add(Tree&& element);

  /// Appends the text of the value to `out`.
  void write(std::string& out) const;
  /// The length of that text.
  std::size_t length() const;

 private:
  struct Parts {
    bool array;
    std::vector<std::string> names;  // of an object's members, as written
    std::vector<Tree> values;
  };

  Tree* find_part(std::string_view name);
  void merge(std::string_view json, int depth);
  bool expand(bool array);

  std::string text_ = "null";
  std::unique_ptr<Parts> parts_;  // if set, the value is in it
};

namespace detail {

/// Where the compact value at `at` ends.
std::size_t value_end(std::string_view json, std::size_t at);

}  // namespace detail

template <class Each>
bool each_member(std::string_view object, Each each) {
  if (!is_object(object)) {
    return true;
  }
  for (std::size_t at = 1; object[at] != '}';) {
    const auto colon = detail::value_end(object, at);
    const auto end = detail::value_end(object, colon + 1);
    const auto name = object.substr(at + 1, colon - at - 2);
    if (!each(name, object.substr(colon + 1, end - colon - 1))) {
      return false;
    }
    at = end + (object[end] == ',' ? 1 : 0);
  }
  return true;
}

template <class Each>
bool each_element(std::string_view array, Each each) {
  if (!is_array(array)) {
    return true;
  }
  for (std::size_t at = 1; array[at] != ']';) {
    const auto end = detail::value_end(array, at);
    if (!each(array.substr(at, end - at))) {
      return false;
    }
    at = end + (array[end] == ',' ? 1 : 0);
  }
  return true;
}

}  // namespace understudy::json
