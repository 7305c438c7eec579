#include <algorithm>
#include <array>
#include <span>

#include "text/ascii.hpp"
#include "understudy/llm/catalog/catalog.hpp"

namespace understudy::llm {
namespace {

using text::is_digit;

/// Names are not longer than this; what follows says nothing about the family.
constexpr std::size_t longest_name = 256;

void strip_prefix(std::string& name, std::span<const std::string_view> prefixes) {
  for (const auto prefix : prefixes) {
    if (name.starts_with(prefix)) {
      name.erase(0, prefix.size());
      return;
    }
  }
}

/// "us.anthropic.claude-..." (Bedrock), "openai.gpt-..." (Mantle).
void strip_region_and_vendor(std::string& name) {
  static constexpr std::array<std::string_view, 11> regions{
      "us.", "eu.", "apac.", "ap.", "jp.", "au.", "ca.", "sa.", "me.", "af.", "global."};
  static constexpr std::array<std::string_view, 12> vendors{
      "anthropic.", "openai.",  "deepseek.", "moonshotai.", "moonshot.", "zai.",
      "minimax.",   "mistral.", "xai.",      "google.",     "meta.",     "qwen."};
  auto bare = name;
  if (bare.starts_with("us-gov.")) {
    bare.erase(0, 7);
  } else {
    strip_prefix(bare, regions);
  }
  const auto with_vendor = bare.size();
  strip_prefix(bare, vendors);
  if (bare.size() != with_vendor) {  // a region alone is a part of a name
    name = std::move(bare);
  }
}

/// "@20251101", ":free", "-v1:0".
void strip_version(std::string& name) {
  const auto at = name.find_first_of("@:");
  if (at == std::string::npos) {
    return;
  }
  name.resize(at);
  const auto v = name.rfind("-v");
  if (v != std::string::npos && v + 2 < name.size() &&
      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(v) + 2, name.end(), is_digit)) {
    name.resize(v);
  }
}

/// Whether `name` ends in `-` and text of that form, in which 0 stands for a digit.
bool ends_in(std::string_view name, std::string_view form) {
  if (name.size() <= form.size()) {
    return false;
  }
  const auto end = name.substr(name.size() - form.size());
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? !is_digit(end[i]) : end[i] != form[i]) {
      return false;
    }
  }
  return true;
}

/// Dates, and words that say how recent a model is.
void strip_dates(std::string& name) {
  static constexpr std::array<std::string_view, 7> forms{
      "-20000000", "-2000-00-00", "-0000", "-00-00", "-latest", "-preview", "-exp"};
  for (bool again = true; again;) {
    again = false;
    for (const auto form : forms) {
      if (ends_in(name, form)) {
        name.resize(name.size() - form.size());
        again = true;
        break;
      }
    }
  }
}

/// "claude-4-5-sonnet" was the older order.
void reorder_claude(std::string& name) {
  constexpr std::string_view claude = "claude-";
  if (!name.starts_with(claude) || name.size() < 9 || (name[7] != '4' && name[7] != '5')) {
    return;
  }
  const bool minor = name.size() > 9 && name[8] == '-' && is_digit(name[9]);
  const std::size_t version_end = minor ? 10 : 8;
  if (version_end >= name.size() || name[version_end] != '-') {
    return;
  }
  const auto version = name.substr(7, version_end - 7);
  const auto rest = name.substr(version_end + 1);
  for (const std::string_view word : {"opus", "sonnet", "haiku", "fable", "mythos"}) {
    if (rest.starts_with(word) && (rest.size() == word.size() || rest[word.size()] == '-')) {
      name = std::string(claude) + std::string(word) + "-" + version + rest.substr(word.size());
      return;
    }
  }
}

}  // namespace

std::string normal_model_name(std::string_view given) {
  auto name = text::in_lower_case(given.substr(0, longest_name));
  const auto begin = name.find_first_not_of(' ');
  name.erase(0, std::min(begin, name.size()));
  name.resize(name.find_last_not_of(' ') + 1);
  if (name.starts_with("ft:")) {  // a fine-tuned model: its base
    name = name.substr(3, name.find(':', 3) - 3);
  }
  name.erase(0, name.rfind('/') + 1);
  strip_region_and_vendor(name);
  if (name.ends_with(']')) {
    name.resize(std::min(name.rfind('['), name.size()));
  }
  strip_version(name);
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    if (name[i] == '.' && is_digit(name[i - 1]) && is_digit(name[i + 1])) {
      name[i] = '-';
    }
  }
  strip_dates(name);
  reorder_claude(name);
  return name;
}

bool matches_family(std::string_view name, std::string_view pattern) noexcept {
  const char last = pattern.empty() ? '\0' : pattern.back();
  if (last == '$') {
    return name == pattern.substr(0, pattern.size() - 1);
  }
  if (last == '*') {
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
  }
  if (pattern.empty() || !name.starts_with(pattern)) {
    return false;
  }
  const auto rest = name.substr(pattern.size());
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return rest.empty() || (!is_letter(rest[0]) && !is_digit(rest[0]) &&
                          !(rest.size() > 1 && rest[0] == '-' && is_digit(rest[1])));
}

}  // namespace understudy::llm
