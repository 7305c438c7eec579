#include "json.hpp"

#include <charconv>
#include <cstring>
#include <new>

#include "numbers.hpp"
#include "utf16_halves.hpp"
#include "utf8.hpp"

namespace understudy::json {
namespace {

/// Documents up to here go through the thread's parser, which then keeps some ten times as much.
constexpr std::size_t usual_document = std::size_t{1024} * 1024;

ondemand::parser& parser_of_thread() {
  thread_local ondemand::parser parser;
  return parser;
}

std::string_view with_replacements(std::string_view text, text::Arena& arena) {
  const auto most = text::utf8_replacement.size() * text.size() + padding;
  char* const copy = arena.take(most);
  std::size_t size = 0;
  while (!text.empty()) {
    const auto step = text::utf8_step(text);
    const auto sequence = step.valid ? text.substr(0, step.length) : text::utf8_replacement;
    std::memcpy(copy + size, sequence.data(), sequence.size());
    size += sequence.size();
    text.remove_prefix(step.length);
  }
  arena.untake(most - size - padding);
  copy[size] = '\n';
  return {copy, size};
}

/// The value of four hexadecimal digits; nothing if they are none.
std::optional<std::uint32_t> hexadecimal(std::string_view digits) {
  return digits.size() == 4 ? text::hexadecimal_from<std::uint32_t>(digits) : std::nullopt;
}

char* append_utf8(char* out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
  return out;
}

/// What becomes of half a character at an end of the text.
enum class AtEnds : bool { replaced, kept };

/// Resolves the escape at the front of `text`, and takes it off; nullptr if it is none of JSON's. `first`: it is the
/// first of the whole text.
char* append_escaped(char* out, std::string_view& text, AtEnds halves, bool first) {
  if (text.size() < 2) {
    return nullptr;
  }
  const char letter = text[1];
  if (letter != 'u') {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto found = letters.find(letter);
    if (found == std::string_view::npos) {
      return nullptr;
    }
    text.remove_prefix(2);
    *out++ = meanings[found];
    return out;
  }
  auto code = hexadecimal(text.substr(2, 4));
  if (!code) {
    return nullptr;
  }
  text.remove_prefix(6);
  const bool high = text::is_high_half(*code);
  if (high && text.starts_with("\\u")) {
    const auto low = hexadecimal(text.substr(2, 4));
    if (low && text::is_low_half(*low)) {
      text.remove_prefix(6);
      return append_utf8(out, 0x10000 + ((*code - 0xD800) << 10U) + (*low - 0xDC00));
    }
  }
  const bool alone = high || text::is_low_half(*code);
  const bool kept = halves == AtEnds::kept && (high ? text.empty() : first);
  return append_utf8(out, alone && !kept ? 0xFFFD : *code);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

Parser::Parser(std::string_view padded, text::Arena& arena) {
  auto& parser = padded.size() <= usual_document ? parser_of_thread() : own_.emplace();
  auto failure =
      parser.iterate(padded.data(), padded.size(), padded.size() + padding).get(document_);
  if (failure == simdjson::UTF8_ERROR) {
    padded = with_replacements(padded, arena);
    failure = parser.iterate(padded.data(), padded.size(), padded.size() + padding).get(document_);
  }
  text_ = padded;
  if (failure == simdjson::MEMALLOC) {
    throw std::bad_alloc();  // says nothing about the text
  }
  why_ = failure == simdjson::SUCCESS ? nullptr : simdjson::error_message(failure);
}

std::optional<ondemand::object> Parser::object() {
  if (why_ != nullptr) {
    return std::nullopt;
  }
  ondemand::object object;
  if (const auto failure = document_.get_object().get(object)) {
    why_ = simdjson::error_message(failure);
    return std::nullopt;
  }
  return object;
}

std::optional<ondemand::array> Parser::array() {
  ondemand::array array;
  if (why_ != nullptr || document_.get_array().get(array) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return array;
}

std::string_view padded_copy(std::string_view text, text::Arena& arena) {
  char* const copy = arena.take(text.size() + padding);
  text.copy(copy, text.size());
  copy[text.size()] = '\n';
  return {copy, text.size()};
}

namespace {

std::optional<std::string_view> unescape(std::string_view inside, text::Arena& arena,
                                         AtEnds halves) {
  auto escape = inside.find('\\');
  if (escape == std::string_view::npos) {
    return inside;
  }
  const auto most = inside.size();  // no escape is shorter than what it stands for
  char* const begin = arena.take(most);
  char* end = begin;
  while (true) {
    const auto plain = inside.substr(0, escape);
    std::memcpy(end, plain.data(), plain.size());
    end += plain.size();
    if (escape == std::string_view::npos) {
      break;
    }
    inside.remove_prefix(escape);
    end = append_escaped(end, inside, halves, end == begin);
    if (end == nullptr) {
      arena.untake(most);
      return std::nullopt;
    }
    escape = inside.find('\\');
  }
  const auto size = static_cast<std::size_t>(end - begin);
  arena.untake(most - size);
  return std::string_view(begin, size);
}

}  // namespace

std::optional<std::string_view> unescaped(std::string_view inside, text::Arena& arena) {
  return unescape(inside, arena, AtEnds::replaced);
}

std::optional<std::string_view> unescaped_piece(std::string_view inside, text::Arena& arena) {
  return unescape(inside, arena, AtEnds::kept);
}

std::optional<std::uint64_t> count(std::string_view token) {
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(token.data(), token.data() + token.size(), number);
  return failure == std::errc() ? std::optional(number) : std::nullopt;
}

std::string_view raw(ondemand::value& value) {
  const auto token = value.raw_json_token();
  std::string_view text;
  if (token.starts_with('{')) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS ||
        object.raw_json().get(text) != simdjson::SUCCESS) {
      return {};
    }
  } else if (token.starts_with('[')) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS ||
        array.raw_json().get(text) != simdjson::SUCCESS) {
      return {};
    }
  } else {
    text = token;
  }
  return trimmed(text);
}

std::string_view scalar(ondemand::value& value, text::Arena& arena) {
  const auto token = trimmed(value.raw_json_token());
  if (token.starts_with('"')) {
    return text(value, arena);
  }
  return token.starts_with('{') || token.starts_with('[') || token.starts_with('n')
             ? std::string_view()
             : token;
}

std::string_view name(ondemand::raw_json_string key) {
  const char* const begin = key.raw();
  const char* end = begin;
  while (*end != '"') {
    end += *end == '\\' ? 2 : 1;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace understudy::json
