/// Writes valid JSON text into a string.
///
/// Invariants
/// 1. The output is valid UTF-8 for any input: an invalid sequence is replaced by U+FFFD.
/// 2. The writer inserts commas and colons. The caller must match begin and end calls, and give each member of an
///    object a key.
///
///     std::string out;
///     JsonWriter json(out);
///     json.begin_object().member("reason", "timeout").member("attempts", 2).end_object();
///     // {"reason":"timeout","attempts":2}
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy {

/// See the top of the file. The string must outlive the writer.
class UNDERSTUDY_API JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  /// Begins an object. Members follow: key() and a value each, or member().
  JsonWriter& begin_object() { return open('{'); }
  /// Ends it.
  JsonWriter& end_object() { return close('}'); }
  /// Begins an array.
  JsonWriter& begin_array() { return open('['); }
  /// Ends it.
  JsonWriter& end_array() { return close(']'); }

  /// The name of the next member.
  JsonWriter& key(std::string_view name);

  /// A string. What is not UTF-8 in it is replaced.
  JsonWriter& value(std::string_view text);
  /// A string that ends with a zero byte.
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);  ///< a number that is not finite is written as null
  /// `null`.
  JsonWriter& null() { return raw("null"); }

  /// A number, or `true` and `false`.
  template <class T>
    requires std::integral<T>
  JsonWriter& value(T number) {
    if constexpr (std::same_as<T, bool>) {
      return raw(number ? "true" : "false");
    } else if constexpr (std::signed_integral<T>) {
      return integer(static_cast<std::int64_t>(number));
    } else {
      return integer(static_cast<std::uint64_t>(number));
    }
  }

  /// Writes text that is already valid JSON, as one value.
  JsonWriter& raw(std::string_view json);

  /// A name and a value of any of these types.
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& integer(std::uint64_t number);
  void separate();

  std::string& out_;
  bool comma_ = false;
};

/// Appends `text` as the content of a JSON string, without the quotes: escaped, and as valid UTF-8.
UNDERSTUDY_API void append_json_escaped(std::string& out, std::string_view text);

}  // namespace understudy
