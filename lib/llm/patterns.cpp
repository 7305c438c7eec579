#include "patterns.hpp"

#include <string>

#include "error_words.hpp"

namespace understudy::llm::detail {
namespace {

bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');  // others, Chinese too, need no boundary
}

/// Where the words of `part` end in `text`, from `from` on; npos if they are not there.
std::size_t end_of(std::string_view text, std::string_view part, std::size_t from) {
  const bool open_end = part.back() == '*';
  part.remove_suffix(open_end ? 1 : 0);
  for (auto at = text.find(part, from); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    const auto end = at + part.size();
    const bool starts = at == 0 || !word_byte(part.front()) || !word_byte(text[at - 1]);
    const bool ends =
        open_end || end == text.size() || !word_byte(part.back()) || !word_byte(text[end]);
    if (starts && ends) {
      return end;
    }
  }
  return std::string_view::npos;
}

bool contains_phrase(std::string_view text, std::string_view phrase) {
  constexpr std::string_view gap = " ... ";
  const auto split = phrase.find(gap);
  const auto first = phrase.substr(0, split);
  if (split == std::string_view::npos) {
    return end_of(text, first, 0) != std::string_view::npos;
  }
  const auto rest = phrase.substr(split + gap.size());
  for (auto end = end_of(text, first, 0); end != std::string_view::npos;
       end = end_of(text, first, end)) {
    auto sentence = text.substr(end, gap_limit + rest.size());
    sentence = sentence.substr(0, std::min(sentence.find(';'), sentence.find(". ")));
    if (contains_phrase(sentence, rest)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool contains(std::string_view text, std::string_view phrases) {
  return any_of(phrases, [&](std::string_view p) { return contains_phrase(text, p); });
}

bool same_code(std::string_view code, std::string_view pattern) {
  const bool open_front = pattern.front() == '*';
  const bool open_back = pattern.back() == '*';
  const std::string wanted = normal_code(pattern);
  if (open_front && open_back) {
    return code.find(wanted) != std::string_view::npos;
  }
  return open_front  ? code.ends_with(wanted)
         : open_back ? code.starts_with(wanted)
                     : code == wanted;
}

}  // namespace understudy::llm::detail
