/// Text without its escapes, and where each of its bytes was written.
///
/// Invariants
/// 1. Percent-encoding (`%2f`), HTML's references (`&amp;`, `&#47;`, `&#x2F`) and JSON's and C's escapes (`\/`, `\u002f`,
///    `\x2f`) are read, mixed as they come, one layer of them. All else stays as it is.
/// 2. References and `\u` beyond ASCII stay as they are.
/// 3. An escape that the end of the text cuts off is left out.
///
///     const auto plain = unescaped("a%2Fb");
///     assert(plain.bytes == "a/b" && plain.places[1].begin == 1 && plain.places[1].end == 4);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::text {

class Place {
 public:
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// See the top of the file.
class Unescaped {
 public:
  std::string bytes;
  std::vector<Place> places;  ///< of each byte
};

Unescaped unescaped(std::string_view text);

}  // namespace understudy::text
