/// simdjson's DOM as the doubles read it: what is missing or of another type is nothing.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace understudy::testing::strict {

using Json = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

inline std::optional<JsonObject> object_of(std::optional<Json> value) {
  JsonObject object;
  return value && value->get(object) == simdjson::SUCCESS ? std::optional(object) : std::nullopt;
}

inline std::optional<JsonArray> array_of(std::optional<Json> value) {
  JsonArray array;
  return value && value->get(array) == simdjson::SUCCESS ? std::optional(array) : std::nullopt;
}

inline std::optional<std::string_view> string_of(std::optional<Json> value) {
  std::string_view text;
  return value && value->get(text) == simdjson::SUCCESS ? std::optional(text) : std::nullopt;
}

inline std::optional<bool> bool_of(std::optional<Json> value) {
  bool flag = false;
  return value && value->get(flag) == simdjson::SUCCESS ? std::optional(flag) : std::nullopt;
}

inline std::optional<double> number_of(std::optional<Json> value) {
  double number = 0;
  return value && value->get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
}

/// The member of that name. Of duplicates, the first.
inline std::optional<Json> member(JsonObject object, std::string_view name) {
  Json value;
  return object.at_key(name).get(value) == simdjson::SUCCESS ? std::optional(value) : std::nullopt;
}
inline std::optional<Json> member(std::optional<Json> value, std::string_view name) {
  const auto object = object_of(value);
  return object ? member(*object, name) : std::nullopt;
}

inline std::optional<Json> member(Json value, std::string_view name) {
  return member(std::optional(value), name);
}

/// The same, but null counts as missing.
template <class Value>
std::optional<Json> present(Value value, std::string_view name) {
  const auto found = member(value, name);
  return found && !found->is_null() ? found : std::nullopt;
}

/// The text of a string, else an empty one.
template <class Value>
std::string_view text_of(Value value, std::string_view name) {
  return string_of(member(value, name)).value_or(std::string_view());
}

inline std::string minified(Json value) { return simdjson::to_string(value); }

/// A number as a message shows it: 16, 1.5.
std::string shown(double number);

/// A scalar as a message shows it: a string without quotes.
inline std::string shown(Json value) {
  const auto text = string_of(value);
  return text ? std::string(*text) : minified(value);
}

}  // namespace understudy::testing::strict
