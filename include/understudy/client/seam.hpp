/// Finds where another member's text joins an answer that was partly delivered, so that nothing is repeated or lost.
///
/// Invariants
/// 1. While the seam is undecided, the output is empty. Once it is joined, the output is exactly the text that follows
///    the delivered text. Once it is refused, the output remains empty.
/// 2. The result does not depend on how the new text is divided into pieces, even within a character.
/// 3. The new text joins where its beginning repeats the end of the delivered text: at least 8 characters of it
///    (folded; a combining mark counts as a character), or all of a delivered text that is shorter. The repetition is
///    dropped.
/// 4. The repeated text must occur once in the delivered text. If an answer repeats itself, it cannot be determined
///    which place was meant, or whether the next member misspelled another place; `resume_request` asks for a tail that
///    occurs once. For the same reason, an overlap of fewer than 16 characters whose first and last 4 are the same is
///    refused. Not detected: a member that does not repeat the text that it was asked for, or repeats fewer than 8
///    characters, if the answer contains 8 or more characters twice in a row, with or without white space between them,
///    or begins with a word of 4 or more characters that it contains twice.
/// 5. A continuation without an overlap is accepted only after a prefill, with any text. There an overlap must have 20
///    characters, and a text whose first 16 characters occur in the delivered text and that then deviates (a restart in
///    other words, a near miss) is refused. Not detected there: if an answer contains 20 or more characters twice in a
///    row, for the first time, and was cut between the two, the second one is lost. A new text that is empty joins after
///    a prefill: there was nothing left to say.
/// 6. Folded texts are compared. These are equal: all runs of white space (Unicode's White_Space, including NBSP);
///    curly and straight quotes; the hyphens U+2010, U+2011 and '-'; composed and decomposed Latin, Greek and Cyrillic
///    letters, with marks in canonical order. Any other difference means that there is no overlap.
/// 7. White space at the seam: the part of the new text's white space that was already delivered is dropped. If the two
///    differ, line breaks and the indentation after them are decisive.
/// 8. Code fences, quotation marks and chatter before the overlap are refused: their closing counterparts could not be
///    distinguished from the answer.
/// 9. A member that was asked for the whole answer again joins if its text begins with all of the delivered text. The
///    output is then the whole of its answer, so that neither length nor repetition matters.
/// 10. A seam that is still undecided after twice the size of the delivered text plus 4 KiB is refused. Memory: a folded
///    copy of the delivered text and the undecided new text, freed when the seam is decided. Time: linear in both; if
///    an answer repeats itself so much that the comparison takes more than 32 steps for each byte, it is refused as
///    ambiguous.
///
///     Seam seam("The quick brown fox jumps", ResumeManner::anchored);
///     seam.feed("brown fox ");       // "": undecided
///     seam.feed("jumps over the");   // " over the"
///     seam.feed(" lazy dog.");       // " lazy dog."
///     seam.finish();                 // ""; joined() says whether there was a seam
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"

namespace understudy {

/// The minimum number of characters of an overlap.
inline constexpr std::size_t seam_overlap = 8;
/// The minimum after a prefill, where a continuation without an overlap is normal.
inline constexpr std::size_t seam_overlap_prefilled = 20;
/// In bytes, in addition to twice the size of the delivered text; see invariant 10.
inline constexpr std::size_t seam_undecided_bound = 4096;

/// How the member was asked to continue.
enum class ResumeManner : unsigned char {
  anchored,           ///< by a user message that asks it to repeat the tail (resume_request.hpp)
  prefilled,          ///< the delivered text was sent as the beginning of its answer
  prefilled_trimmed,  ///< the same without white space at the end, which Anthropic refuses
  from_start,         ///< by the original request: it gives the whole answer again
};

/// The state or result of a seam.
enum class SeamVerdict : unsigned char {
  undecided,
  // joined
  repeated_tail,  ///< the new text repeats the end of the delivered text
  restarted,      ///< the new text repeats the delivered text from its beginning
  went_on,        ///< the new text continues without an overlap
  // refused
  no_overlap,   ///< the new text is a different text
  ambiguous,    ///< an overlap that occurs twice, or may be the answer's own repetition
  too_long,     ///< undecided within the limit
  ended_early,  ///< the new text is empty, or ended before the overlap was complete
};

/// Returns the name of the enumerator, for reports. It lives as long as the program.
UNDERSTUDY_API std::string_view to_string(SeamVerdict verdict) noexcept;

/// See the top of the file. A value. Threads: one at a time. It keeps no views of its arguments.
class UNDERSTUDY_API Seam {
 public:
  /// `delivered`: all text that was delivered to the consumer, in UTF-8. If it is blank, all of the new text is output.
  Seam(std::string_view delivered, ResumeManner manner);

  /// Takes the next piece of the new text. Returns the text to deliver, which may be empty. The view is valid until the
  /// next call, and only as long as `piece` is.
  std::string_view feed(std::string_view piece);

  /// Call this at the end of the new text. Decides the seam if it is undecided, and returns the rest of the text to
  /// deliver. A complete overlap without text after it is joined.
  std::string_view finish();

  /// What has been decided.
  SeamVerdict verdict() const noexcept { return verdict_; }
  /// Whether more of the continuation is needed.
  bool undecided() const noexcept { return verdict_ == SeamVerdict::undecided; }
  /// Whether the continuation joins the beginning.
  bool joined() const noexcept { return !undecided() && verdict_ < SeamVerdict::no_overlap; }
  /// Whether the continuation cannot be used.
  bool refused() const noexcept { return verdict_ >= SeamVerdict::no_overlap; }

  /// Returns the number of bytes of the new text that were dropped because they had been delivered, once joined. (They
  /// were paid for twice.)
  std::size_t dropped() const noexcept { return dropped_; }

  /// Returns the number of comparisons so far, as a measure of cost.
  std::size_t steps() const noexcept { return steps_; }

 private:
  class Overlap {
   public:
    Overlap(std::size_t ends, std::string rest, bool all)
        : end(ends), remainder(std::move(rest)), whole(all) {}

    std::size_t end;        // in the new text
    std::string remainder;  // of its last character, if the delivered text ends within its marks
    bool whole;
  };

  bool prefilled() const noexcept {
    return manner_ == ResumeManner::prefilled || manner_ == ResumeManner::prefilled_trimmed;
  }
  bool from_start() const noexcept { return manner_ == ResumeManner::from_start; }
  std::string_view advance(bool ended);
  void take(std::string_view character, std::size_t end, std::string_view after);
  void begin(std::size_t end, std::string_view after);
  void judge();
  void judge_end();
  void join(const Overlap& overlap);
  void go_on();
  void decide(SeamVerdict verdict);

  ResumeManner manner_;
  SeamVerdict verdict_ = SeamVerdict::undecided;
  std::string delivered_;  // folded
  std::string blank_;      // white space at the end of the delivered text, unchanged
  std::size_t seed_;       // the number of characters needed before anything is compared
  std::size_t bound_;
  std::size_t affordable_;

  std::string held_;                // the new text, unchanged
  std::size_t scan_ = 0;            // in it: the end of the part that has been examined
  std::size_t said_ = 0;            // in it: the end of the last character that is not white space
  std::string start_;               // its first characters, folded
  std::size_t characters_ = 0;      // of it, folded
  std::size_t matched_ = 0;         // bytes of it, folded
  std::size_t longest_ = 0;         // characters of it that occur in the delivered text
  std::vector<std::size_t> alive_;  // places in the delivered text that match the new text so far
  std::optional<Overlap> overlap_;  // complete
  std::size_t dropped_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace understudy
