/// Folds the events of a provider's stream into the whole answer, in the provider's own form: the JSON that the provider
/// would have sent if the answer had not been streamed.
///
/// Invariants
/// 1. Members that the library does not know are kept, wherever they are: log probabilities, citations, several choices,
///    blocks of server tools, calls of custom tools, signatures.
/// 2. What the decoder corrects is corrected here too: arguments that were sent twice, and a finish reason that
///    contradicts the calls. The typed answer says what it made of them.
/// 3. Any bytes are valid input. An event that begins like a JSON object and is malformed fails the answer, since a part
///    of it is lost. Anything else that is not a JSON object is skipped.
/// 4. The time is near-linear in the size of the stream. The memory is about the size of the answer, and at most
///    `longest_folded`; a larger answer fails.
///
///     Answer answer;
///     AnswerFold fold(Protocol::openai_chat);
///     while (const Event* event = decoder.next()) {
///       answer.add(*event);
///       fold.feed(event->raw);
///     }
///     const Result<std::string> body = fold.finish(answer);
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/sse.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm {

class Answer;

namespace detail {
class PayloadFold;
}

/// The size limit of a folded answer in bytes of JSON. It is larger than `longest_answer`, which is for text: log
/// probabilities are many times the text that they are about.
inline constexpr std::size_t longest_folded = std::size_t{64} * 1024 * 1024;

/// See the top of the file. A fold serves one answer. Threads: one at a time. Movable.
class UNDERSTUDY_API AnswerFold {
 public:
  /// `shape`: whether the answer comes as a stream, or as one body (Stream::whole).
  explicit AnswerFold(Protocol protocol, BodyShape shape = BodyShape::stream,
                      std::size_t longest = longest_folded);
  ~AnswerFold();
  AnswerFold(AnswerFold&&) noexcept;
  AnswerFold& operator=(AnswerFold&&) noexcept;

  /// Adds bytes of the stream or body, divided anywhere: `Event::raw`.
  void feed(std::string_view raw);

  /// Returns whether the answer cannot be folded any more; `finish` says why.
  bool failed() const noexcept { return why_ != nullptr || sse_.error(); }

  /// Returns the whole answer. `typed`: the same answer, read from the same bytes by an EventDecoder, and complete. If no
  /// event had anything of the answer, the result is `typed` as the codec writes it. Errors: `malformed_response`. Call it
  /// once.
  Result<std::string> finish(const Answer& typed);

 private:
  void add(std::string_view name, std::string_view data);

  Protocol protocol_;
  BodyShape shape_;
  std::size_t longest_;
  std::unique_ptr<detail::PayloadFold> fold_;
  SseParser sse_;
  std::string body_;     // a whole one
  std::string compact_;  // the event that is being added
  text::Arena arena_;
  std::size_t unmeasured_ = 0;
  const char* why_ = nullptr;
};

}  // namespace understudy::llm
