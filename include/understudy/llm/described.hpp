/// JSON Schema, reading and writing of the program's own types, which are described once with Boost.Describe: for the
/// arguments of tools and for structured output.
///
/// Invariants
/// 1. The schema of a type accepts what `from_json` accepts, and `from_json` reads what `to_json` writes.
/// 2. Types: bool, integers, floating point, std::string, described enums (as the names of their enumerators), described
///    structs, and std::optional, std::vector and std::map<std::string, T> of these. An optional member may be missing or
///    null; every other one is required. Members that the type does not have are an error, not ignored.
/// 3. An error says where and what, in words that a model can correct itself by.
///
///     // struct LevelQuery { std::string tank; std::optional<int> digits; };
///     // BOOST_DESCRIBE_STRUCT(LevelQuery, (), (tank, digits))
///     const auto schema = schema_of<LevelQuery>({{"tank", "north, south or west"}});
///     const auto query = from_json<LevelQuery>(R"({"tank": "north"})");
///     if (!query) { std::cerr << to_string(query.error()); }
#pragma once

#include <boost/mp11/algorithm.hpp>
#include <boost/system/result.hpp>
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/llm/detail/described_reader.hpp"
#include "understudy/llm/json_mismatch.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {

/// The value, or the first place at which the JSON text does not fit its type.
template <class T>
using FromJson = boost::system::result<T, JsonMismatch>;

/// Descriptions of members for the model: pairs of a member's name and its description.
using MemberNotes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

namespace detail {

/// Throws std::invalid_argument: a note is for a member that the type does not have.
[[noreturn]] UNDERSTUDY_API void throw_unknown_note(std::string_view name);

template <class T>
void write_schema(JsonWriter& json, MemberNotes notes, std::string_view description);

template <DescribedStruct T>
void write_properties(JsonWriter& json, MemberNotes notes) {
  for (const auto& [name, note] : notes) {
    bool known = false;
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto d) { known = known || d.name == name; });
    if (!known) {
      throw_unknown_note(name);
    }
  }
  json.key("properties").begin_object();
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto d) {
    std::string_view note;
    for (const auto& [name, words] : notes) {
      note = name == d.name ? words : note;
    }
    json.key(d.name);
    write_schema<MemberType<T, decltype(d)>>(json, {}, note);
  });
  json.end_object().key("required").begin_array();
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto d) {
    if constexpr (!is_optional<MemberType<T, decltype(d)>>) {
      json.value(d.name);
    }
  });
  json.end_array().member("additionalProperties", false);
}

template <class T>
void write_schema(JsonWriter& json, MemberNotes notes, std::string_view description) {
  if constexpr (is_optional<T>) {
    write_schema<typename T::value_type>(json, notes, description);
  } else {
    json.begin_object();
    if (!description.empty()) {
      json.member("description", description);
    }
    if constexpr (std::same_as<T, bool>) {
      json.member("type", "boolean");
    } else if constexpr (DescribedEnum<T>) {
      json.member("type", "string").key("enum").begin_array();
      boost::mp11::mp_for_each<EnumeratorsOf<T>>([&](auto d) { json.value(d.name); });
      json.end_array();
    } else if constexpr (std::integral<T>) {
      json.member("type", "integer");
    } else if constexpr (std::floating_point<T>) {
      json.member("type", "number");
    } else if constexpr (std::same_as<T, std::string>) {
      json.member("type", "string");
    } else if constexpr (is_vector<T>) {
      json.member("type", "array").key("items");
      write_schema<typename T::value_type>(json, {}, {});
    } else if constexpr (is_map<T>) {
      json.member("type", "object").key("additionalProperties");
      write_schema<typename T::mapped_type>(json, {}, {});
    } else {
      static_assert(DescribedStruct<T>, "describe this type with BOOST_DESCRIBE_STRUCT or _ENUM");
      json.member("type", "object");
      write_properties<T>(json, notes);
    }
    json.end_object();
  }
}

template <class T>
void write_value(JsonWriter& json, const T& value) {
  if constexpr (is_optional<T>) {
    value ? write_value(json, *value) : void(json.null());
  } else if constexpr (DescribedEnum<T>) {
    boost::mp11::mp_for_each<EnumeratorsOf<T>>([&](auto d) {
      if (value == d.value) {
        json.value(d.name);
      }
    });
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    json.value(value);
  } else if constexpr (is_vector<T>) {
    json.begin_array();
    for (const auto& one : value) {
      write_value<typename T::value_type>(json, one);
    }
    json.end_array();
  } else if constexpr (is_map<T>) {
    json.begin_object();
    for (const auto& [name, one] : value) {
      json.key(name);
      write_value(json, one);
    }
    json.end_object();
  } else {
    static_assert(DescribedStruct<T>, "describe this type with BOOST_DESCRIBE_STRUCT or _ENUM");
    json.begin_object();
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto d) {
      json.key(d.name);
      write_value(json, value.*d.pointer);
    });
    json.end_object();
  }
}

}  // namespace detail

/// The JSON Schema of a described struct, for `Tool::schema` and `OutputFormat::schema`. Throws std::invalid_argument if
/// a note is for a member that the struct does not have.
template <detail::DescribedStruct T>
std::string schema_of(MemberNotes notes = {}) {
  std::string out;
  JsonWriter json(out);
  detail::write_schema<T>(json, notes, {});
  return out;
}

/// Reads a described struct from the text of a JSON object. Linear in the text, times its depth (128 at most).
template <detail::DescribedStruct T>
FromJson<T> from_json(std::string_view text) {
  const JsonDocument document(text);
  const auto root = document.root();
  if (!root) {
    return JsonMismatch({}, "the text is not a JSON object");
  }
  T value{};
  detail::DescribedReader reader;
  if (!reader.read(*root, value)) {
    return std::move(reader).mismatch();
  }
  return value;
}

/// A described struct as a JSON object. An optional member without a value is null.
template <detail::DescribedStruct T>
std::string to_json(const T& value) {
  std::string out;
  JsonWriter json(out);
  detail::write_value(json, value);
  return out;
}

}  // namespace understudy::llm
