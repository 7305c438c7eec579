#include "json_valid.hpp"

#include <bitset>
#include <cstdint>
#include <cstring>

namespace understudy::json {
namespace {

constexpr std::size_t deepest_nesting = 1024;

bool is_digit_at(const char* p, const char* end) { return p != end && *p >= '0' && *p <= '9'; }

const char* after_space(const char* p, const char* end) {
  while (p != end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
    ++p;
  }
  return p;
}

/// Whether one of eight bytes is a quote, a backslash or a control character.
bool has_special(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t highs = 0x8080808080808080U;
  const auto zero = [](std::uint64_t v) { return (v - ones) & ~v & highs; };
  const auto below_space = (bytes - ones * 0x20U) & ~bytes & highs;
  return (zero(bytes ^ (ones * '"')) | zero(bytes ^ (ones * '\\')) | below_space) != 0;
}

bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// `p` is after the opening quote. Returns the position after the closing one, or nullptr.
const char* after_string(const char* p, const char* end) {
  while (true) {
    std::uint64_t bytes = 0;
    while (end - p >= 8) {
      std::memcpy(&bytes, p, sizeof bytes);
      if (has_special(bytes)) {
        break;
      }
      p += 8;
    }
    while (p != end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20) {
      ++p;
    }
    if (p == end || static_cast<unsigned char>(*p) < 0x20) {
      return nullptr;
    }
    if (*p == '"') {
      return p + 1;
    }
    if (end - p < 2) {
      return nullptr;
    }
    if (p[1] == 'u') {
      if (end - p < 6 || !is_hexadecimal(p[2]) || !is_hexadecimal(p[3]) || !is_hexadecimal(p[4]) ||
          !is_hexadecimal(p[5])) {
        return nullptr;
      }
      p += 6;
    } else if (std::string_view("\"\\/bfnrt").find(p[1]) != std::string_view::npos) {
      p += 2;
    } else {
      return nullptr;
    }
  }
}

const char* after_digits(const char* p, const char* end) {
  if (!is_digit_at(p, end)) {
    return nullptr;
  }
  while (is_digit_at(p, end)) {
    ++p;
  }
  return p;
}

const char* after_number(const char* p, const char* end) {
  p += *p == '-' ? 1 : 0;
  if (p != end && *p == '0') {
    ++p;
  } else {
    p = after_digits(p, end);
  }
  if (p != nullptr && p != end && *p == '.') {
    p = after_digits(p + 1, end);
  }
  if (p != nullptr && p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    p += p != end && (*p == '+' || *p == '-') ? 1 : 0;
    p = after_digits(p, end);
  }
  return p;
}

const char* after_scalar(const char* p, const char* end) {
  const std::string_view rest(p, static_cast<std::size_t>(end - p));
  switch (*p) {
    case '"': return after_string(p + 1, end);
    case 't': return rest.starts_with("true") ? p + 4 : nullptr;
    case 'f': return rest.starts_with("false") ? p + 5 : nullptr;
    case 'n': return rest.starts_with("null") ? p + 4 : nullptr;
    default: return after_number(p, end);
  }
}

/// A member's name and its colon.
const char* after_key(const char* p, const char* end) {
  p = after_space(p, end);
  if (p == end || *p != '"') {
    return nullptr;
  }
  p = after_string(p + 1, end);
  p = p == nullptr ? nullptr : after_space(p, end);
  return p != nullptr && p != end && *p == ':' ? p + 1 : nullptr;
}

}  // namespace

bool is_valid(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  std::bitset<deepest_nesting> in_object;
  std::size_t depth = 0;
  while (true) {
    p = after_space(p, end);
    if (p == end) {
      return false;
    }
    bool opened = false;
    if (*p == '{' || *p == '[') {
      const bool object = *p == '{';
      p = after_space(p + 1, end);
      const bool none = p != end && *p == (object ? '}' : ']');
      if (none) {
        ++p;
      } else {
        if (depth == deepest_nesting) {
          return false;
        }
        in_object[depth++] = object;
        p = object ? after_key(p, end) : p;
        opened = true;
      }
    } else {
      p = after_scalar(p, end);
    }
    if (p == nullptr) {
      return false;
    }
    while (!opened) {  // a value has ended
      p = after_space(p, end);
      if (depth == 0) {
        return p == end;
      }
      if (p == end) {
        return false;
      }
      const bool object = in_object[depth - 1];
      if (*p == ',') {
        ++p;
        p = object ? after_key(p, end) : p;
        if (p == nullptr) {
          return false;
        }
        break;
      }
      if (*p != (object ? '}' : ']')) {
        return false;
      }
      ++p;
      --depth;
    }
  }
}

bool is_valid_object(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && is_valid(text);
}

}  // namespace understudy::json
