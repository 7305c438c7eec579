/// The small part of regular expressions that the patterns of backends.json use, matched in linear time on any text.
/// (std::regex recurses per character, which overflows the stack on long ids.)
#pragma once

#include <bitset>
#include <cstddef>
#include <limits>
#include <string_view>
#include <vector>

namespace understudy::testing::strict {

/// `^`, then characters and classes `[a-z]`, each with `+`, `{n}`, `{m,n}` or nothing, then `$`. Greedy without
/// backtracking: no part may match what the next one needs.
class Pattern {
 public:
  /// Throws std::invalid_argument for anything else.
  explicit Pattern(std::string_view expression);

  bool matches(std::string_view text) const noexcept;

 private:
  struct Part {
    std::bitset<256> taken;
    std::size_t least = 1;
    std::size_t most = 1;
  };

  std::vector<Part> parts_;
};

}  // namespace understudy::testing::strict
