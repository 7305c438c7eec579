#include "text/numbers.hpp"

#include <algorithm>

#include "text/ascii.hpp"

namespace understudy::text {

std::optional<double> take_decimal(std::string_view& text) {
  constexpr std::size_t longest = 15;
  const auto number = text.substr(0, std::min(text.find_first_not_of("0123456789."), text.size()));
  double value = 0;
  const auto* const begin = number.data();
  const auto* const end = begin + number.size();
  const auto [stop, error] = std::from_chars(begin, end, value, std::chars_format::fixed);
  if (number.size() > longest || error != std::errc() || stop != end || !is_digit(number.front()) ||
      !is_digit(number.back())) {
    return std::nullopt;
  }
  text.remove_prefix(number.size());
  return value;
}

std::optional<std::pair<std::string, std::string>> digits_and_word(std::string_view text) {
  const auto split = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string word;
  for (const char c : text.substr(split)) {
    const auto small = lowered(c);
    if (is_lower(small)) {
      word += small;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  return std::pair(std::string(text.substr(0, split)), std::move(word));
}

}  // namespace understudy::text
