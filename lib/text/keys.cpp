#include "text/keys.hpp"

#include <array>
#include <charconv>

namespace understudy::text {

namespace {

std::string digits_of(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace

std::string Share::text(double value) const { return digits_of(value); }
std::string Number::text(double value) const { return digits_of(value); }

std::string Strings::text(const std::vector<std::string>& value) const {
  std::string out;
  for (const auto& one : value) {
    out.append(out.empty() ? "[" : ", ").append(in_quotes(one));
  }
  return out.empty() ? out : out + "]";
}

}  // namespace understudy::text
