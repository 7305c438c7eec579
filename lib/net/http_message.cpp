#include "understudy/net/http_message.hpp"

#include "text/ascii.hpp"

#include <algorithm>

namespace understudy {
namespace {

bool same(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return text::lowered(x) == text::lowered(y); });
}

bool of_a_token(char c) {
  return text::is_lower(text::lowered(c)) || text::is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool of_a_value(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

}  // namespace

void HttpFields::add(std::string_view name, std::string_view value) {
  if (entries_.empty()) {  // most heads then grow once or never
    entries_.reserve(8);
    text_.reserve(200);
  }
  entries_.push_back({static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

std::pair<std::string_view, std::string_view> HttpFields::operator[](std::size_t i) const noexcept {
  const auto& entry = entries_[i];
  const std::string_view text = text_;
  return {text.substr(entry.at, entry.name_size),
          text.substr(entry.at + entry.name_size, entry.value_size)};
}

std::optional<std::string_view> HttpFields::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < size(); ++i) {
    if (const auto field = (*this)[i]; same(field.first, name)) {
      return field.second;
    }
  }
  return std::nullopt;
}

bool has_token(std::string_view value, std::string_view word) noexcept {
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    auto part = value.substr(0, comma);
    while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) {
      part.remove_prefix(1);
    }
    while (!part.empty() && (part.back() == ' ' || part.back() == '\t')) {
      part.remove_suffix(1);
    }
    if (same(part, word)) {
      return true;
    }
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

bool is_valid_field(std::string_view name, std::string_view value) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), of_a_token) &&
         std::all_of(value.begin(), value.end(), of_a_value);
}

}  // namespace understudy
