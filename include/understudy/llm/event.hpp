/// The events of a model's answer, in a form that does not depend on the protocol.
///
/// Invariants
/// 1. An answer consists of Start, then blocks (text, reasoning, tool calls) and Usage, then Finish, then End.
///    Heartbeat and Other may occur anywhere. Error ends the answer wherever it occurs.
/// 2. Blocks are numbered 0, 1, 2... in the order in which they begin. Several blocks may be open at the same time: the
///    arguments of parallel tool calls may be interleaved.
/// 3. An answer is complete if and only if Finish was received. A decoder emits it only when the stream has ended: a
///    finish that the provider reports may be followed by more of the answer (protocols.md 9.2).
/// 4. A tool call may be run only after a ToolEnd whose `complete` is true. A decoder sets it if the arguments are valid
///    JSON and the call was closed, or the answer finished.
/// 5. Usage is cumulative: each Usage replaces the previous ones. A value that was not reported is empty, not zero.
/// 6. Every view is valid until the next call of the decoder's `feed`.
/// 7. The `raw` members of all events, concatenated, are what a client of the same protocol gets: the stream as it was
///    received, without noise and without finishes that were followed by more of the answer; a finish that came with
///    content has a frame of its own. If one event of the wire produces several events, the first of them has its bytes
///    and the others have none; but the bytes of a finish belong to Finish, and not to the ToolEnds before it.
///
///     if (const auto* text = std::get_if<Text>(&event.body)) { std::cout << text->text; }
///     if (is_progress(event)) { stall.progressed(); }
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "understudy/export.hpp"
#include "understudy/llm/tool_form.hpp"

namespace understudy::llm {

/// The answer begins. This is not progress: a request that is still queued can produce a Start.
class Start {
 public:
  Start() noexcept {}
  Start(std::string_view i, std::string_view m) noexcept : id(i), model(m) {}

  std::string_view id;     ///< the provider's id of the answer
  std::string_view model;  ///< the name of the model that answers, as the provider reports it
  /// How many pieces of earlier reasoning the provider reports to have kept from the model: `input_transformations` of
  /// Messages (Claude docs: Fix a thinking block bound to a different conversation).
  std::size_t reasoning_dropped = 0;
};

/// More of the answer's text.
class Text {
 public:
  Text(std::size_t b, std::string_view t, bool r = false) noexcept
      : block(b), text(t), refusal(r) {}

  std::size_t block;
  std::string_view text;
  bool refusal;  ///< the text is a refusal
};

/// More of the model's readable reasoning.
class Reasoning {
 public:
  Reasoning(std::size_t b, std::string_view t, std::string_view i = {}) noexcept
      : block(b), text(t), id(i) {}

  std::size_t block;
  std::string_view text;
  /// The id of the item, in protocols whose items have ids. Only the first event of a block has it.
  std::string_view id;
};

/// Reasoning data that only the provider can read, and that it requires back unchanged. Replaces an earlier seal of the
/// same block.
class ReasoningSeal {
 public:
  /// signature: signs the block's text; redacted: replaces the block's text; encrypted: the whole item; call: signs the
  /// tool call that follows.
  enum class Kind : unsigned char { signature, redacted, encrypted, call };

  ReasoningSeal(std::size_t b, Kind k, std::string_view d, std::string_view i = {}) noexcept
      : block(b), kind(k), data(d), id(i) {}

  std::size_t block;
  Kind kind;
  std::string_view data;
  std::string_view id;  ///< the id of the item, in protocols whose items have ids
};

/// A tool call begins.
class ToolStart {
 public:
  ToolStart(std::size_t b, std::string_view i, std::string_view n) noexcept
      : block(b), id(i), name(n) {}

  std::size_t block;
  std::string_view id;  ///< the id that the tool's result must contain
  std::string_view name;
  std::string_view name_space;  ///< the namespace of the tool (Responses); empty: none
  ToolForm form = ToolForm::function;
};

/// More of a tool call's arguments. All pieces concatenated are JSON text, whatever the form of the tool is
/// (tool_form.hpp); if they are empty, the arguments are `{}`.
class ToolArguments {
 public:
  ToolArguments(std::size_t b, std::string_view j) noexcept : block(b), json(j) {}

  std::size_t block;
  std::string_view json;
};

/// A tool call ends.
class ToolEnd {
 public:
  ToolEnd(std::size_t b, bool c, std::string_view r = {}) noexcept
      : block(b), complete(c), restated(r) {}

