#include "json_fault.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "text/json_valid.hpp"

namespace understudy::tool {
namespace {

struct Fault {
  const char* what;
  const char* suggestion;
};

constexpr Fault comment{"a comment, which this program does not edit around",
                        "add the settings by hand: without --write they are printed"};
constexpr Fault byte_order{"a byte order mark", "save the file as UTF-8 without one"};
constexpr Fault extra_comma{"a comma before a closing bracket", "remove the comma"};
constexpr Fault early_end{"the text ends within a value", "close every quote and bracket"};
constexpr Fault wrong_bracket{"a bracket that closes none of its kind",
                              "close { with }, and [ with ]"};
constexpr Fault no_name{"a member without a name", "write \"name\": value"};
constexpr Fault no_comma{"no comma between two values", "write a comma between them"};
constexpr Fault no_value{"not a JSON value",
                         "write text in double quotes, or a number, true, false or null"};
constexpr Fault something_after{"something after the end", "remove what follows the last bracket"};
constexpr Fault nothing{"empty", "write {}"};

/// Goes from token to token until one is out of place.
class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }

  const Fault& fault() {
    if (text_.starts_with("\xef\xbb\xbf")) {
      return byte_order;
    }
    for (bool value_ended = false;;) {
      const Fault* found = value_ended ? after_value(value_ended) : value(value_ended);
      if (found != nullptr) {
        return *found;
      }
    }
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  const Fault& or_comment(const Fault& other) const {
    if (at_ >= text_.size()) {
      return text_.find_first_not_of(" \t\r\n") == std::string_view::npos ? nothing : early_end;
    }
    return here() == '/' ? comment : other;
  }

  const Fault* value(bool& ended) {
    skip_blanks();
    const char c = here();
    if (c == '{' || c == '[') {
      open_ += c;
      ++at_;
      skip_blanks();
      if (here() == (c == '{' ? '}' : ']')) {
        open_.pop_back();
        ++at_;
        ended = true;
        return nullptr;
      }
      return c == '{' ? name() : nullptr;
    }
    const auto end = token_end();
    if (!json::is_valid(text_.substr(at_, end - at_))) {
      return &(c == '"' && end == text_.size() ? early_end : or_comment(no_value));
    }
    at_ = end;
    ended = true;
    return nullptr;
  }

  /// A member's name, and its colon.
  const Fault* name() {
    skip_blanks();
    const auto end = token_end();
    if (here() != '"' || !json::is_valid(text_.substr(at_, end - at_))) {
      return &or_comment(no_name);
    }
    at_ = end;
    skip_blanks();
    if (here() != ':') {
      return &or_comment(no_name);
    }
    ++at_;
    return nullptr;
  }

  const Fault* after_value(bool& ended) {
    skip_blanks();
    const char c = here();
    if (open_.empty()) {
      return &or_comment(something_after);
    }
    if (c == '}' || c == ']') {
      if ((c == '}') != (open_.back() == '{')) {
        return &wrong_bracket;
      }
      open_.pop_back();
      ++at_;
      return nullptr;
    }
    if (c != ',') {
      return &or_comment(no_comma);
    }
    const auto comma = at_++;
    skip_blanks();
    if (here() == '}' || here() == ']') {
      at_ = comma;
      return &extra_comma;
    }
    ended = false;
    return open_.back() == '{' ? name() : nullptr;
  }

  std::size_t token_end() const {
    if (here() != '"') {
      return std::min(text_.find_first_of(" \t\r\n,:]}/", at_), text_.size());
    }
    for (auto at = at_ + 1; at < text_.size() && text_[at] != '\n'; ++at) {
      if (text_[at] == '"') {
        return at + 1;
      }
      at += text_[at] == '\\' ? 1 : 0;
    }
    return text_.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  // brackets, the innermost last
};

}  // namespace

text::SourcePlace place_in(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto line = before.substr(before.rfind('\n') + 1);
  const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  return {static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(characters + 1)};
}

std::optional<text::SourceError> json_fault(std::string_view text) {
  if (json::is_valid(text)) {
    return std::nullopt;
  }
  Search search(text);
  const auto& fault = search.fault();
  return text::SourceError(place_in(text, search.at()), fault.what, fault.suggestion);
}

}  // namespace understudy::tool
