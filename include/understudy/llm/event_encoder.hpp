/// Encodes events as the bytes of a client's stream: the gateway's half of a codec. (For whole answers see answer.hpp.)
///
/// Invariants
/// 1. If the provider and the client speak the same protocol, the client gets the bytes of the event (`Event::raw`), so
///    that unknown fields are preserved. `forward` replaces the model's name in them, and nothing else.
/// 2. `write` produces a valid answer from any events in the order of event.hpp: contiguous indices, one id for each
///    item from its beginning to its end, and a time if the protocol has one. A block ends before the next one begins,
///    all of them before the terminal event (but not before an Error), and nothing is written after the terminal event
///    or an Error. Events that the protocol cannot express are omitted.
///    It also accepts what providers do: a second Start, whose blocks follow those of the first; content after Finish;
///    several Finishes, of which the last one counts. An End without a Finish writes nothing.
/// 3. After `follow`, `write` continues after the provider's bytes: it uses the indices, ids and time found in them.
/// 4. Decoding the output of `write` yields the same events, except for Other, Undecodable and Retract, and for words
///    that the protocol lacks: a client gets only finish reasons and error types that its protocol has.
/// 5. Heartbeats are the protocol's own events where those can stand, and comments elsewhere.
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

/// See the top of the file. An encoder serves one answer. Threads: one at a time.
class UNDERSTUDY_API EventEncoder {
 public:
  virtual ~EventEncoder() = default;

  /// Appends the bytes of the event to `out`. The encoder may hold some of them back until later events; End and Error
  /// write everything that is held.
  virtual void write(const Event& event, std::string& out) = 0;

  /// Appends an event that says something else than its own bytes, between events whose bytes the client got. Where the
  /// protocol restates the event later, its bytes will do.
  virtual void write_changed(const Event& event, std::string& out) { write(event, out); }

  /// Records an event whose own bytes the client got. The effect is that of `write` with its output discarded, at a
  /// lower cost where that output is large.
  virtual void follow(const Event& event);

 private:
  std::string unused_;
};

/// Appends the event's own bytes to `out`, with the model's name in them replaced by `model`. For clients that speak
/// the provider's protocol. If another member continues the answer, use `write` from then on; the encoder must have
/// followed the earlier events in order to know which blocks are open.
UNDERSTUDY_API void forward(const Event& event, std::string_view model, std::string& out);

}  // namespace understudy::llm
