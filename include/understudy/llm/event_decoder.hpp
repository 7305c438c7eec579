/// A provider's bytes to events: the client's half of a codec.
///
/// Invariants
/// 1. However the bytes are cut into pieces, the same events come out (of an undecodable one, what was
///    found wrong first may differ).
/// 2. Any bytes may come in. An event that cannot be read is reported (Undecodable), counted and skipped;
///    the stream goes on. Only a block beyond the bound ends it, with `error`.
/// 3. In steady state nothing is allocated, and between two reads little is held: the read buffer is the
///    caller's, and what is taken apart shrinks again after a large event.
/// 4. There is at most one Error; a provider that says it twice is believed once.
///
///     EventDecoder decoder(Protocol::anthropic_messages);
///     decoder.feed(bytes);
///     while (const Event* event = decoder.next()) { ... }
#pragma once

#include <boost/system/error_code.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/detail/delta_template.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/sse.hpp"

namespace understudy::llm {

namespace detail {
class PayloadReader;
}

/// What an answer has come to.
enum class Ending : unsigned char {
  cut,       ///< neither of the others: if nothing more comes, the answer is broken
  complete,  ///< Finish came
  failed,    ///< Error came
};

/// See the top of the file. One answer; one thread at a time.
class UNDERSTUDY_API EventDecoder {
 public:
  /// `longest`: bound in bytes on one event of a stream, or on a whole body.
  explicit EventDecoder(Protocol protocol, BodyShape shape = BodyShape::stream,
                        std::size_t longest = sse_longest_block);
  ~EventDecoder();
  EventDecoder(EventDecoder&&) noexcept;
  EventDecoder& operator=(EventDecoder&&) noexcept;

  /// Takes the next piece of the body; see SseParser::feed. Ask `next` until there is nothing before
  /// feeding another. A whole body may come in pieces too.
  void feed(std::string_view piece, std::size_t readable_beyond = 0);

  /// The body has ended in due form. A whole body is read now; an unfinished event of a stream is dropped.
  void end();

  /// The next event, or nullptr if more input is needed or `error` says why there will be none.
  const Event* next();

  error_code error() const noexcept { return error_; }
  Ending ending() const noexcept;
  bool ended() const noexcept { return ended_; }  ///< End came
  std::uint64_t undecodable() const noexcept { return undecodable_; }

 private:
  void read(const SseBlock& block);
  std::string_view parse(const SseBlock& block);
  void take_note(std::size_t first);

  std::unique_ptr<detail::PayloadReader> reader_;
  BodyShape shape_;
  std::size_t longest_;
  SseParser sse_;
  std::string body_;  // a whole one
  std::vector<Event> events_;
  std::size_t next_ = 0;
  text::Arena arena_;
  detail::DeltaTemplate last_;
  error_code error_;
  std::uint64_t undecodable_ = 0;
  bool finished_ = false;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace understudy::llm
