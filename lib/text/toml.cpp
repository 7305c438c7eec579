#include "text/toml.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "text/ascii.hpp"

// Its pkg-config file asks for the shared library. This file includes it as headers, which no other file sees.
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1  // NOLINT(readability-identifier-naming)
// A failed assertion of it is an error in the text, in every build: with NDEBUG the condition would be assumed.
struct UnexpectedToml {};
constexpr void toml_expects(bool held) {
  if (!held) {
    throw UnexpectedToml();
  }
}
#undef NDEBUG
// NOLINTNEXTLINE(readability-identifier-naming)
#define TOML_ASSERT(expression) toml_expects(static_cast<bool>(expression))
#include <toml++/toml.h>

namespace understudy::text {
namespace {

constexpr std::size_t most_dots = 16;
constexpr std::size_t most_open = 32;
constexpr std::size_t most_entries = 1000;  // users may compare entries pair by pair

SourcePlace place_of(const toml::source_position& position) {
  return {position.line, position.column};
}

struct Syntax {
  std::string_view sign;  // in toml++'s description
  std::string_view what;
  std::string_view suggestion;
};

constexpr Syntax header_error{"parsing table header", "syntax error in a section header",
                              "write [section] or [[section]] alone on its line"};
constexpr Syntax key_error{"parsing key", "syntax error in a line",
                           "write key = value, one to a line"};
constexpr Syntax value_error{"", "syntax error in a value",
                             "write text and durations in double quotes, such as \"180s\""};
constexpr Syntax quote_error{
    "", "a quote within a value",
    "write all of a text in double quotes, and \\\" for a quote within it"};
constexpr std::array syntax_errors{
    Syntax{"utf-8", "not UTF-8", "save the file as UTF-8"},
    Syntax{"redefine", "defined twice", "write each key and each section once"},
    Syntax{"cannot insert", "defined twice", "write each key and each section once"},
    Syntax{"parsing string", "syntax error in a string",
           "begin and end it with a double quote on the same line; write \\\\ for a backslash"},
    Syntax{"parsing boolean", "syntax error in a value", "write true or false"},
    Syntax{"parsing inline table", "syntax error in an inline table",
           "write {key = value, key = value}, on one line, without a trailing comma"},
    Syntax{"parsing array", "syntax error in a list", "write [value, value]"},
    header_error,
    key_error,
    Syntax{"parsing root", "syntax error", "write key = value or [section], one to a line"},
    value_error};

/// Rejects what toml++ must not see. Its parser and its destructors recurse once for each dot of a key and each
/// bracket, so a file of nothing but these would overflow the stack. Version 3.3 asserts that a section header
/// begins with a character of a key and that no list is closed as a table, and its table of Unicode spaces
/// reaches an "unreachable" for ordinary letters outside quotes and after a backslash. Strings and comments
/// are skipped.
class PreCheck {
 public:
  explicit PreCheck(std::string_view text) : text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) {
      text_.remove_prefix(3);
    }
  }

