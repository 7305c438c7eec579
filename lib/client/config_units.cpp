#include "config_units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "text/ascii.hpp"
#include "understudy/net/url.hpp"

namespace understudy::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_number = 15;

struct Unit {
  std::string_view name;
  Clock::duration length;
};
constexpr std::array units{Unit{"ms", 1ms}, Unit{"s", 1s}, Unit{"m", 1min}, Unit{"h", 1h}};

struct SizeUnit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array size_units{SizeUnit{"B", 0}, SizeUnit{"KiB", 10}, SizeUnit{"MiB", 20},
                                SizeUnit{"GiB", 30}};

/// Takes digits, with a fraction or without, off the front.
std::optional<double> take_number(std::string_view& text) {
  const auto* const end =
      std::find_if(text.begin(), text.end(), [](char c) { return !text::is_digit(c) && c != '.'; });
  const auto number = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  double value = 0;
  const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value,
                                             std::chars_format::fixed);
  if (number.size() > longest_number || error != std::errc() ||
      stop != number.data() + number.size() || !text::is_digit(number.front()) ||
      !text::is_digit(number.back())) {
    return std::nullopt;
  }
  text.remove_prefix(number.size());
  return value;
}

std::optional<Clock::duration> duration_of(double number, Clock::duration unit) {
  const double length = number * static_cast<double>(unit.count());
  if (length < 1 || length > static_cast<double>(longest_duration.count())) {
    return std::nullopt;
  }
  return Clock::duration(std::llround(length));
}

/// A number, and what follows it in small letters, without spaces; nothing if that is no word.
std::optional<std::pair<std::string, std::string>> number_and_word(std::string_view text) {
  const auto split = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string word;
  for (const char c : text.substr(split)) {
    const auto small = text::lowered(c);
    if (text::is_lower(small)) {
      word += small;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  return std::pair(std::string(text.substr(0, split)), std::move(word));
}

}  // namespace

std::optional<Clock::duration> parse_duration(std::string_view text) {
  const auto number = take_number(text);
  const auto* const unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == text; });
  return number && unit != units.end() ? duration_of(*number, unit->length) : std::nullopt;
}

std::optional<Clock::duration> parse_seconds(std::string_view text) {
  auto rest = text;
  const auto number = take_number(rest);
  return number && rest.empty() ? duration_of(*number, 1s) : parse_duration(text);
}

std::string meant_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{
      {{"ms", "ms"}, {"mil", "ms"}, {"s", "s"}, {"m", "m"}, {"h", "h"}, {"", "s"}}};
  if (const auto parts = number_and_word(text)) {
    for (const auto& [word, unit] : words) {
      const auto meant = parts->first + std::string(unit);
      if (parts->second.starts_with(word) && (!word.empty() || parts->second.empty())) {
        return parse_duration(meant) ? meant : "";
      }
    }
  }
  return "";
}

std::string to_text(Clock::duration duration) {
  for (auto i = units.size(); i-- > 0;) {
    if (duration % units[i].length == Clock::duration::zero()) {
      return std::to_string(duration / units[i].length).append(units[i].name);
    }
  }
  return std::to_string(std::chrono::duration<double, std::milli>(duration).count()) + "ms";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr double most = 1099511627776.0;
  const auto number = take_number(text);
  const auto* const unit = std::find_if(size_units.begin(), size_units.end(),
                                        [&](const SizeUnit& u) { return u.name == text; });
  if (!number || unit == size_units.end()) {
    return std::nullopt;
  }
  const double size = *number * static_cast<double>(std::uint64_t{1} << unit->shift);
  return size <= most ? std::optional(static_cast<std::uint64_t>(size)) : std::nullopt;
}

std::string meant_size(std::string_view text) {
  constexpr std::array<std::pair<char, std::string_view>, 4> letters{
      {{'b', "B"}, {'k', "KiB"}, {'m', "MiB"}, {'g', "GiB"}}};
  if (const auto parts = number_and_word(text)) {
    for (const auto& [letter, unit] : letters) {
      const auto meant = parts->first + std::string(unit);
      if (parts->second.starts_with(letter)) {
        return parse_size(meant) ? meant : "";
      }
    }
  }
  return "";
}

std::string size_text(std::uint64_t bytes) {
  std::size_t i = 0;
  while (i + 1 < size_units.size() &&
         (bytes >> size_units[i + 1].shift << size_units[i + 1].shift) == bytes) {
    ++i;
  }
  return std::to_string(bytes >> size_units[i].shift).append(size_units[i].name);
}

std::optional<HostAndPort> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto host = text.substr(0, std::min(colon, text.size()));
  if (colon == std::string_view::npos ||
      (host.find(':') != std::string_view::npos && !host.ends_with(']'))) {
    return std::nullopt;
  }
  const auto port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [stop, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  // The rules for hosts are those of URLs.
  const auto url = parse_url("http://" + std::string(host));
  if (error != std::errc() || stop != port_text.data() + port_text.size() || url.has_error() ||
      !url->path.empty() || !url->user_info.empty() || text.find('#') != std::string_view::npos) {
    return std::nullopt;
  }
  return HostAndPort{url->endpoint.host, port};
}

}  // namespace understudy::detail
