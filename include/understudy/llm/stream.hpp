/// An answer while it comes: events, pulled one at a time.
///
/// Invariants
/// 1. It is opened at its first progress: `try_next` begins with what came until then, Start included.
/// 2. It has one end: `ready` says false, and the answer is complete, or a Failure. What was cut short is
///    never complete.
/// 3. Only `ready` waits, and only while it waits do stall limits run (the call's deadline runs always):
///    a slow consumer is no stalled provider. A limit that runs out closes the connection.
/// 4. An event and its views are valid until the next `ready`.
/// 5. A provider's answer has at most `longest_answer` bytes of text, reasoning and calls: more is
///    `malformed_response`, so that who keeps it keeps no more.
/// 6. Dropping it closes the connection, abruptly, unless the answer was read to its end.
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
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/runtime/stall_state.hpp"

namespace understudy::llm {

inline constexpr std::size_t longest_answer = std::size_t{32} * 1024 * 1024;

/// What a Stream reads from; see there for what is asked of both functions.
class UNDERSTUDY_API StreamSource {
 public:
  virtual ~StreamSource() = default;

  virtual Protocol protocol() const noexcept = 0;
  virtual bool whole() const noexcept { return false; }
  virtual const Event* try_next() = 0;
  virtual asio::awaitable<Result<bool>> ready() = 0;
  virtual void ask_takeover(const std::function<Takeover()>& /*may_another_take_over*/) {}
};

/// See the top of the file. Threads: the executor it was opened on.
class UNDERSTUDY_API Stream {
 public:
  explicit Stream(std::unique_ptr<StreamSource> source) noexcept : source_(std::move(source)) {}

  /// Whose words the events' raw bytes are.
  Protocol protocol() const noexcept { return source_->protocol(); }

  /// Whether it came as one body: the events' raw bytes are no frames of a stream then.
  bool whole() const noexcept { return source_->whole(); }

  /// The next event that has come already, or nullptr. An Error is no event here but `ready`'s failure,
  /// or nothing behind a Finish.
  const Event* try_next() { return source_->try_next(); }

  /// Completes when `try_next` has something: true; or at the end of a complete answer: false. Errors:
  /// the provider's, classified; `connection` when the connection broke; `malformed_response` when the
  /// stream ended without its terminal event; a limit's code, with evidence, when it ran out; and always
  /// the same one afterwards. Cancellation: throws operation_aborted, the connection is
  /// closed, and from then on it fails with StopReason::cancelled.
  asio::awaitable<Result<bool>> ready() { return source_->ready(); }

  /// Who can go on where this stream stalls says so, and is asked when a progress limit runs out: where nobody
  /// can take over, the limit becomes `last_member` (failover.md 2.5). Without it a limit stands as it is. What is
  /// given must outlive the stream.
  void ask_takeover(const std::function<Takeover()>& may_another_take_over) {
    source_->ask_takeover(may_another_take_over);
  }

 private:
  std::unique_ptr<StreamSource> source_;
};

/// Reads the rest and puts it together. Completes with a complete answer; errors and cancellation as
/// `ready`. `stream` must outlive it.
UNDERSTUDY_API asio::awaitable<Result<Answer>> read_answer(Stream& stream);

}  // namespace understudy::llm
