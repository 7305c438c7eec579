#include "text/keys.hpp"

#include <array>
#include <charconv>

namespace understudy::text {

std::string Share::text(double value) const {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace understudy::text