  std::size_t block;
  bool complete;  ///< false: the call was truncated and must not be run
  /// The arguments, if the pieces concatenated are not: some providers send what they have sent again. Otherwise empty.
  std::string_view restated;
};

/// Token counts, defined in the same way for all protocols (protocols.md 9.4).
class Usage {
 public:
  Usage() noexcept {}

  std::optional<std::uint64_t> input;  ///< without tokens read from or written to the cache
  std::optional<std::uint64_t> cache_read;
  std::optional<std::uint64_t> cache_write;
  std::optional<std::uint64_t> output;     ///< including reasoning
  std::optional<std::uint64_t> reasoning;  ///< the part of `output` that is reasoning

  bool operator==(const Usage&) const = default;
};

/// Why the model ended its answer (protocols.md 9.3).
enum class FinishReason : unsigned char {
  stop,           ///< the model finished its answer
  stop_sequence,  ///< a stop sequence of the request occurred
  length,         ///< the token limit of the request was reached
  tool_use,       ///< the model waits for the results of its tool calls
  refusal,        ///< the model or a filter refused to answer
  pause,          ///< a server-side tool loop paused: send the answer back to continue
  context_full,   ///< the context window is full
  other,          ///< an unknown reason, which is in `native`
};

/// Returns the name of the enumerator. The text lives as long as the program.
UNDERSTUDY_API std::string_view to_string(FinishReason reason) noexcept;

/// The content of the answer is complete. Only Usage and End may follow.
class Finish {
 public:
  Finish(FinishReason r, std::string_view n, std::string_view s = {}) noexcept
      : reason(r), native(n), stop_sequence(s) {}

  FinishReason reason;
  std::string_view native;         ///< the reason as the protocol spells it
  std::string_view stop_sequence;  ///< the stop sequence that occurred, if it is known
  std::string_view explanation;    ///< of a refusal, in the provider's words; empty: none
  bool inferred = false;           ///< the provider reported no finish (protocols.md 9.2)
};

/// The terminal event of the stream, such as `message_stop` or `[DONE]`.
class End {};

/// Shows that the connection is alive, and nothing else: a ping, a keepalive or a comment.
class Heartbeat {};

/// The provider reported an error. An answer has at most one.
class Error {
 public:
  Error() noexcept {}
  Error(std::string_view t, std::string_view c, std::string_view m) noexcept
      : type(t), code(c), message(m) {}

  std::string_view type;
  std::string_view code;
  std::string_view message;
  std::string_view json;  ///< the event's data or the body, unchanged
};

/// An event that the neutral form cannot express: the beginning or end of a block, a citation, the result of a server
/// tool, an empty delta, or an event of an unknown type. A client that speaks the same protocol gets it unchanged.
class Other {
 public:
  Other(std::string_view t, bool p) noexcept : type(t), progress(p) {}

  std::string_view type;
  bool progress;  ///< it is a part of the answer, such as the beginning of a new block
};

/// A part of the answer was lost: an event that looks like JSON could not be parsed, or the arguments of a tool call are
/// not JSON. What follows must not be taken for the answer.
class Undecodable {
 public:
  explicit Undecodable(const char* w) noexcept : why(w) {}

  const char* why;
};

/// Invalidates all events before it: another answer begins, with its own Start. Providers never send it. A Delivery
/// (client/delivery.hpp) sends it to a consumer that has declared that it supports it. No protocol can express it, so
/// encoders omit it.
class Retract {};

/// One event of an answer. It does not own the text that its views refer to.
class Event {
 public:
  /// One alternative for each kind of event.
  using Body =
      std::variant<Start, Text, Reasoning, ReasoningSeal, ToolStart, ToolArguments, ToolEnd, Usage,
                   Finish, End, Heartbeat, Error, Other, Undecodable, Retract>;

  explicit Event(const Body& b) noexcept : body(b) {}

  Body body;
  std::string_view raw;    ///< the bytes of the event; see invariant 7
  std::string_view model;  ///< the model's name as a part of `raw`, as it is written there
  bool changed =
      false;  ///< the event says something else than its bytes (EventEncoder::write_changed)
};

/// Returns whether the event is progress, which is what a stall limit waits for: content, reasoning, tool arguments, or
/// the end of them (protocols.md 9.1). Heartbeats, start markers, empty deltas and token counts are not progress.
UNDERSTUDY_API bool is_progress(const Event& event) noexcept;

}  // namespace understudy::llm
