/// What reading and writing a request has in common for all protocols.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json.hpp"
#include "understudy/json_writer.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy::detail {

using json::ondemand::raw_json_string;
using json::ondemand::value;

/// The value of a member of an object that is still to be read, without reading the others. The object
/// can be read from its begin afterwards, unless there is nothing: then it is malformed.
std::optional<std::string_view> peek(json::ondemand::object& object, std::string_view name,
                                     Arena& arena);

/// Reads a request's members, and keeps the first thing that is wrong with them.
class RequestReader {
 public:
  explicit RequestReader(std::string_view body)
      : parser_(json::padded_copy(body, arena_), arena_) {}

  json::Parser& parser() { return parser_; }
  Arena& arena() { return arena_; }
  const std::optional<RequestFault>& fault() const { return fault_; }

  /// Always false, to be returned.
  bool fail(std::string_view parameter, std::string_view what) {
    if (!fault_) {
      fault_.emplace(std::string(parameter) + ": " + std::string(what), std::string(parameter));
    }
    return false;
  }

  bool read(value& v, std::string_view parameter, std::string& into);
  bool read(value& v, std::string_view parameter, bool& into);
  template <class T>
  bool read(value& v, std::string_view parameter, std::optional<T>& into) {
    if (json::is_null(v)) {
      return true;
    }
    T read_value{};
    if (!read(v, parameter, read_value)) {
      return false;
    }
    into = read_value;
    return true;
  }
  bool read(value& v, std::string_view parameter, double& into);
  bool read(value& v, std::string_view parameter, std::uint64_t& into);
  bool read(value& v, std::string_view parameter, std::int64_t& into);

  /// JSON text that must be an object.
  bool read_object(value& v, std::string_view parameter, std::string& into);
  bool keep(raw_json_string key, value& v, ExtraFields& extra);

  /// Calls `each` for the elements or members; a value of another type is a fault.
  template <class Each>
  bool array(value& v, std::string_view parameter, Each each) {
    json::ondemand::array elements;
    if (v.get_array().get(elements) != simdjson::SUCCESS) {
      return fail(parameter, "must be an array");
    }
    return json::elements(elements, each) || fail(parameter, "is malformed");
  }
  template <class Each>
  bool object(value& v, std::string_view parameter, Each each) {
    json::ondemand::object members;
    if (v.get_object().get(members) != simdjson::SUCCESS) {
      return fail(parameter, "must be an object");
    }
    return json::members(members, each) || fail(parameter, "is malformed");
  }

  /// Calls `each(type, object, raw)` for an object that says its type in a member, wherever.
  template <class Each>
  bool typed(value& v, std::string_view parameter, Each each) {
    json::ondemand::object members;
    std::string_view raw;
    if (v.get_object().get(members) != simdjson::SUCCESS) {
      return fail(parameter, "must be an object");
    }
    if (members.raw_json().get(raw) != simdjson::SUCCESS) {
      return fail(parameter, "is malformed");
    }
    members.reset();
    const auto type = peek(members, "type", arena_);
    return (type && each(*type, members, raw.substr(0, raw.rfind('}') + 1))) ||
           fail(parameter, "is malformed");
  }

 private:
  Arena arena_;
  json::Parser parser_;
  std::optional<RequestFault> fault_;
};

/// Whether the text is a JSON object, all of it valid: it may then stand in a document of ours.
bool is_json_object(std::string_view text);

/// The arguments of a call as an object: `{}` if they are none.
std::string_view object_or_empty(std::string_view json);

template <class T>
void write_optional(JsonWriter& json, std::string_view name, const std::optional<T>& v) {
  if (v) {
    json.member(name, *v);
  }
}
inline void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) {
    json.member(name, text);
  }
}
void write_extra(JsonWriter& json, const ExtraFields& extra);

}  // namespace understudy::detail
