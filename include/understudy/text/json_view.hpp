/// Reads a JSON object of any form, member by member.
///
/// Invariants
/// 1. Any bytes are valid input. Text that is not one JSON object, or is nested more than 128 deep, has no root.
/// 2. A view is a part of its document's text, and must not outlive the document. Numbers are as they were written.
/// 3. Of members with the same name, the last one counts, at the place of the first.
///
///     const JsonDocument document(R"({"tank": "north", "percent": 93})");
///     if (const auto root = document.root()) {
///       for (const auto& [name, value] : root->members()) { std::cout << name << ": " << value.text(); }
///     }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"

namespace understudy {

/// One value. See the top of the file.
class UNDERSTUDY_API JsonView {
 public:
  /// What a value is.
  enum class Kind : unsigned char { null, boolean, number, string, array, object };

  /// `compact`: valid JSON without white space, as JsonDocument has it.
  explicit JsonView(std::string_view compact) noexcept : text_(compact) {}

  /// What this value is. O(1).
  Kind kind() const noexcept;
  /// The value as JSON text.
  std::string_view text() const noexcept { return text_; }
  /// The content of a string, without escapes; empty for any other kind.
  std::string string() const;
  /// The elements of an array; none for any other kind.
  std::vector<JsonView> elements() const;
  /// The members of an object, in order; none for any other kind.
  std::vector<std::pair<std::string, JsonView>> members() const;

 private:
  std::string_view text_;
};

/// What kind of value it is, with its article: "a string".
UNDERSTUDY_API std::string_view to_string(JsonView::Kind kind) noexcept;

/// See the top of the file. Neither copyable nor movable: views point into it.
class UNDERSTUDY_API JsonDocument {
 public:
  explicit JsonDocument(std::string_view text);
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  /// The document's value, or nothing if the text is not valid JSON. The view is valid while the document and the text
  /// are.
  std::optional<JsonView> root() const;

 private:
  std::string compact_;
};

}  // namespace understudy
