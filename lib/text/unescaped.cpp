#include "text/unescaped.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace understudy::text {
namespace {

/// What stands at the front of a text.
struct Escape {
  enum class Kind : unsigned char { none, whole, cut };

  Kind kind = Kind::none;
  std::size_t size = 1;
  char byte = 0;
};

struct HtmlName {
  std::string_view written;
  char byte;
};

constexpr std::array html_names{HtmlName{"&amp;", '&'}, HtmlName{"&lt;", '<'},
                                HtmlName{"&gt;", '>'}, HtmlName{"&quot;", '"'},
                                HtmlName{"&apos;", '\''}};

constexpr unsigned beyond_ascii = 0x80;
constexpr std::size_t most_digits = 7;  // of a reference, with leading zeros

constexpr Escape cut_off{Escape::Kind::cut, 1, 0};

std::optional<unsigned> digit(char c, unsigned base) {
  const unsigned value = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                         : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                                : base;
  return value < base ? std::optional(value) : std::nullopt;
}

/// `prefix` and as many hexadecimal digits.
Escape of_digits(std::string_view text, std::size_t prefix, std::size_t digits, unsigned bound) {
  unsigned value = 0;
  for (std::size_t i = prefix; i < prefix + digits; ++i) {
    if (i >= text.size()) {
      return cut_off;
    }
    const auto next = digit(text[i], 16);
    if (!next) {
      return {};
    }
    value = value * 16 + *next;
  }
  return value < bound ? Escape{Escape::Kind::whole, prefix + digits, static_cast<char>(value)}
                       : Escape();
}

Escape numbered(std::string_view text) {
  const bool hex = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  const std::size_t prefix = hex ? 3 : 2;
  const unsigned base = hex ? 16 : 10;
  unsigned value = 0;
  auto at = prefix;
  for (; at < text.size() && at < prefix + most_digits; ++at) {
    const auto next = digit(text[at], base);
    if (!next) {
      break;
    }
    value = value * base + *next;
  }
  if (at == text.size()) {
    return cut_off;
  }
  if (at == prefix || value >= beyond_ascii) {
    return {};
  }
  at += text[at] == ';' ? 1 : 0;  // which browsers do without
  return {Escape::Kind::whole, at, static_cast<char>(value)};
}

Escape html(std::string_view text) {
  if (text.size() == 1) {
    return cut_off;
  }
  if (text[1] == '#') {
    return numbered(text);
  }
  for (const auto& name : html_names) {
    if (text.starts_with(name.written)) {
      return {Escape::Kind::whole, name.written.size(), name.byte};
    }
    if (name.written.starts_with(text)) {
      return cut_off;
    }
  }
  return {};
}

Escape backslash(std::string_view text) {
  constexpr std::string_view themselves = "/\"'\\";
  if (text.size() == 1) {
    return cut_off;
  }
  switch (text[1]) {
    case 'u': return of_digits(text, 2, 4, beyond_ascii);
    case 'x': return of_digits(text, 2, 2, beyond_ascii);
    default: break;
  }
  return themselves.find(text[1]) == std::string_view::npos
             ? Escape()
             : Escape{Escape::Kind::whole, 2, text[1]};
}

Escape escape(std::string_view text) {
  constexpr unsigned any_byte = 256;
  switch (text.front()) {
    case '%': return of_digits(text, 1, 2, any_byte);
    case '&': return html(text);
    case '\\': return backslash(text);
    default: return {};
  }
}

}  // namespace

Unescaped unescaped(std::string_view text) {
  Unescaped plain;
  plain.bytes.reserve(text.size());
  plain.places.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto found = escape(text.substr(at));
    if (found.kind == Escape::Kind::cut) {
      break;
    }
    plain.bytes += found.kind == Escape::Kind::whole ? found.byte : text[at];
    plain.places.push_back({at, at + found.size});
    at += found.size;
  }
  return plain;
}

}  // namespace understudy::text
