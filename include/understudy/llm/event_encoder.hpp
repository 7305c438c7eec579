/// Events to a client's bytes: the gateway's half of a codec, for streams. (A whole answer: answer.hpp.)
///
/// Invariants
/// 1. Where the provider's protocol is the client's, an event's own bytes (`Event::raw`) are what it gets:
///    unknown fields survive. `forward` replaces the model's name in them, and nothing else.
/// 2. `write` makes an answer in due form out of any events in the order of event.hpp: indices without a gap, one
///    id for each item from begin to end, a time where the protocol has one, a block that was left open is
///    closed (but for a call that was cut, at the end of an Anthropic stream), a terminal is written once. What
///    the protocol has no form for is left out.
/// 3. After `follow`, `write` goes on behind what the provider's own bytes said: with its indices, ids and time.
/// 4. Decoding what `write` wrote gives the events again, but for Other, Undecodable and Retract.
///
///     const auto encoder = codec_for(Protocol::openai_chat).encoder(request);
///     std::string out;
///     while (const Event* event = decoder.next()) { encoder->write(*event, out); }
#pragma once

#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::llm {

/// See the top of the file. One answer; one thread at a time.
class UNDERSTUDY_API EventEncoder {
 public:
  virtual ~EventEncoder() = default;

  /// Appends what the client is to get for this event. Some of it may wait for the events that follow;
  /// End or Error brings it all out.
  virtual void write(const Event& event, std::string& out) = 0;

  /// Takes note of an event whose own bytes the client got: as `write`, with what it appends thrown away, but
  /// cheaper where that is much.
  virtual void follow(const Event& event);

 private:
  std::string unused_;
};

/// Appends the event's own bytes, with the model's name replaced where it stands in them. For a client
/// that speaks the provider's protocol. After a switch within an answer, `write` goes on; it must have
/// followed the earlier events to know what is open.
UNDERSTUDY_API void forward(const Event& event, std::string_view model, std::string& out);

}  // namespace understudy::llm
