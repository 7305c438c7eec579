#include "failover/redaction.hpp"

#include <algorithm>
#include <vector>

#include "text/unescaped.hpp"

namespace understudy::detail {
namespace {

using text::Place;
using text::Unescaped;

constexpr std::string_view instead = "[credential]";
constexpr int most_layers = 3;
constexpr std::size_t telling = 4;  // characters of a secret; fewer say nothing of it

/// How a secret may be written.
struct Form {
  std::string pattern;
  std::size_t telling;     // what of its beginning is taken out where the text was cut
  std::size_t before = 0;  // characters around it that hold some bits of it
  std::size_t after = 0;
  bool any_case = false;
  bool padded = false;
  bool alone = false;  // not within a word
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool of_a_word(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }

Form in_hex(std::string_view secret) {
  constexpr std::string_view digits = "0123456789abcdef";
  Form form{{}, 2 * telling};
  form.any_case = true;
  for (const char c : secret) {
    const auto byte = static_cast<unsigned char>(c);
    form.pattern += digits[byte / 16];
    form.pattern += digits[byte % 16];
  }
  return form;
}

/// Behind `offset` bytes of something else: the characters that depend on the secret alone.
Form in_base64(std::string_view secret, std::size_t offset, std::string_view alphabet) {
  constexpr std::size_t bits_each = 6;
  Form form{{}, bits_each};
  const auto first = (offset * 8 + bits_each - 1) / bits_each;
  const auto bits = (offset + secret.size()) * 8;
  unsigned window = 0;
  std::size_t held = offset * 8 % bits_each == 0 ? 0 : bits_each - (first * bits_each - offset * 8);
  for (const char c : secret) {
    window = (window << 8U | static_cast<unsigned char>(c)) & 0xffffU;
    held += 8;
    for (; held >= bits_each; held -= bits_each) {
      form.pattern += alphabet[window >> (held - bits_each) & 0x3fU];
    }
  }
  // The first of them mixes the secret with what stands before it.
  form.before = offset == 0 ? 0 : 1;
  form.pattern.erase(0, form.before);
  form.after = bits % bits_each == 0 ? 0 : 1;
  form.padded = true;
  return form;
}

/// A secret that holds what looks like an escape loses that together with the text around it.
void add_unescaped(std::string_view secret, std::vector<Form>& forms) {
  std::string last(secret);
  for (int layer = 0; layer < most_layers; ++layer) {
    auto next = text::unescaped(last);
    if (next.bytes == last || next.places.empty() || next.places.back().end < last.size()) {
      return;
    }
    last = std::move(next.bytes);
    Form form{last, telling};
    form.alone = last.size() < least_encoded;
    forms.push_back(std::move(form));
  }
}

std::vector<Form> forms_of(std::string_view secret) {
  constexpr std::string_view standard =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view for_urls =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::vector<Form> forms{Form{std::string(secret), telling}};
  forms.front().alone = secret.size() < least_encoded;
  add_unescaped(secret, forms);
  if (forms.front().alone) {
    return forms;
  }
  forms.push_back(in_hex(secret));
  for (std::size_t offset = 0; offset < 3; ++offset) {
    forms.push_back(in_base64(secret, offset, standard));
    auto other = in_base64(secret, offset, for_urls);
    if (other.pattern != forms.back().pattern) {
      forms.push_back(std::move(other));
    }
  }
  return forms;
}

/// For each beginning of the pattern, how long the longest other one is that it ends with (Knuth, Morris, Pratt).
std::vector<std::size_t> borders_of(std::string_view pattern) {
  std::vector<std::size_t> borders(pattern.size() + 1, 0);
  std::size_t length = 0;
  for (std::size_t i = 1; i < pattern.size(); ++i) {
    while (length > 0 && pattern[i] != pattern[length]) {
      length = borders[length];
    }
    length += pattern[i] == pattern[length] ? 1 : 0;
    borders[i + 1] = length;
  }
  return borders;
}

/// Calls `found(begin)` for each occurrence. Returns how much of the pattern's beginning the text ends with.
template <class Found>
std::size_t search(std::string_view text, const Form& form, Found found) {
  const std::string_view pattern = form.pattern;
  const auto borders = borders_of(pattern);
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = form.any_case ? lower(text[i]) : text[i];
    while (length > 0 && (length == pattern.size() || pattern[length] != c)) {
      length = borders[length];
    }
    length += pattern[length] == c ? 1 : 0;
    if (length == pattern.size()) {
      found(i + 1 - length);
    }
  }
  return length == pattern.size() ? 0 : length;
}

/// The places of a text that are to be taken out.
class Marks {
 public:
  Marks(std::string_view text, bool cut) : text_(text), cut_(cut) {}

  /// Searches the text as `view` has it: unescaped zero or more times.
  void search_in(const Unescaped& view, const Form& form) {
    const std::string_view bytes = view.bytes;
    const auto left = search(bytes, form, [&](std::size_t begin) {
      auto end = begin + form.pattern.size();
      const bool within_word =
          (begin > 0 && of_a_word(bytes[begin - 1]) && of_a_word(bytes[begin])) ||
          (end < bytes.size() && of_a_word(bytes[end - 1]) && of_a_word(bytes[end]));
      if (form.alone && within_word) {
        return;
      }
      begin -= std::min(begin, form.before);
      end = std::min(bytes.size(), end + form.after);
      while (form.padded && end < bytes.size() && bytes[end] == '=') {
        ++end;
      }
      marks_.push_back({view.places[begin].begin, view.places[end - 1].end});
    });
    if (cut_ && left >= form.telling) {
      const auto begin = bytes.size() - left;
      marks_.push_back({view.places[begin - std::min(begin, form.before)].begin, text_.size()});
    }
  }

  std::string without_them() {
    std::sort(marks_.begin(), marks_.end(),
              [](const Place& a, const Place& b) { return a.begin < b.begin; });
    std::string shown;
    std::size_t done = 0;
    for (std::size_t i = 0; i < marks_.size();) {
      const auto begin = marks_[i].begin;
      auto end = marks_[i].end;
      for (++i; i < marks_.size() && marks_[i].begin < end; ++i) {
        end = std::max(end, marks_[i].end);
      }
      shown.append(text_, done, begin - done).append(instead);
      done = end;
    }
    return shown.append(text_, done);
  }

 private:
  std::string_view text_;
  bool cut_;
  std::vector<Place> marks_;
};

Unescaped as_it_is(std::string_view text) {
  Unescaped view{std::string(text), {}};
  for (std::size_t at = 0; at < text.size(); ++at) {
    view.places.push_back({at, at + 1});
  }
  return view;
}

/// One layer less, with places in the same text.
Unescaped next_layer(const Unescaped& view) {
  auto next = text::unescaped(view.bytes);
  for (auto& place : next.places) {
    place = {view.places[place.begin].begin, view.places[place.end - 1].end};
  }
  return next;
}

}  // namespace

std::string redacted(std::string_view text, std::string_view secret, bool cut) {
  if (secret.empty() || text.empty()) {
    return std::string(text);
  }
  // What is longer than the text is there in part at most.
  const auto forms = forms_of(secret.substr(0, std::max(text.size() + 1, least_encoded)));
  Marks marks(text, cut);
  auto view = as_it_is(text);
  for (int layer = 0; layer <= most_layers; ++layer) {
    for (const auto& form : forms) {
      marks.search_in(view, form);
    }
    auto next = next_layer(view);
    if (next.bytes == view.bytes) {
      break;
    }
    view = std::move(next);
  }
  return marks.without_them();
}

}  // namespace understudy::detail