  std::optional<SourceError> error() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '[' && before_ == '\n' && open_.empty() && !is_header()) {
        return here(header_error);
      }
      if (static_cast<unsigned char>(c) >= 0x80) {
        return SourceError(place(), "a character that is only allowed in quotes",
                           "write names in ASCII, and text in straight double quotes");
      }
      if (!is_allowed(c)) {
        return here(in_key_ ? key_error : is_quote(c) ? quote_error : value_error);
      }
      if (is_quote(c)) {
        if (!skip_string(c)) {
          return SourceError(place(), "a character that a backslash cannot escape",
                             "write \\\\ for a backslash, and letters as they are");
        }
        before_ = c;
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (closes_other(c)) {
        return SourceError(place(), "a bracket that is closed by one of another kind",
                           "close [ with ], and { with }");
      }
      step(c);
      if (dots_ > most_dots || open_.size() > most_open) {
        return SourceError(place(), "nested too deeply",
                           "write at most 16 dots in a key and 32 brackets within each other");
      }
      ++at_;
    }
    return std::nullopt;
  }

 private:
  /// Whether the brackets here are followed by a key, or by something that toml++ rejects itself.
  bool is_header() const {
    const auto first = text_.find_first_not_of(" \t", at_ + 1);
    const auto second = first < text_.size() && text_[first] == '['
                            ? text_.find_first_not_of(" \t", first + 1)
                            : first;
    if (second >= text_.size()) {
      return true;
    }
    const char c = text_[second];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_\"'").find(c) != std::string_view::npos;
  }

  bool closes_other(char c) const {
    return !open_.empty() &&
           ((c == '}' && open_.back() == '[') || (c == ']' && open_.back() == '{'));
  }

  static bool is_quote(char c) { return c == '"' || c == '\''; }

  /// Whether c is allowed here. (toml++ takes a quote, a bracket or = within a value for a part of the value.)
  bool is_allowed(char c) const {
    const bool value_begins =
        !in_key_ && std::string_view("=[,\n").find(before_) != std::string_view::npos;
    const bool key_begins =
        in_key_ && std::string_view("\n[{,.").find(before_) != std::string_view::npos;
    switch (c) {
      case '=': return in_key_;
      case '{': return value_begins;
      case '[': return value_begins || (in_key_ && (before_ == '\n' || before_ == '['));
      case '"':
      case '\'': return value_begins || key_begins;
      default: return true;
    }
  }

  /// Advances over c, which is in no string and no comment.
  void step(char c) {
    if (c != ' ' && c != '\t' && c != '\r') {
      before_ = c;
    }
    if (c == '.') {
      ++dots_;
    } else if (c == '[' || c == '{') {
      open_ += c;
    } else if ((c == ']' || c == '}') && !open_.empty()) {
      open_.pop_back();
    }
    if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos) {
      dots_ = 0;
    }
    if (c == '=') {
      in_key_ = false;
    } else if (c == '{' || c == ',') {
      in_key_ = open_.empty() || open_.back() == '{';
    } else if (c == '\n') {
      in_key_ = in_key_ || open_.empty();
    }
  }

  /// False where a backslash, or a backslash and the end of the line, is followed by a character that is not ASCII.
  bool skip_string(char quote) {
    const std::string triple(3, quote);
    const bool long_one = text_.substr(at_).starts_with(triple);
    const auto end = long_one ? std::string_view(triple) : std::string_view(triple).substr(0, 1);
    at_ += end.size();
    while (at_ < text_.size() && !text_.substr(at_).starts_with(end)) {
      if (!long_one && text_[at_] == '\n') {
        return true;  // not TOML; toml++ stops here
      }
      const bool escape = quote == '"' && text_[at_] == '\\';
      const auto next =
          escape ? text_.find_first_not_of(" \t\r\n", at_ + 1) : std::string_view::npos;
      if (next < text_.size() && static_cast<unsigned char>(text_[next]) >= 0x80) {
        return false;
      }
      at_ += escape ? 2 : 1;
    }
    at_ = std::min(at_ + end.size(), text_.size());
    // Up to two quotes may stand before the three that end a long string.
    while (long_one && at_ < text_.size() && text_[at_] == quote) {
      ++at_;
    }
    return true;
  }

  SourceError here(const Syntax& error) const {
    return {place(), std::string(error.what), std::string(error.suggestion)};
  }

  SourcePlace place() const {
    const auto before = text_.substr(0, at_);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto line = before.substr(before.rfind('\n') + 1);
    const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    return {static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(characters + 1)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  char before_ = '\n';  // the last character that was neither a space nor in a comment
  bool in_key_ = true;  // of an entry or a section
  std::size_t dots_ = 0;
  std::string open_;  // brackets, the innermost last
};

struct TooMany {
  SourcePlace place;
};

/// Throws TooMany.
TomlNode convert(const toml::node& node);

TomlNode::Table convert(const toml::table& table) {
  if (table.size() > most_entries) {
    throw TooMany{place_of(table.source().begin)};
  }
  TomlNode::Table entries;
  entries.reserve(table.size());
  for (const auto& [key, node] : table) {
    entries.push_back({std::string(key.str()), place_of(key.source().begin), convert(node)});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.place, a.key) < std::tie(b.place, b.key);
  });
  return entries;
}

TomlNode convert(const toml::node& node) {
  TomlNode converted;
  converted.place = place_of(node.source().begin);
  if (const auto* table = node.as_table()) {
    converted.value = convert(*table);
  } else if (const auto* array = node.as_array()) {
    if (array->size() > most_entries) {
      throw TooMany{converted.place};
    }
    TomlNode::List list;
    list.reserve(array->size());
    for (const auto& element : *array) {
      list.push_back(convert(element));
    }
    converted.value = std::move(list);
  } else if (const auto* text = node.as_string()) {
    converted.value = text->get();
  } else if (const auto* number = node.as_integer()) {
    converted.value = number->get();
  } else if (const auto* fraction = node.as_floating_point()) {
    converted.value = fraction->get();
  } else if (const auto* flag = node.as_boolean()) {
    converted.value = flag->get();
  }
  return converted;
}

SourceError explain(const toml::parse_error& error) {
  std::string description(error.description());
  std::transform(description.begin(), description.end(), description.begin(), lowered);
  const auto& row = *std::find_if(syntax_errors.begin(), syntax_errors.end(), [&](const Syntax& s) {
    return description.find(s.sign) != std::string::npos;
  });
  return {place_of(error.source().begin), std::string(row.what), std::string(row.suggestion)};
}

}  // namespace

std::variant<TomlNode, SourceError> parse_toml(std::string_view text) {
  if (auto error = PreCheck(text).error()) {
    return std::move(*error);
  }
  try {
    return convert(static_cast<const toml::node&>(toml::parse(text)));
  } catch (const toml::parse_error& error) {
    return explain(error);
  } catch (const UnexpectedToml&) {
    return SourceError({}, "not TOML", "write key = value or [section], one to a line");
  } catch (const TooMany& here) {
    return SourceError(here.place, "more than 1000 entries", "write at most 1000");
  }
}

}  // namespace understudy::text
