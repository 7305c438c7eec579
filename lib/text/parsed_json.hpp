/// JSON text that is read as a whole.
///
/// Invariants
/// 1. Any bytes are valid input. Without memory it throws std::bad_alloc, which says nothing about the text.
///
///     const ParsedJson parsed(text);
///     if (const auto* const root = parsed.root()) { read(*root); }
#pragma once

#include <simdjson.h>

#include <new>
#include <string_view>

namespace understudy::text {

class ParsedJson {
 public:
  explicit ParsedJson(std::string_view text) : padded_(text) {
    const auto failure = parser_.parse(padded_).get(root_);
    if (failure == simdjson::MEMALLOC) {
      throw std::bad_alloc();
    }
    valid_ = failure == simdjson::SUCCESS;
  }
  ParsedJson(const ParsedJson&) = delete;
  ParsedJson& operator=(const ParsedJson&) = delete;

  /// Returns the value, which lives as long as this, or null if the text is not well-formed.
  const simdjson::dom::element* root() const noexcept { return valid_ ? &root_ : nullptr; }

 private:
  simdjson::padded_string padded_;
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  bool valid_ = false;
};

}  // namespace understudy::text
