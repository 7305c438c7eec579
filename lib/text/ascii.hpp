/// Characters of protocols, which are ASCII whatever the locale says.
#pragma once

#include <string>
#include <string_view>

namespace understudy::text {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lowered(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string in_lower_case(std::string_view words) {
  std::string out(words);
  for (char& c : out) {
    c = lowered(c);
  }
  return out;
}

}  // namespace understudy::text
