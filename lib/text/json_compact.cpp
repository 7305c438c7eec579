// Compact JSON text: how it is made, and how it is read.
#include "json_tree.hpp"

#include <algorithm>

#include "json_valid.hpp"
#include "numbers.hpp"
#include "understudy/text/json_writer.hpp"
#include "utf16_halves.hpp"

namespace understudy::json {
namespace {

using ondemand::raw_json_string;
using ondemand::value;

/// The code of the escape `\uXXXX` at `at`; 0: there is none.
std::uint32_t escaped_code(std::string_view json, std::size_t at) {
  const auto escape = json.substr(std::min(at, json.size()), 6);
  return escape.size() == 6 && escape.starts_with("\\u")
             ? text::hexadecimal_from<std::uint32_t>(escape.substr(2)).value_or(0)
             : 0;
}

/// Writes one document.
class Compacting {
 public:
  Compacting(text::Arena& arena, std::string& out) : arena_(arena), out_(out) {}

  bool put(value v, int depth) {
    const auto token = v.raw_json_token();
    if (token.starts_with('{')) {
      ondemand::object object;
      return depth > 0 && v.get_object().get(object) == simdjson::SUCCESS && put(object, depth);
    }
    if (token.starts_with('[')) {
      ondemand::array array;
      return depth > 0 && v.get_array().get(array) == simdjson::SUCCESS && put(array, depth);
    }
    if (token.starts_with('"')) {
      const auto text = inside(token);
      return text && put_string(*text);
    }
    return put_scalar(raw(v));
  }

  bool put(ondemand::object& object, int depth) {
    out_ += '{';
    bool first = true;
    const bool whole = members(object, [&](raw_json_string key, value& v) {
      out_ += first ? "" : ",";
      first = false;
      if (!put_string(name(key))) {
        return false;
      }
      out_ += ':';
      return put(v, depth - 1);
    });
    out_ += '}';
    return whole;
  }

 private:
  bool put(ondemand::array& array, int depth) {
    out_ += '[';
    bool first = true;
    const bool whole = elements(array, [&](value& v) {
      out_ += first ? "" : ",";
      first = false;
      return put(v, depth - 1);
    });
    out_ += ']';
    return whole;
  }

  bool put_string(std::string_view inside) {
    out_ += '"';
    out_ += inside;
    out_ += '"';
    return inside.find('\\') == std::string_view::npos || unescaped(inside, arena_).has_value();
  }

  bool put_scalar(std::string_view text) {
    const bool infinite = text == "NaN" || text == "Infinity" || text == "-Infinity";
    out_ += infinite ? "null" : text;
    return infinite || is_valid(text);
  }

  text::Arena& arena_;
  std::string& out_;
};

}  // namespace

const char* append_compact(std::string_view padded, text::Arena& arena, std::string& out) {
  Parser parser(padded, arena);
  auto object = parser.object();
  if (!object) {
    return parser.why();
  }
  const auto before = out.size();
  if (!Compacting(arena, out).put(*object, deepest)) {
    out.resize(before);
    return malformed;
  }
  return nullptr;
}

std::string compact_object(std::string_view text) {
  text::Arena arena;
  std::string out;
  Parser parser(padded_copy(text, arena), arena);
  auto object = parser.object();
  const bool whole = object && Compacting(arena, out).put(*object, deepest) && parser.at_end();
  return whole ? out : std::string();
}

std::size_t detail::value_end(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  while (true) {
    switch (json[at]) {
      case '"':
        for (++at; json[at] != '"'; ++at) {
          at += json[at] == '\\' ? 1 : 0;
        }
        ++at;
        break;
      case '{':
      case '[':
        ++depth;
        ++at;
        continue;
      case '}':
      case ']':
        --depth;
        ++at;
        break;
      case ',':
      case ':': ++at; continue;
      default: at = std::min(json.find_first_of(",]}", at), json.size()); break;
    }
    if (depth == 0) {
      return at;
    }
  }
}

std::string_view member_of(std::string_view object, std::string_view name) {
  std::string_view found;
  each_member(object, [&](std::string_view key, std::string_view value) {
    found = key == name ? value : found;
    return true;
  });
  return found;
}

std::string unescaped_text(std::string_view value) {
  text::Arena arena;
  return std::string(unescaped(inside_of(value), arena).value_or(std::string_view()));
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + '"';
}

void replace_lone_surrogates(std::string& json) {
  constexpr std::size_t length = 6;  // of an escape
  for (auto at = json.find('\\'); at != std::string::npos; at = json.find('\\', at)) {
    const auto code = escaped_code(json, at);
    if (code == 0) {
      at += 2;
    } else if (text::is_high_half(code) && text::is_low_half(escaped_code(json, at + length))) {
      at += 2 * length;
    } else {
      if (text::is_high_half(code) || text::is_low_half(code)) {
        json.replace(at, length, "\\ufffd");
      }
      at += length;
    }
  }
}

}  // namespace understudy::json
