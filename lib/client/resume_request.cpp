#include "understudy/client/resume_request.hpp"

#include <utility>

#include "folding.hpp"
#include "understudy/client/seam.hpp"

namespace understudy {
namespace {

// So far a tail is made longer to begin with a word.
constexpr std::size_t longest_word = 24;

/// Marks, joiners and the like, which belong to the character before them.
bool continues_character(std::string_view text) {
  const auto is = [&](std::string_view low, std::string_view high) {
    const auto c = text.substr(0, low.size());
    return c >= low && c <= high;
  };
  return is("\u0300", "\u036F") || is("\u064B", "\u065F") || is("\u200D", "\u200D") ||
         is("\u20D0", "\u20FF") || is("\uFE00", "\uFE0F") || is("\U0001F3FB", "\U0001F3FF");
}

class TailCutter {
 public:
  explicit TailCutter(std::string_view quote) : quote_(quote), at_(quote.size()) {}

  /// Moves the beginning so far back that there are `characters` of them, and to a border. Ask for more each
  /// time.
  std::string_view cut(std::size_t characters) {
    while (at_ > 0 && characters_ < characters) {
      back();
    }
    while (at_ > 0 && joins(at_)) {
      back();
    }
    auto word = at_;
    for (std::size_t i = 0; i < longest_word && word > 0; ++i) {
      if (detail::white_suffix(quote_.substr(0, word)) < word) {
        return quote_.substr(word);
      }
      word = before(word);
    }
    return quote_.substr(word == 0 ? 0 : at_);
  }

 private:
  std::size_t before(std::size_t at) const {
    do {
      --at;
    } while (at > 0 && !detail::at_code_point(quote_, at));
    return at;
  }

  void back() {
    at_ = before(at_);
    ++characters_;
  }

  bool joins(std::size_t at) const {
    return continues_character(quote_.substr(at)) || quote_.substr(0, at).ends_with("\u200D") ||
           detail::white_prefix(quote_.substr(at)) > 0;
  }

  std::string_view quote_;
  std::size_t at_;
  std::size_t characters_ = 0;
};

/// Whether a seam that begins with all of `tail` is found at the end of `text` and nowhere else. Both folded.
bool tells(std::string_view tail, std::string_view text) {
  return text.find(tail) + tail.size() == text.size() &&
         !detail::ends_as_it_begins(tail, seam_overlap);
}

std::string_view choose_tail(std::string_view quote) {
  TailCutter cutter(quote);
  const auto shortest = cutter.cut(resume_tail);
  const auto all = detail::folded(quote);
  auto tail = shortest;
  for (auto characters = resume_tail; !tells(detail::folded(tail), all);
       tail = cutter.cut(characters)) {
    characters += characters / 2;
    if (characters > resume_longest_tail || tail.size() == quote.size()) {
      return shortest;
    }
  }
  return tail;
}

std::string_view last_of(std::string_view text) {
  auto begin = text.size() - std::min(text.size(), resume_quote);
  while (!detail::at_code_point(text, begin)) {
    ++begin;
  }
  return text.substr(begin);
}

}  // namespace

ResumeWording::ResumeWording()
    : before_quote(
          "A technical fault cut your last answer off. This much of it has arrived, and the reader "
          "has it already:"),
      before_tail(
          "Go on with that answer where it breaks off, be it in the middle of a word, a line or a "
          "code block. Begin with exactly this text, without the marks around it; it is the end of "
          "what has arrived:"),
      after_tail(
          "Right after that text write what comes next, in the same line if the answer breaks off "
          "within one. Write no introduction, no comment and no apology; put no quotation marks, "
          "no "
          "code fence and no dots before it; repeat nothing else. If the answer was complete "
          "already, write that text and nothing more.") {}

ResumeRequest resume_request(std::string_view delivered, const ResumeWording& wording) {
  const auto quote = last_of(delivered);
  ResumeRequest request;
  auto visible = quote.substr(0, detail::white_suffix(quote));
  visible.remove_prefix(detail::white_prefix(visible));
  request.tail = choose_tail(visible);

  std::string mark = "answer";
  while (quote.find(mark + '>') != std::string_view::npos) {
    mark += "-x";  // the longer each time, the fewer fit into the quote
  }
  const auto quoted = [&](std::string_view text) {
    return "<" + mark + ">" + std::string(text) + "</" + mark + ">";
  };
  request.message = wording.before_quote + "\n\n" + quoted(quote) + "\n\n" + wording.before_tail +
                    "\n\n" + quoted(request.tail) + "\n\n" + wording.after_tail;
  return request;
}

}  // namespace understudy
