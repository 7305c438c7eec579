#include "raw_fields.hpp"

#include <charconv>

namespace understudy::llm::detail {
namespace {

/// What stands behind the colon.
std::string_view behind(std::string_view raw, std::string_view quoted) {
  for (auto at = raw.find(quoted); at != std::string_view::npos; at = raw.find(quoted, at + 1)) {
    const auto colon = raw.find_first_not_of(' ', at + quoted.size());
    if (colon != std::string_view::npos && raw[colon] == ':') {
      const auto value = raw.find_first_not_of(' ', colon + 1);
      return value == std::string_view::npos ? std::string_view() : raw.substr(value);
    }
  }
  return {};
}

/// Where the string that begins here ends: behind its closing quote.
std::size_t end_of_string(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    at += text[at] == '\\' ? 2 : 1;
  }
  return at + 1;
}

}  // namespace

std::optional<std::uint64_t> raw_number(std::string_view raw, std::string_view quoted_name) {
  const auto value = behind(raw, quoted_name);
  std::uint64_t number = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
  return read.ec == std::errc() && !value.empty() ? std::optional(number) : std::nullopt;
}

std::string_view raw_text(std::string_view raw, std::string_view quoted_name) {
  const auto value = behind(raw, quoted_name);
  if (!value.starts_with('"')) {
    return {};
  }
  const auto end = end_of_string(value);
  return end > value.size() ? std::string_view() : value.substr(1, end - 2);
}

std::string_view raw_object(std::string_view raw, std::string_view quoted_name) {
  const auto value = behind(raw, quoted_name);
  if (!value.starts_with('{')) {
    return {};
  }
  std::size_t depth = 0;
  std::size_t at = 0;
  while (at < value.size()) {
    const char c = value[at];
    if (c == '"') {
      at += end_of_string(value.substr(at));
      continue;
    }
    ++at;
    if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return value.substr(0, at);
    }
  }
  return {};
}

}  // namespace understudy::llm::detail
