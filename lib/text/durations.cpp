#include "text/durations.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "text/numbers.hpp"

namespace understudy::text {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

struct DurationUnit {
  std::string_view name;
  nanoseconds length;
};
constexpr std::array duration_units{DurationUnit{"ms", 1ms}, DurationUnit{"s", 1s},
                                    DurationUnit{"m", 1min}, DurationUnit{"h", 1h}};

std::optional<nanoseconds> duration_of(double number, nanoseconds unit) {
  const double length = number * static_cast<double>(unit.count());
  if (length < 1 || length > static_cast<double>(longest_duration.count())) {
    return std::nullopt;
  }
  return nanoseconds(std::llround(length));
}

}  // namespace

std::optional<nanoseconds> parse_duration(std::string_view text) {
  const auto number = take_decimal(text);
  const auto* const unit = std::find_if(duration_units.begin(), duration_units.end(),
                                        [&](const DurationUnit& u) { return u.name == text; });
  return number && unit != duration_units.end() ? duration_of(*number, unit->length) : std::nullopt;
}

std::optional<nanoseconds> parse_seconds(std::string_view text) {
  auto rest = text;
  const auto number = take_decimal(rest);
  return number && rest.empty() ? duration_of(*number, 1s) : parse_duration(text);
}

std::string meant_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{
      {{"ms", "ms"}, {"mil", "ms"}, {"s", "s"}, {"m", "m"}, {"h", "h"}, {"", "s"}}};
  if (const auto parts = digits_and_word(text)) {
    for (const auto& [word, unit] : words) {
      const auto meant = parts->first + std::string(unit);
      if (parts->second.starts_with(word) && (!word.empty() || parts->second.empty())) {
        return parse_duration(meant) ? meant : "";
      }
    }
  }
  return "";
}

std::string duration_text(nanoseconds duration) {
  for (auto i = duration_units.size(); i-- > 0;) {
    const auto& unit = duration_units[i];
    if (duration % unit.length == nanoseconds::zero()) {
      return std::to_string(duration / unit.length).append(unit.name);
    }
  }
  return std::to_string(std::chrono::duration<double, std::milli>(duration).count()) + "ms";
}

}  // namespace understudy::text
