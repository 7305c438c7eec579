/// A streamed answer, from which the caller reads one event at a time.
///
/// Invariants
/// 1. A Stream exists from the first progress on. `try_next` begins with all events until then, including Start.
/// 2. It ends in one of two ways: `ready` returns false, and the answer is complete; or `ready` returns a Failure. A
///    truncated answer is never complete.
/// 3. Only `ready` waits, and stall limits run only while it waits, so that a slow consumer is not taken for a stalled
///    provider. (The deadline of the call always runs.) A limit that expires closes the connection.
/// 4. An event and its views are valid until the next call of `ready`.
/// 5. A provider's answer has at most `longest_answer` bytes of text, reasoning and tool calls. A larger answer fails
///    with `malformed_response`, so that a consumer that stores an answer needs no limit of its own.
/// 6. The destructor closes the connection abruptly, unless the answer was read to its end.
///
///     while ((co_await stream.ready()).value()) {
///       while (const Event* event = stream.try_next()) { ... }
///     }
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/answer_fold.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/reasoning_origin.hpp"
#include "understudy/llm/stream_mend.hpp"
#include "understudy/runtime/stall_state.hpp"

namespace understudy::llm {

/// In bytes; see invariant 5.
inline constexpr std::size_t longest_answer = std::size_t{32} * 1024 * 1024;

/// The implementation behind a Stream. Its functions have the contracts of the functions of the same name there.
class UNDERSTUDY_API StreamSource {
 public:
  virtual ~StreamSource() = default;

  /// The protocol that the provider speaks.
  virtual Protocol protocol() const noexcept = 0;
  /// Whether the answer came in one piece.
  virtual bool whole() const noexcept { return false; }
  /// The next event if it has arrived, else nullptr.
  virtual const Event* try_next() = 0;
  /// Completes when an event has arrived (true), or at the end of the answer (false).
  virtual asio::awaitable<Result<bool>> ready() = 0;
  /// The number of events that could not be decoded.
  virtual std::uint64_t undecodable() const noexcept { return 0; }
  /// Whether the finish was concluded from what came before it.
  virtual bool inferred_finish() const noexcept { return false; }
  /// Where reasoning in this answer comes from.
  virtual const ReasoningOrigin& origin() const noexcept;
  /// Sets what is asked before the stream waits longer for a member that has stalled.
  virtual void ask_takeover(const std::function<Takeover()>& /*may_another_take_over*/) {}
};

/// See the top of the file. Movable. Threads: only the executor on which it was opened.
class UNDERSTUDY_API Stream {
 public:
  explicit Stream(std::unique_ptr<StreamSource> source) noexcept : source_(std::move(source)) {}

  /// Returns the protocol of the events' raw bytes.
  Protocol protocol() const noexcept { return source_->protocol(); }

  /// Returns whether the answer was received as one body. In that case the events' raw bytes are not frames of a
  /// stream.
  bool whole() const noexcept { return source_->whole(); }

  /// Returns the next event that has already been received, or nullptr. Never returns an Error or an Undecodable: these
  /// are the failure of `ready`. An error of the provider is ignored after its finish.
  const Event* try_next() { return source_->try_next(); }

  /// Completes with true when `try_next` has an event, or with false at the end of a complete answer. Errors: the
  /// provider's error, classified; `connection` if the connection broke; `malformed_response` if the stream ended
  /// without its terminal event; the code of a limit that expired, with evidence. After an error, every call fails with
  /// the same error. Cancellation: throws operation_aborted and closes the connection; later calls fail with
  /// StopReason::cancelled.
  asio::awaitable<Result<bool>> ready() { return source_->ready(); }

  /// Returns how many parts of the answer could not be decoded so far. Noise is dropped; anything else ends the answer.
  std::uint64_t undecodable() const noexcept { return source_->undecodable(); }

  /// Returns whether the provider ended a complete answer without reporting why (protocols.md 9.2).
  bool inferred_finish() const noexcept { return source_->inferred_finish(); }

  /// Returns whose reasoning the answer has. Its provider is empty if that is not known. It lives as long as the stream.
  const ReasoningOrigin& origin() const noexcept { return source_->origin(); }

  /// Sets the function that is asked when a progress limit expires. If no member can take over, the limit becomes
  /// `last_member` (failover.md 2.5). Without a function, limits apply as they are. The function must outlive the
  /// stream.
  void ask_takeover(const std::function<Takeover()>& may_another_take_over) {
    source_->ask_takeover(may_another_take_over);
  }

 private:
  std::unique_ptr<StreamSource> source_;
};

/// Reads the rest of the stream and assembles the answer. Completes with a complete answer. With `fold`, the answer has
/// its `provider_json`, of frames that `mend` has mended. Errors and cancellation: as for Stream::ready, and as for AnswerFold::finish. `stream`,
/// `fold` and `mend` must outlive the operation.
UNDERSTUDY_API asio::awaitable<Result<Answer>> read_answer(Stream& stream,
                                                           AnswerFold* fold = nullptr,
                                                           StreamMend* mend = nullptr);

}  // namespace understudy::llm
