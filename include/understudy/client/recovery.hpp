/// What becomes of an answer that breaks when a part of it was seen: what may still be done, and how another
/// member's words become part of it. Pure: it is told of events, and says what the consumer gets.
///
/// Invariants
/// 1. What comes out, from the first event to the last, is one answer in due form: one Start, blocks numbered
///    on, usage that counts all members, one Finish. Each character once.
/// 2. A tool call comes out when it is complete, with all that came after its begin. One that was cut has never
///    been; it is asked for afresh. After a complete one came out nothing is generated anew: `give_up`.
/// 3. Text is gone on with behind its last character, reasoning never: what was cut stays as it is, and who
///    goes on begins a block of its own.
/// 4. The first member's events come out as they are, with their bytes. Those of the others have no bytes: they
///    are to be written in the consumer's protocol.
///
/// (Reasoning is shown at once (failover.md 9.3), and not held back until its block closes: a reasoning model would
/// else look stalled for minutes, and a block that ends early is valid in every protocol.)
///
///     Recovery recovery;
///     while (const Event* event = stream.try_next()) {
///       if (recovery.take(*event)) { deliver(*event); }
///       while (const Event* kept = recovery.next()) { deliver(*kept); }
///     }
///     if (recovery.rung() == Rung::go_on) { ask(another, recovery.text()); recovery.goes_on(Rung::go_on); }
#pragma once

#include <cstddef>
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

/// What may be done about a broken answer, the best first.
enum class Rung : unsigned char {
  anew,     ///< no text was seen: another member begins, and nobody notices
  go_on,    ///< another member goes on with the text, where its words join it
  give_up,  ///< a failure
};

/// See the top of the file. A value; one thread at a time.
class UNDERSTUDY_API Recovery {
 public:
  /// Of text that is kept to be gone on with, but for its last event, and of a tool call that is kept back.
  static constexpr std::size_t most_kept = std::size_t{16} * 1024 * 1024;

  /// An event of the member that answers now. True: it goes to the consumer as it is, now. Else `next` has what
  /// the consumer is to get for it, if anything. Of a member that goes on with text this must be the events after
  /// the seam.
  bool take(const llm::Event& event);

  /// The next event that is due, or nullptr. Valid until `forget_given`.
  const llm::Event* next() noexcept { return due_.next(); }

  /// Gives back the memory of what `next` has given, if it has given all.
  void forget_given();

  /// A tool call has grown beyond all bounds.
  bool overflowed() const noexcept { return kept_.bytes() > most_kept; }

  /// What could be done if the answer broke now.
  Rung rung() const;

  /// The text so far: what another member is to go on with.
  const std::string& text() const noexcept { return text_; }

  /// A tool call was cut: the text before it is all there is to be of it, and who goes on may begin with the call.
  bool cut_in_call() const noexcept { return !open_calls_.empty(); }

  /// The tool call that came out complete, if one did: its name and id.
  const std::optional<std::string>& complete_call() const noexcept { return complete_call_.name(); }

  /// The answer broke, and another member answers: its events come from now on.
  void goes_on(Rung rung);

  /// Whether the events that come out have no bytes of their own any more.
  bool resumed() const noexcept { return from_.has_value(); }

 private:
  void see(const llm::Event& event);
  void keep(const llm::Event& event);
  void release();
  void rewrite(const llm::Event& event);
  std::size_t place_of(std::size_t block);

  std::optional<Rung> from_;  // nothing: the first member answers
  std::string text_;
  std::size_t blocks_ = 0;                // that the consumer has seen begin
  std::optional<std::size_t> open_text_;  // the last block, if it is one of text
  std::optional<std::size_t> go_on_in_;   // the first text of who goes on belongs there
  std::map<std::size_t, std::size_t>
      places_;                  // of a later member's blocks: where they are for the consumer
  std::size_t next_place_ = 0;  // behind all of them
  llm::Usage earlier_;          // what members that broke have used
  llm::Usage usage_;            // what is known of all of them
  detail::HeldEvents due_;
  detail::HeldEvents kept_;  // since a tool call began
  std::vector<std::size_t> open_calls_;
  detail::CompleteCall complete_call_;
};

}  // namespace understudy
