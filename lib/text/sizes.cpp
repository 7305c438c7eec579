#include "text/sizes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "text/numbers.hpp"

namespace understudy::text {
namespace {

struct SizeUnit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array size_units{SizeUnit{"B", 0}, SizeUnit{"KiB", 10}, SizeUnit{"MiB", 20},
                                SizeUnit{"GiB", 30}};

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr double most = 1099511627776.0;
  const auto number = take_decimal(text);
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
  if (const auto parts = digits_and_word(text)) {
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
  while (bytes != 0 && i + 1 < size_units.size() &&
         (bytes >> size_units[i + 1].shift << size_units[i + 1].shift) == bytes) {
    ++i;
  }
  return std::to_string(bytes >> size_units[i].shift).append(size_units[i].name);
}

}  // namespace understudy::text
