/// Where another member's words join an answer that was delivered in part: nothing doubled, nothing lost.
///
/// Invariants
/// 1. While it is undecided nothing comes out. Once joined, what comes out is exactly what goes after the
///    delivered text; once refused, nothing ever.
/// 2. However the new text is cut into pieces, within a character too, the outcome is the same.
/// 3. The new text joins where its beginning repeats the end of the delivered text: at least 8 characters of
///    it (folded; a mark counts by itself), or the whole of one that is shorter (but has 4). What it repeats
///    is dropped.
/// 4. What it repeats must occur once in the delivered text. Of an answer that repeats itself nobody can
///    tell which place was meant, nor whether a place was meant that the next member spelled wrong;
///    `resume_request` asks for a tail that occurs once. For the same reason an overlap of fewer than 16
///    characters that begins and ends with the same 4 is refused. What cannot be seen: a member that does
///    not repeat what it is asked for, or less than 8 characters, where the answer says 8 or more twice in
///    a row, with white space between or not, or begins with a word of 4 or more that it says twice.
/// 5. Going on without an overlap is taken after a prefill alone, whatever is said. There an overlap must
///    have 20 characters, and who begins with 16 that were delivered and then departs (a restart in other
///    words, a near miss) is refused. What cannot be seen there: an answer that says 20 characters or more
///    twice in a row, for the first time, and was cut between, loses the second.
/// 6. Compared are folded texts. Alike are: every run of white space (Unicode's White_Space, NBSP too);
///    curly and straight quotes; hyphens U+2010, U+2011 and '-'; composed and decomposed Latin, Greek and
///    Cyrillic letters, marks in canonical order. Nothing else: a changed character is no overlap.
/// 7. White space at the very seam: of what the new text has there, that is dropped which was delivered.
///    Where the two spell it differently, line breaks and the indentation after them count.
/// 8. Fences, quotes and chatter before the overlap are refused: what closes them could not be told from
///    the answer.
/// 9. Undecided after twice the delivered text and 4 KiB it is refused. Memory: a folded copy of the
///    delivered text and the undecided new text, freed when decided. Time: linear in both; an answer that repeats
///    itself so much that comparing costs more than 32 steps a byte is refused as ambiguous.
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

/// The fewest characters that an overlap is known by.
inline constexpr std::size_t seam_overlap = 8;
/// The same after a prefill, where the natural thing is to go on without.
inline constexpr std::size_t seam_overlap_prefilled = 20;
/// A delivered text shorter than `seam_overlap` must be repeated whole, and have at least so many.
inline constexpr std::size_t seam_whole_answer = 4;
/// In bytes, beyond twice the delivered text.
inline constexpr std::size_t seam_undecided_bound = 4096;

/// How the member was asked to go on.
enum class ResumeManner : unsigned char {
  anchored,           ///< by a user message that asks to repeat the tail (resume_request.hpp)
  prefilled,          ///< the delivered text is the beginning of its own answer
  prefilled_trimmed,  ///< the same without the white space at its end, which Anthropic refuses there
};

enum class SeamVerdict : unsigned char {
  undecided,
  // joined
  repeated_tail,
  restarted,
  went_on,
  // refused
  no_overlap,   ///< it says something else
  ambiguous,    ///< an overlap that occurs twice, or may be the answer's own repetition
  too_long,     ///< undecided within its bound
  ended_early,  ///< nothing came, or it ended before the overlap was complete
};

/// For reports: the enumerator's name.
UNDERSTUDY_API std::string_view to_string(SeamVerdict verdict) noexcept;

/// See the top of the file. A value; one thread at a time. It keeps no view of what it is given.
class UNDERSTUDY_API Seam {
 public:
  /// `delivered`: all the text that the consumer got, in UTF-8. If it is blank, the new text is all.
  Seam(std::string_view delivered, ResumeManner manner);

  /// Takes the next piece of the new text. Returns what is to be delivered, often nothing; valid until the
  /// next call and as long as `piece`.
  std::string_view feed(std::string_view piece);

  /// The new text is complete: decides if nothing is decided. Returns what is still to be delivered. A
  /// complete overlap with nothing after it is joined.
  std::string_view finish();

  SeamVerdict verdict() const noexcept { return verdict_; }
  bool undecided() const noexcept { return verdict_ == SeamVerdict::undecided; }
  bool joined() const noexcept { return !undecided() && verdict_ < SeamVerdict::no_overlap; }
  bool refused() const noexcept { return verdict_ >= SeamVerdict::no_overlap; }

  /// Bytes of the new text that were not delivered again, once joined: they were paid for twice.
  std::size_t dropped() const noexcept { return dropped_; }

  /// Comparisons made: what it cost.
  std::size_t steps() const noexcept { return steps_; }

 private:
  class Overlap {
   public:
    Overlap(std::size_t ends, std::string rest, bool all)
        : end(ends), remainder(std::move(rest)), whole(all) {}

    std::size_t end;        // in the new text
    std::string remainder;  // of its last character, if the delivered text ends amid its marks
    bool whole;
  };

  bool prefilled() const noexcept { return manner_ != ResumeManner::anchored; }
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
  std::string blank_;      // white space at the delivered text's end, as it came
  std::size_t seed_;       // so many characters are waited for before anything is compared
  std::size_t bound_;
  std::size_t affordable_;

  std::string held_;            // the new text, as it came
  std::size_t scan_ = 0;        // in it: what comes before has been looked at
  std::size_t said_ = 0;        // in it: the end of the last character that is no white space
  std::string start_;           // its first characters, folded
  std::size_t characters_ = 0;  // of it, folded
  std::size_t matched_ = 0;     // bytes of it, folded
  std::size_t longest_ = 0;     // characters of it that the delivered text holds somewhere
  std::vector<std::size_t>
      alive_;  // places in the delivered text that say what the new one has said
  std::optional<Overlap> overlap_;  // complete
  std::size_t dropped_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace understudy
