/// Numbers in texts, whatever the locale says.
///
///     number_from<std::uint16_t>("8080");  // 8080
///     number_from<std::uint16_t>("8080x");  // nothing
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace understudy::text {

/// The whole text as a number. Nothing if anything else is in it, or if the number does not fit.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto* const begin = text.data();
  const auto* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

/// The whole text as a hexadecimal number, without a prefix.
template <std::integral Number>
std::optional<Number> hexadecimal_from(std::string_view text) {
  constexpr int base = 16;
  Number number{};
  const auto* const begin = text.data();
  const auto* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number, base);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

/// Removes digits, with a fraction ("1.5") or without, from the beginning. At most 15 characters; no sign, no
/// exponent.
std::optional<double> take_decimal(std::string_view& text);

/// A text that is a number and a word, for guessing what was meant: the digits, and the letters behind them in
/// lower case without spaces ("3 Min" is "3" and "min"). Nothing if there is anything but letters behind the digits.
std::optional<std::pair<std::string, std::string>> digits_and_word(std::string_view text);

}  // namespace understudy::text
