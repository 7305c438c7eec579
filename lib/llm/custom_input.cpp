#include "custom_input.hpp"

#include <algorithm>

#include "text/utf8.hpp"
#include "understudy/llm/tool_form.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {
namespace detail {
namespace {

/// What comes before the text, without white space.
constexpr std::string_view before_text = R"({"input":")";

constexpr bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Whether white space may come before that character of `before_text`: around the key and the colon, not in the key.
constexpr bool may_be_apart(std::size_t at) { return at <= 1 || at + 2 >= before_text.size(); }

/// Of one of JSON's short escapes; zero: there is none of that letter.
char short_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return '\0';
  }
}

/// The value of a hexadecimal digit; 16: it is none.
std::uint32_t digit_of(char c) {
  return c >= '0' && c <= '9'   ? static_cast<std::uint32_t>(c - '0')
         : c >= 'a' && c <= 'f' ? static_cast<std::uint32_t>(c - 'a') + 10
         : c >= 'A' && c <= 'F' ? static_cast<std::uint32_t>(c - 'A') + 10
                                : 16;
}

void put_utf8(std::uint32_t code, std::string& out) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { byte(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80U) {
    byte(code);
  } else if (code < 0x800U) {
    byte(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000U) {
    byte(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    byte(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

std::string_view CustomInput::add(std::string_view json) {
  out_.clear();
  for (std::size_t at = 0; at < json.size(); ++at) {
    switch (state_) {
      case State::opening: opening(json[at]); break;
      case State::text: {
        const auto end = std::min(json.find_first_of("\"\\", at), json.size());
        if (end > at) {
          settle_high();
          out_.append(json, at, end - at);
        }
        at = end;
        if (end < json.size()) {
          text(json[end]);
        }
        break;
      }
      case State::escape: escape(json[at]); break;
      case State::closing: closing(json[at]); break;
      case State::raw: out_.append(json, at); return out_;
    }
  }
  return out_;
}

/// An opening that was cut has said nothing yet, and neither has an object that is empty.
std::string_view CustomInput::end() {
  out_.clear();
  if (state_ == State::escape) {
    out_ += held_;
  }
  settle_high();
  return out_;
}

void CustomInput::opening(char c) {
  if (c == before_text[matched_]) {
    held_ += c;
    ++matched_;
    if (matched_ == before_text.size()) {
      state_ = State::text;
      held_.clear();
    }
  } else if (is_white(c) && may_be_apart(matched_)) {
    held_ += c;
  } else if (matched_ == 1 && c == '}') {
    state_ = State::closing;
    closing(c);
  } else {
    give_up(c);
  }
}

void CustomInput::text(char c) {
  held_.assign(c == '\\' ? 1 : 0, c);
  state_ = c == '\\' ? State::escape : State::closing;
  if (state_ == State::closing) {
    settle_high();
  }
}

void CustomInput::escape(char c) {
  constexpr std::size_t longest = 6;  // \u12ab
  const bool of_unit = held_.size() > 1;
  if (of_unit && digit_of(c) > 15) {  // not an escape of JSON
    settle_high();
    out_ += held_;
    state_ = State::text;
    if (c == '"' || c == '\\') {
      text(c);
    } else {
      out_ += c;
    }
    return;
  }
  held_ += c;
  if (!of_unit && c != 'u') {
    settle_high();
    const char meant = short_escape(c);
    meant != '\0' ? out_ += meant : out_ += held_;
    state_ = State::text;
  } else if (held_.size() == longest) {
    std::uint32_t code = 0;
    for (const char digit : std::string_view(held_).substr(2)) {
      code = code * 16 + digit_of(digit);
    }
    unit(code);
    state_ = State::text;
  }
}

void CustomInput::unit(std::uint32_t code) {
  const bool low = code >= 0xDC00U && code < 0xE000U;
  if (low && high_ != 0) {
    put_utf8(0x10000U + ((high_ - 0xD800U) << 10U) + (code - 0xDC00U), out_);
    high_ = 0;
    return;
  }
  settle_high();
  if (code >= 0xD800U && code < 0xDC00U) {
    high_ = code;
  } else if (low) {
    out_ += text::utf8_replacement;
  } else {
    put_utf8(code, out_);
  }
}

/// Half a pair that nothing follows.
void CustomInput::settle_high() {
  if (high_ != 0) {
    out_ += text::utf8_replacement;
    high_ = 0;
  }
}

void CustomInput::closing(char c) {
  if (is_white(c) || (c == '}' && !closed_)) {
    closed_ = closed_ || c == '}';
    held_ += c;
  } else {
    give_up(c);
  }
}

void CustomInput::give_up(char c) {
  out_ += held_;
  out_ += c;
  held_.clear();
  state_ = State::raw;
}

}  // namespace detail

std::string custom_arguments(std::string_view input) {
  std::string out;
  JsonWriter(out).begin_object().member("input", input).end_object();
  return out;
}

std::string custom_input(std::string_view arguments) {
  detail::CustomInput input;
  std::string out(input.add(arguments));
  return out.append(input.end());
}

}  // namespace understudy::llm
