#include "error_words.hpp"

#include "text/ascii.hpp"

#include <algorithm>
#include <array>

namespace understudy::llm::detail {
namespace {

bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::string normal_words(std::string_view text, std::size_t limit) {
  std::string words;
  for (const char c : text.substr(0, limit)) {
    const bool space = blank(c) || c == '_' || c == '-';
    const bool quote = c == '`' || c == '"';
    if (!space && !quote) {
      words += text::lowered(c);
    } else if (space && !words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return words;
}

std::string normal_code(std::string_view code) {
  std::string normal;
  for (const char c : code) {
    if (text::is_digit(c) || text::is_lower(text::lowered(c))) {
      normal += text::lowered(c);
    }
  }
  return normal;
}

std::string camel_case_apart(std::string_view text) {
  std::string apart;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char before = i > 0 ? text[i - 1] : ' ';
    const char after = i + 1 < text.size() ? text[i + 1] : ' ';
    if (text::is_upper(text[i]) &&
        (text::is_lower(before) || (text::is_upper(before) && text::is_lower(after)))) {
      apart += ' ';
    }
    apart += text[i];
  }
  return apart;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::string without_tags(std::string_view page, std::size_t limit) {
  std::string text;
  while (!page.empty() && text.size() < limit) {
    const auto open = page.find('<');
    text.append(page.substr(0, open));
    if (open == std::string_view::npos) {
      break;
    }
    page.remove_prefix(open);
    text += ' ';
    if (page.substr(1, 6) == "script" || page.substr(1, 5) == "style") {
      page.remove_prefix(std::min(page.find("</", 1), page.size()));
    }
    const auto close = page.find('>');
    page.remove_prefix(close == std::string_view::npos ? page.size() : close + 1);
  }
  return text;
}

int http_error(std::int64_t number) {
  return number >= 400 && number < 600 ? static_cast<int>(number) : 0;
}

int leading_status(std::string_view text) {
  if (text.size() < 3 || !text::is_digit(text[0]) || !text::is_digit(text[1]) ||
      !text::is_digit(text[2]) ||
      (text.size() > 3 && (text::is_digit(text[3]) || text::is_lower(text[3])))) {
    return 0;
  }
  return http_error((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
}

int status_in(std::string_view words) {
  static constexpr std::array<std::string_view, 19> phrases{
      "bad",      "unauthorized", "payment",       "forbidden",  "not",    "method", "request",
      "conflict", "payload",      "unprocessable", "too",        "client", "server", "internal",
      "service",  "gateway",      "error",         "overloaded", "page"};
  if (const int status = leading_status(words)) {
    const auto word = words.substr(std::min(words.find_first_not_of(": ", 3), words.size()));
    if (word.empty() || std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
          return word.starts_with(phrase);
        })) {
      return status;  // "503 Service Unavailable", not "500 tokens"
    }
  }
  static constexpr std::array<std::string_view, 9> announcements{
      "error code: ", "status code: ", "status code ", "status: ", "http status ",
      "http status/", "http/1.1 ",     "http/2 ",      "http "};
  for (const auto announcement : announcements) {
    for (auto found = words.find(announcement); found != std::string_view::npos;
         found = words.find(announcement, found + 1)) {
      if (const int status = leading_status(words.substr(found + announcement.size()))) {
        return status;
      }
    }
  }
  return 0;
}

}  // namespace understudy::llm::detail
