/// The message that asks a member to continue an answer that another member began.
///
/// Invariants
/// 1. The message quotes the delivered text, or its last 32 KiB, unchanged. The quote begins at a character boundary.
/// 2. The tail, which the member is asked to repeat, occurs verbatim and once in the quote, at its end. It has about 40
///    characters and begins with a word. It has up to 400 characters if a shorter tail would occur twice. If the answer
///    repeats itself even longer, the tail has about 40 characters, and its seam may be refused as ambiguous
///    (seam.hpp).
/// 3. White space at the end of the answer is not a part of the tail; the seam takes it into account.
/// 4. Nothing in the answer can end the quote: the marks around it do not occur in it.
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

/// The text around the quote and the tail. Set the members for conversations in another language.
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

/// The message, and the tail that it asks for.
class ResumeRequest {
 public:
  ResumeRequest() noexcept {}

  std::string message;  ///< a user message, to be added after the original conversation
  std::string tail;     ///< the text to be repeated; empty if the answer is blank
};

/// Returns the request to continue `delivered`, which is all text that was delivered to the consumer, in UTF-8. Pure;
/// the time is linear in the size of the quote.
UNDERSTUDY_API ResumeRequest resume_request(std::string_view delivered,
                                            const ResumeWording& wording = ResumeWording());

}  // namespace understudy
