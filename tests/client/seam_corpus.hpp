/// The answers of tests/data/seam: `@@ name` on a line of its own begins one, `{U+00A0}` is that character.
#pragma once

#include <charconv>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seam_corpus {

class CorpusAnswer {
 public:
  std::string name;  // kind/name
  std::string text;
};

inline std::string utf8(char32_t c) {
  const auto byte = [](std::uint32_t b) { return static_cast<char>(b); };
  if (c < 0x80) {
    return {byte(c)};
  }
  const auto trail = [&](unsigned shift) { return byte(0x80U | (c >> shift & 0x3FU)); };
  if (c < 0x800) {
    return {byte(0xC0U | c >> 6U), trail(0)};
  }
  if (c < 0x10000) {
    return {byte(0xE0U | c >> 12U), trail(6), trail(0)};
  }
  return {byte(0xF0U | c >> 18U), trail(12), trail(6), trail(0)};
}

inline std::string without_escapes(std::string_view text) {
  std::string plain;
  for (auto at = text.find("{U+"); at != std::string_view::npos; at = text.find("{U+")) {
    plain += text.substr(0, at);
    std::uint32_t c = 0;
    const auto* end = std::from_chars(text.data() + at + 3, text.data() + text.size(), c, 16).ptr;
    if (end == text.data() + text.size() || *end != '}') {
      throw std::runtime_error("a broken escape in " + std::string(text));
    }
    plain += utf8(c);
    text.remove_prefix(static_cast<std::size_t>(end + 1 - text.data()));
  }
  return plain.append(text);
}

inline std::vector<CorpusAnswer> answers_of(const std::string& kind) {
  std::ifstream file(UNDERSTUDY_TEST_DATA "/seam/" + kind + ".txt", std::ios::binary);
  if (!file) {
    throw std::runtime_error("no answers of kind " + kind);
  }
  std::vector<CorpusAnswer> all;
  for (std::string line; std::getline(file, line);) {
    const bool begins =
        line.starts_with("@@ ") &&
        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789", 3) == std::string::npos;
    if (begins) {
      all.push_back({kind + "/" + line.substr(3), {}});
    } else {
      auto& text = all.at(all.size() - 1).text;
      text.append(text.empty() ? "" : "\n").append(without_escapes(line));
    }
  }
  return all;
}

}  // namespace seam_corpus
