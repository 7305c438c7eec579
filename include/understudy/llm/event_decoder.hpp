/// Decodes a provider's bytes into events: the client's half of a codec.
///
/// Invariants
/// 1. The events do not depend on how the bytes are divided into pieces. (For an event that cannot be decoded, the
///    stated cause may differ.)
/// 2. Any bytes are valid input. An event that looks like JSON and is not valid as a whole is reported (Undecodable): a
///    part of the answer is lost, and the answer has failed. Data that does not look like JSON is noise: it is dropped.
///    Both are counted. Only an event beyond the size limit ends decoding, with `error`.
/// 3. In the steady state there are no allocations. Between two pieces little memory is held: the read buffer belongs
///    to the caller, and the decoder's own memory shrinks after a large event.
/// 4. There is at most one Error; a second error of the provider is ignored.
/// 5. Finish and End come only when the stream has ended, so that no consumer takes a truncated answer for a complete
///    one. A finish that the provider reports is held until End, until `end`, or until `settle`. More of the answer takes
///    it back, and the last one counts. A stream that ends without a finish is cut, unless its finish can be inferred
///    (protocols.md 9.2).
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
#include "understudy/llm/detail/finish_hold.hpp"
#include "understudy/llm/detail/split_characters.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/sse.hpp"

namespace understudy::llm {

namespace detail {
class EventSink;
class PayloadReader;
}  // namespace detail

/// The state of an answer.
enum class Ending : unsigned char {
  cut,       ///< neither of the others: if nothing follows, the answer is truncated
  complete,  ///< Finish was emitted
  failed,    ///< Error or Undecodable was emitted
};

/// See the top of the file. A decoder serves one answer. Threads: one at a time. Movable.
class UNDERSTUDY_API EventDecoder {
 public:
  /// `longest`: the size limit in bytes of one event of a stream, or of a whole body.
  explicit EventDecoder(Protocol protocol, BodyShape shape = BodyShape::stream,
                        std::size_t longest = sse_longest_block);
  ~EventDecoder();
  EventDecoder(EventDecoder&&) noexcept;
  EventDecoder& operator=(EventDecoder&&) noexcept;

  /// Adds the next piece of the body; see SseParser::feed for lifetimes and `readable_beyond`. Call `next` until it
  /// returns nullptr before adding another piece. A whole body may also be added in pieces.
  void feed(std::string_view piece, std::size_t readable_beyond = 0);

  /// Signals the proper end of the body. A whole body is decoded now; an unfinished event of a stream is discarded, unless
  /// it is an error outside of any `data` field (SseParser::end). A finish that is held is emitted. Call `next`
  /// afterwards, until it returns nullptr.
  void end();

  /// Emits a finish that is held: nothing more is expected. Call `next` afterwards, as for `end`.
  void settle() noexcept { settling_ = true; }

  /// Returns the finish that is held.
  detail::HeldFinish held() const noexcept;
  /// Returns whether usage was reported with the finish that is held, or after it: nothing but End is expected then.
  bool counted() const noexcept { return hold_.counted(); }

  /// Returns the next event, which is valid until the next call of `next`, and its views until the next `feed`. Returns
  /// nullptr if more input is needed or `error` is set.
  const Event* next();

  /// Returns why decoding ended early, or a code without an error.
  error_code error() const noexcept { return error_; }
  /// How the answer has ended so far: completely, broken off, or not at all.
  Ending ending() const noexcept;
  bool ended() const noexcept { return ended_; }  ///< the terminal event was received
  /// Returns the number of events that could not be decoded, noise among them.
  std::uint64_t undecodable() const noexcept { return undecodable_; }
  bool inferred() const noexcept { return inferred_; }  ///< Finish was inferred

 private:
  void read(const SseBlock& block);
  void read_error(const SseBlock& block);
  void parse(const SseBlock& block);
  std::string_view in_raw(const SseBlock& block, std::string_view part) const;
  void place(const SseBlock& block, const detail::EventSink& sink);
  void pass(const SseBlock& block, const detail::EventSink& sink, std::string_view model);
  void hold(const SseBlock& block, std::string_view model);
  void split(const SseBlock& block, const detail::EventSink& sink);
  void take_back();
  void release();
  void settle_now();
  bool settle_held();
  void take_note();
  void drop_false_end();

  std::unique_ptr<detail::PayloadReader> reader_;
  BodyShape shape_;
  std::size_t longest_;
  SseParser sse_;
  std::string body_;  // a whole one
  std::vector<Event> events_;
  std::size_t next_ = 0;
  std::size_t taken_back_ = 0;  // the events at the front that come from what was held
  text::Arena arena_;
  detail::DeltaTemplate last_;
  detail::FinishHold hold_;
  detail::SplitCharacters halves_;
  error_code error_;
  std::uint64_t undecodable_ = 0;
  bool finished_ = false;
  bool failed_ = false;
  bool ended_ = false;
  bool settling_ = false;
  bool inferred_ = false;
};

}  // namespace understudy::llm
