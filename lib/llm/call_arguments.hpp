/// The arguments of one tool call, in the pieces in which a provider sends them.
///
/// Invariants
/// 1. They are judged by whether they parse, not by what else the stream says.
/// 2. Arguments that were sent again are recognized: cumulative pieces, the whole once more, `{}` before the real ones.
///    Any other text that does not parse stays broken: nothing is guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/json_valid.hpp"

namespace understudy::llm::detail {

/// Whether pieces of JSON text make one whole object, looking at brackets and quotes alone: a hint at the cost of a scan.
class JsonBalance {
 public:
  void add(std::string_view piece) {
    for (const char c : piece) {
      const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
      beyond_ = beyond_ || (ended_ && !space);
      if (escaped_) {
        escaped_ = false;
      } else if (quoted_) {
        escaped_ = c == '\\';
        quoted_ = c != '"';
      } else if (c == '"') {
        quoted_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        --depth_;
        ended_ = depth_ == 0;
      }
    }
    empty_ = empty_ && piece.empty();
  }
  bool empty() const { return empty_; }
  bool whole() const { return !empty_ && depth_ == 0 && !quoted_ && !beyond_; }

 private:
  std::ptrdiff_t depth_ = 0;
  bool quoted_ = false;
  bool escaped_ = false;
  bool ended_ = false;   // the first object
  bool beyond_ = false;  // something follows it
  bool empty_ = true;
};

/// See the top of the file.
class CallArguments {
 public:
  enum class Verdict : unsigned char { none, valid, restated, broken };

  void add(std::string_view piece) {
    if (!piece.empty()) {
      balance_.add(piece);
      text_ += piece;
      ends_.push_back(text_.size());
    }
  }

  bool empty() const noexcept { return text_.empty(); }
  /// Returns whether the pieces so far look like one whole object.
  bool whole() const { return balance_.whole(); }
  std::size_t size() const noexcept { return text_.size(); }

  /// Judges all pieces. If the verdict is `restated`, `restated()` has the arguments.
  Verdict judge() {
    if (text_.find_first_not_of(" \t\r\n") == std::string::npos) {
      return Verdict::none;
    }
    if (json::is_valid(text_)) {
      return Verdict::valid;
    }
    return merge() ? Verdict::restated : Verdict::broken;
  }

  /// The provider's own statement of the whole arguments, which outweighs the pieces.
  Verdict judge_by(std::string_view whole) {
    if (whole == text_ || !json::is_valid(whole)) {
      return judge();
    }
    restated_ = whole;
    return Verdict::restated;
  }

  const std::string& restated() const noexcept { return restated_; }

 private:
  /// Linear: a piece is compared with the text before it only if it is at least as long.
  bool merge() {
    std::string text;
    std::string first;  // what was whole before
    JsonBalance balance;
    std::size_t begin = 0;
    for (const auto end : ends_) {
      const auto piece = std::string_view(text_).substr(begin, end - begin);
      begin = end;
      const bool blank = piece.find_first_not_of(" \t\r\n") == std::string_view::npos;
      const bool cumulative = !text.empty() && piece.starts_with(text);
      if (!blank && !cumulative && balance.whole()) {
        first = text == "{}" ? first : first.empty() ? text : first;
      }
      if (!blank && (cumulative || balance.whole())) {
        text.clear();
        balance = JsonBalance();
      }
      text += piece;
      balance.add(piece);
    }
    restated_ = std::move(text);
    return (first.empty() || first == restated_) && json::is_valid(restated_);
  }

  JsonBalance balance_;
  std::string text_;
  std::vector<std::size_t> ends_;  // of the pieces
  std::string restated_;
};

}  // namespace understudy::llm::detail
