#include "testing/strict/pattern.hpp"

#include <charconv>
#include <stdexcept>
#include <string>

namespace understudy::testing::strict {
namespace {

std::size_t repetitions(std::string_view digits) {
  std::size_t n = 0;
  const char* const begin = digits.data();
  const char* const end = begin + digits.size();
  if (std::from_chars(begin, end, n).ptr != end || digits.empty()) {
    throw std::invalid_argument("pattern: not a number of repetitions");
  }
  return n;
}

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

}  // namespace

Pattern::Pattern(std::string_view expression) {
  const auto fail = [&] { throw std::invalid_argument("pattern: " + std::string(expression)); };
  if (!expression.starts_with('^') || !expression.ends_with('$')) {
    fail();
  }
  auto rest = expression.substr(1, expression.size() - 2);
  while (!rest.empty()) {
    Part part;
    if (rest.starts_with('[')) {
      const auto end = rest.find(']');
      if (end == std::string_view::npos) {
        fail();
      }
      const auto inside = rest.substr(1, end - 1);
      for (std::size_t i = 0; i < inside.size(); ++i) {
        if (i + 2 < inside.size() && inside[i + 1] == '-') {
          for (unsigned c = byte(inside[i]); c <= byte(inside[i + 2]); ++c) {
            part.taken.set(c);
          }
          i += 2;
        } else {
          part.taken.set(byte(inside[i]));
        }
      }
      rest.remove_prefix(end + 1);
    } else {
      if (std::string_view("\\().*?+{}|").find(rest.front()) != std::string_view::npos) {
        fail();
      }
      part.taken.set(byte(rest.front()));
      rest.remove_prefix(1);
    }
    if (rest.starts_with('+')) {
      part.most = std::numeric_limits<std::size_t>::max();
      rest.remove_prefix(1);
    } else if (rest.starts_with('{')) {
      const auto end = rest.find('}');
      if (end == std::string_view::npos) {
        fail();
      }
      const auto inside = rest.substr(1, end - 1);
      const auto comma = inside.find(',');
      part.least = repetitions(inside.substr(0, comma));
      part.most =
          comma == std::string_view::npos ? part.least : repetitions(inside.substr(comma + 1));
      rest.remove_prefix(end + 1);
    }
    parts_.push_back(part);
  }
}

bool Pattern::matches(std::string_view text) const noexcept {
  for (const auto& part : parts_) {
    std::size_t n = 0;
    while (n < part.most && n < text.size() && part.taken.test(byte(text[n]))) {
      ++n;
    }
    if (n < part.least) {
      return false;
    }
    text.remove_prefix(n);
  }
  return text.empty();
}

}  // namespace understudy::testing::strict
