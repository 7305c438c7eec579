/// The words that ask a member to go on with an answer that another one began.
///
/// Invariants
/// 1. The message quotes the answer so far, or its last 32 KiB, as it came, cut between characters.
/// 2. The tail that it asks to be repeated stands verbatim in the quote, once, at its end: about 40
///    characters, from the beginning of a word, up to 400 where fewer occur twice. An answer that repeats
///    itself longer than that gets one of 40; its seam may be refused as ambiguous (seam.hpp).
/// 3. White space at the answer's end is no part of the tail; the seam knows of it.
/// 4. Nothing in the answer can end the quote: its marks are chosen so that they do not occur in it.
///
///     const auto ask = resume_request("One. Two. Thr");
///     // ask.message: "... Begin with exactly this text: One. Two. Thr ..."; ask.tail: "One. Two. Thr"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"

namespace understudy {

inline constexpr std::size_t resume_tail = 40;           ///< characters
inline constexpr std::size_t resume_longest_tail = 400;  ///< characters
inline constexpr std::size_t resume_quote = 32768;       ///< bytes

/// What is said around quote and tail. Set the members for a model that is spoken to in another language.
class UNDERSTUDY_API ResumeWording {
 public:
  ResumeWording();

  ResumeWording& with_before_quote(std::string text) {
    return before_quote = std::move(text), *this;
  }
  ResumeWording& with_before_tail(std::string text) { return before_tail = std::move(text), *this; }
  ResumeWording& with_after_tail(std::string text) { return after_tail = std::move(text), *this; }

  std::string before_quote;
  std::string before_tail;
  std::string after_tail;
};

class ResumeRequest {
 public:
  ResumeRequest() noexcept {}

  std::string message;  ///< of the user, after the conversation as it was
  std::string tail;     ///< that it asks to be repeated; empty if the answer is blank
};

/// `delivered`: all the text that the consumer got, in UTF-8. Linear in the quote.
UNDERSTUDY_API ResumeRequest resume_request(std::string_view delivered,
                                            const ResumeWording& wording = ResumeWording());

}  // namespace understudy
