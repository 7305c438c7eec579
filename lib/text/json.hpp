/// simdjson On-Demand as the codecs use it: in place, throwing nothing but std::bad_alloc, text as views.
///
/// A string without escapes is a view into the document; one with escapes is unescaped into an arena.
/// (simdjson's own `get_string` copies each string into the parser, where it lives until the next document;
/// ours live until the next read, and so one parser a thread serves every stream.)
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "understudy/text/detail/arena.hpp"

namespace understudy::json {

namespace ondemand = simdjson::ondemand;
using text::Arena;

/// This many bytes after a document may be read.
inline constexpr std::size_t padding = 64;
static_assert(padding >= simdjson::SIMDJSON_PADDING);

inline constexpr const char* malformed = "malformed JSON";  // as a reader says it

/// A parser for one document of that size. It is this thread's: one document at a time.
class Parser {
 public:
  /// `padded`: at least `padding` bytes after it may be read, and the first is not a brace: after one
  /// simdjson finds faults in malformed JSON that it does not find otherwise. Invalid UTF-8 is replaced, in
  /// a copy.
  Parser(std::string_view padded, text::Arena& arena);

  /// Nothing if the text is not a JSON object; `why` says so then.
  std::optional<ondemand::object> object();
  /// The same for an array. Of `object` and `array`, only one may be called, and once.
  std::optional<ondemand::array> array();
  const char* why() const { return why_; }
  /// What is parsed, of which all views are parts: the document, or the copy that was made of it.
  std::string_view text() const { return text_; }

  /// Whether nothing follows the object, which was read to its end.
  bool at_end() { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }

 private:
  std::optional<ondemand::parser>
      own_;  // for a large document: the thread's must not grow to its size
  ondemand::document document_;
  std::string_view text_;
  const char* why_ = nullptr;
};

/// A copy with padding, of which the first byte is a line's end.
std::string_view padded_copy(std::string_view text, text::Arena& arena);

/// The inside of the string token `"..."` at the begin of `token`, as it is written; nothing if it is none.
inline std::optional<std::string_view> inside(std::string_view token) {
  auto size = token.size();
  while (size > 0 && static_cast<unsigned char>(token[size - 1]) <= ' ') {
    --size;
  }
  if (size < 2 || token.front() != '"' || token[size - 1] != '"') {
    return std::nullopt;
  }
  return token.substr(1, size - 2);
}

/// With its escapes resolved: a lone surrogate becomes U+FFFD. Nothing if an escape is none of JSON's.
std::optional<std::string_view> unescaped(std::string_view inside, text::Arena& arena);

/// The same for a piece of a longer text, which may begin or end within a character: half of a surrogate pair at
/// either end is kept, as the three bytes that UTF-8 would have for it (`text/utf16_halves.hpp`).
std::optional<std::string_view> unescaped_piece(std::string_view inside, text::Arena& arena);

/// The same from a value. It is not consumed; nothing if it is no string.
inline std::optional<std::string_view> raw_string(ondemand::value& value) {
  return inside(value.raw_json_token());
}
inline std::optional<std::string_view> string(ondemand::value& value, text::Arena& arena) {
  const auto raw = raw_string(value);
  return raw ? unescaped(*raw, arena) : std::nullopt;
}

inline std::optional<std::string_view> string_piece(ondemand::value& value, text::Arena& arena) {
  const auto raw = raw_string(value);
  return raw ? unescaped_piece(*raw, arena) : std::nullopt;
}

/// The text of a string, or an empty one for anything else: what providers put where a string belongs.
inline std::string_view text(ondemand::value& value, text::Arena& arena) {
  return string(value, arena).value_or(std::string_view());
}

inline bool is_null(ondemand::value& value) { return value.raw_json_token().starts_with('n'); }
inline bool is_true(ondemand::value& value) { return value.raw_json_token().starts_with('t'); }

/// A count. Nothing if it is no number, or negative. "12.0" is 12.
std::optional<std::uint64_t> count(std::string_view token);
inline std::optional<std::uint64_t> count(ondemand::value& value) {
  const auto token = value.raw_json_token();
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return token.size() == 1 && digit(token[0]) ? std::optional<std::uint64_t>(token[0] - '0')
                                              : count(token);
}

/// The JSON text of any value, without white space around it. Consumes it. Empty if it is malformed.
std::string_view raw(ondemand::value& value);

/// The text of a scalar as it stands, a string's without quotes: for `code`, which may be a number.
std::string_view scalar(ondemand::value& value, text::Arena& arena);

/// Calls `each(key, value)` for every member, the key as it is written. Returns whether the object was
/// well-formed to its end; stops early, and returns false, where `each` returns false.
///
/// `each` is inlined, and should hand the value on to other functions in a copy of its own: one whose
/// address is known is written to memory in halves and read back whole for every member, which costs more
/// than all the rest.
template <class Each>
[[gnu::always_inline]] inline bool members(ondemand::object object, Each each) {
  for (auto field : object) {
    if (field.error() != simdjson::SUCCESS) {
      return false;
    }
    auto& pair = field.value_unsafe();
    if (!each(pair.key(), pair.value())) {
      return false;
    }
  }
  return true;
}

template <class Each>
[[gnu::always_inline]] inline bool elements(ondemand::array array, Each each) {
  for (auto element : array) {
    if (element.error() != simdjson::SUCCESS || !each(element.value_unsafe())) {
      return false;
    }
  }
  return true;
}

/// The same where the value may be something else, which is passed over.
template <class Each>
[[gnu::always_inline]] inline bool members_of(ondemand::value& value, Each each) {
  ondemand::object object;
  return !value.raw_json_token().starts_with('{') ||
         (value.get_object().get(object) == simdjson::SUCCESS && members(object, each));
}
template <class Each>
[[gnu::always_inline]] inline bool elements_of(ondemand::value& value, Each each) {
  ondemand::array array;
  return !value.raw_json_token().starts_with('[') ||
         (value.get_array().get(array) == simdjson::SUCCESS && elements(array, each));
}

/// The key as it is written.
std::string_view name(ondemand::raw_json_string key);

}  // namespace understudy::json
