/// Puts the seals of an answer's reasoning into carriers, for a client that does not speak the issuer's protocol or
/// whose home is another member.
///
/// Invariants
/// 1. Seals of the home (ReasoningOrigin::home) are not changed.
/// 2. A client of Messages or Responses gets no reasoning without a seal: where the issuer sends none, `missing` has one,
///    to be written before the event that follows the reasoning.
///    A client of Responses that does not ask for encrypted reasoning gets no carriers.
/// 3. A seal that no carrier can hold is replaced by one that stands for reasoning, and that no member can read.
///
///     CarriedSeals seals(request);
///     seals.from(answer.origin(), answer.protocol());
///     if (const Event* seal = seals.missing(event)) { encoder.write(*seal, out); }
///     if (const Event* carried = seals.carried(event)) { encoder.write(*carried, out); }
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "understudy/export.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/reasoning_origin.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm {

/// See the top of the file. Serves one answer. Threads: one at a time.
class UNDERSTUDY_API CarriedSeals {
 public:
  /// `asked`: the client's request, of which only `origin` and `body` are read. `carry`: false if the client is to get
  /// no reasoning but its home's.
  explicit CarriedSeals(const Request& asked, bool carry = true);

  /// Whether the client gets reasoning of others than its home.
  bool carries() const noexcept { return carry_; }

  /// The events from now on are of this member, which speaks `protocol`. Returns the seal to write before them, if an
  /// earlier member's reasoning is open, or null. It is valid until the next call.
  const Event* from(const ReasoningOrigin& by, Protocol protocol);

  /// Returns the seal to write before `next`, or null. It is valid until the next call.
  const Event* missing(const Event& next);

  /// Records an event whose own bytes the client got, mended (stream_mend.hpp).
  void follow(const Event& event);

  /// Returns the event as the client gets it, or null if it does not. It is valid until the next call, and as long as
  /// `event`.
  const Event* carried(const Event& event);

 private:
  Protocol client_;
  bool wanted_;  // the client sends seals back
  bool carry_;
  ReasoningOrigin by_;
  Protocol spoken_ = Protocol::anthropic_messages;
  std::optional<std::size_t> open_;  // the block of reasoning that has no seal yet
  ReasoningOrigin open_by_;
  const Event* unsigned_seal();
  void note(const Event& event);

  std::string text_;  // of the open block, where the carrier has to hold it
  std::string seal_;
  std::optional<Event> event_;
};

/// The same of the JSON of a whole answer in the client's protocol, in place. Chat has no such seals.
UNDERSTUDY_API void carry_seals(std::string& json, Protocol protocol, const ReasoningOrigin& by);

/// The same of a whole answer, by its `origin` and `protocol`.
UNDERSTUDY_API void carry_seals(Answer& answer, const Request& asked, bool carry = true);

}  // namespace understudy::llm
