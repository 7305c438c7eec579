#include "text/suggestions.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "text/ascii.hpp"

namespace understudy::text {
namespace {

constexpr std::size_t longest_excerpt = 60;

char folded(char c) { return c == '-' ? '_' : lowered(c); }

/// Insertions, deletions, replacements and swaps of neighbors (Damerau, restricted).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
          folded(a[i - 2]) == folded(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates) {
  std::string_view best;
  if (written.size() > longest_excerpt) {
    return best;
  }
  std::size_t least = std::max<std::size_t>(1, written.size() / 3) + 1;
  for (const auto candidate : candidates) {
    if (const auto d = distance(written, candidate); d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

std::string excerpt(std::string_view text) {
  auto size = std::min(text.size(), longest_excerpt);
  while (size < text.size() && size > 0 &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  std::string out(text.substr(0, size));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return size < text.size() ? out + "..." : out;
}

std::string ticked(std::string_view key) { return "`" + excerpt(key) + "`"; }

std::string in_quotes(std::string_view text) { return std::string("\"").append(text).append("\""); }

std::string list_of(std::span<const std::string_view> words, std::string_view quote) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) {
      out += i + 1 == words.size() ? " or " : ", ";
    }
    out.append(quote).append(excerpt(words[i])).append(quote);
  }
  return out;
}

std::string list_of_strings(std::span<const std::string_view> words) {
  std::vector<std::string> strings(words.size());
  std::transform(words.begin(), words.end(), strings.begin(), in_quotes);
  return list_of(std::vector<std::string_view>(strings.begin(), strings.end()));
}

}  // namespace understudy::text
