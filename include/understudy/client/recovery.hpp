/// Recovers an answer that breaks after a part of it was delivered: determines what can still be done, and merges the
/// events of another member into the answer. It performs no I/O: events go in, and the events for the consumer come
/// out.
///
/// Invariants
/// 1. The output as a whole is one valid answer: one Start, contiguous block numbers, usage of the whole answer,
///    and one Finish. Every character occurs once.
/// 2. A tool call is output when it is complete, together with everything that came after its beginning. A truncated
///    call is discarded and requested again. After a complete call was output, nothing is regenerated: the answer ends
///    there (`end_here`), and the client runs the call and continues. With live calls, nothing is held back, and an
///    answer that breaks within a call fails.
/// 3. Text is continued after its last character. Reasoning is never continued: truncated reasoning is kept, and the
///    next member begins a new block.
/// 4. The first member's events are output unchanged, with their bytes. Events of later members have no bytes, and must
///    be encoded in the consumer's protocol.
///
/// (Reasoning is delivered at once (failover.md 9.3), and not held back until its block ends: otherwise a reasoning
/// model would appear stalled for minutes, and a block that ends early is valid in every protocol.)
///
///     Recovery recovery;
///     while (const Event* event = stream.try_next()) {
///       if (recovery.take(*event)) { deliver(*event); }
///       while (const Event* kept = recovery.next()) { deliver(*kept); }
///     }
///     if (recovery.rung() == Rung::go_on) { ask(another, recovery.text()); recovery.goes_on(Rung::go_on); }
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/client/detail/complete_call.hpp"
#include "understudy/client/detail/held_events.hpp"
#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"

namespace understudy {

/// What can be done about a broken answer, in order of preference.
enum class Rung : unsigned char {
  anew,      ///< no text was delivered: another member starts over, invisibly
  go_on,     ///< another member continues the text, if its text joins it
  end_here,  ///< a complete tool call was delivered: the answer ends as one that waits for its result
  give_up,  ///< the answer fails
};

/// See the top of the file. A value. Threads: one at a time.
class UNDERSTUDY_API Recovery {
 public:
  /// In bytes: the limit on text that is kept in order to be continued (which the last event may exceed), and on a tool
  /// call that is held back.
  static constexpr std::size_t most_kept = std::size_t{16} * 1024 * 1024;

  /// `live_calls`: tool calls are output as they come, and not held back until they are complete.
  explicit Recovery(bool live_calls = false) noexcept : live_calls_(live_calls) {}

  /// Takes an event of the member that answers now. Returns true if the consumer must get the event itself, at once.
  /// Otherwise `next` returns the events, if any, that the consumer must get. For a member that continues text, pass
  /// only the events after the seam.
  bool take(const llm::Event& event);

  /// Returns the next event for the consumer, or nullptr. It is valid until `forget_given`.
  const llm::Event* next() noexcept { return due_.next(); }

  /// Frees the memory of the events that `next` has returned, if it has returned all of them.
  void forget_given();

  /// Returns whether a tool call that is held back is larger than `most_kept`.
  bool overflowed() const noexcept { return kept_.bytes() > most_kept; }

  /// Returns what could be done if the answer broke now.
  Rung rung() const;

  /// Returns the text so far, which another member would continue.
  const std::string& text() const noexcept { return text_; }

  /// Returns whether a tool call was truncated. The text before it is complete then, and the member that continues may
  /// begin with the call.
  bool cut_in_call() const noexcept { return !open_calls_.empty(); }

  /// Returns the name and id of the complete tool call that was output, if there is one.
  const std::optional<std::string>& complete_call() const noexcept { return complete_call_.name(); }

  /// Call this when the answer broke and another member answers: `take` gets its events from now on. `repeated`: in
  /// bytes, the part of its text before the seam, which was delivered before and is not passed to `take`.
  void goes_on(Rung rung, std::size_t repeated = 0);

  /// Call this when the answer broke and `rung` is `end_here`: `next` returns the end of the answer.
  void end_here();

  /// Returns whether the output events no longer have bytes of their own.
  bool resumed() const noexcept { return from_.has_value(); }

 private:
  bool holds(const llm::Event& event) const noexcept;
  void see(const llm::Event& event);
  void keep(const llm::Event& event);
  void release();
  void restate(llm::Event& event);
  void rewrite(const llm::Event& event);
  llm::Usage of_the_answer(llm::Usage usage) const;
  std::size_t place_of(std::size_t block);

  bool live_calls_;
  std::optional<Rung> from_;  // empty: the first member answers
  std::string text_;
  std::size_t blocks_ = 0;                // the number of blocks whose beginning was output
  std::optional<std::size_t> open_text_;  // the last block, if it is one of text
  std::optional<std::size_t> go_on_in_;   // the block of the next member's first text
  std::map<std::size_t, std::size_t>
      places_;                  // the output block number for each block of a later member
  std::size_t next_place_ = 0;  // after all of them
  llm::Usage earlier_;          // of the answer that broke
  llm::Usage usage_;            // the last that was output
  std::uint64_t spent_ = 0;     // output tokens until the break
  std::uint64_t repeated_ = 0;  // output tokens before the seam
  detail::HeldEvents due_;
  detail::HeldEvents kept_;  // since a tool call began
  std::vector<std::size_t> open_calls_;
  std::size_t live_open_ = 0;  // calls that were output in part
  std::map<std::size_t, std::string_view>
      restated_;  // the arguments of calls, in `kept_`, by block
  detail::CompleteCall complete_call_;
};

}  // namespace understudy
