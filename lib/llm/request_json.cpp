#include "request_json.hpp"

#include <charconv>

namespace understudy::detail {
namespace {

template <class Number>
bool whole_number(std::string_view token, Number& into) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') {
    token.remove_suffix(1);
  }
  const auto [rest, failure] = std::from_chars(token.data(), token.data() + token.size(), into);
  return failure == std::errc() && rest == token.data() + token.size();
}

}  // namespace

bool RequestReader::read(value& v, std::string_view parameter, std::string& into) {
  const auto text = json::string(v, arena_);
  into = text.value_or(std::string_view());
  return text || fail(parameter, "must be a string");
}

bool RequestReader::read(value& v, std::string_view parameter, bool& into) {
  into = json::is_true(v);
  return into || v.raw_json_token().starts_with('f') || fail(parameter, "must be true or false");
}

bool RequestReader::read(value& v, std::string_view parameter, double& into) {
  return whole_number(v.raw_json_token(), into) || fail(parameter, "must be a number");
}

bool RequestReader::read(value& v, std::string_view parameter, std::uint64_t& into) {
  return whole_number(v.raw_json_token(), into) ||
         fail(parameter, "must be a whole number, not negative");
}

bool RequestReader::read(value& v, std::string_view parameter, std::int64_t& into) {
  return whole_number(v.raw_json_token(), into) || fail(parameter, "must be a whole number");
}

bool RequestReader::read_object(value& v, std::string_view parameter, std::string& into) {
  into = json::raw(v);
  return into.starts_with('{') || fail(parameter, "must be an object");
}

bool RequestReader::keep(raw_json_string key, value& v, ExtraFields& extra) {
  const auto name = json::name(key);
  const auto text = json::raw(v);
  extra.emplace_back(json::unescaped(name, arena_).value_or(name), text);
  return !text.empty() || fail(name, "is malformed");
}

std::optional<std::string_view> peek(json::ondemand::object& object, std::string_view name,
                                     Arena& arena) {
  value found;
  const auto failure = object.find_field_unordered(name).get(found);
  if (failure != simdjson::SUCCESS && failure != simdjson::NO_SUCH_FIELD) {
    return std::nullopt;
  }
  const auto text = failure == simdjson::SUCCESS ? json::text(found, arena) : std::string_view();
  object.reset();
  return text;
}

bool is_json_object(std::string_view text) {
  simdjson::dom::parser parser;
  return !text.empty() && parser.parse(text.data(), text.size()).is_object();
}

std::string_view object_or_empty(std::string_view json) {
  return is_json_object(json) ? json : std::string_view("{}");
}

void write_extra(JsonWriter& json, const ExtraFields& extra) {
  for (const auto& [name, text] : extra) {
    json.key(name).raw(text);
  }
}

}  // namespace understudy::detail
