/// What a model's answer says, piece by piece, whoever's protocol it came in.
///
/// Invariants
/// 1. An answer is: Start, then blocks (text, reasoning, tool calls) and Usage, then Finish, then End.
///    Heartbeat and Other may stand anywhere; Error ends it wherever it stands.
/// 2. Blocks are numbered 0, 1, 2... in the order in which they begin. Several may be open at once: the
///    arguments of parallel tool calls may alternate.
/// 3. An answer is complete if and only if Finish came. End says only that the provider closed the stream
///    in due form.
/// 4. A tool call may be run only after a ToolEnd that says it is complete. A decoder says so when the
///    answer finished for the sake of the calls, or when the protocol closed the call itself.
/// 5. Usage is cumulative: each one replaces those before. What was not said is nothing, not zero.
/// 6. Every view is valid until the decoder's next `feed`.
/// 7. The `raw` of all events, one after the other, is the stream as it came. Where one event of the
///    wire says several things, the first of them has its bytes and the others none.
///
///     if (const auto* text = std::get_if<Text>(&event.body)) { std::cout << text->text; }
///     if (is_progress(event)) { stall.progressed(); }
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "understudy/export.hpp"

namespace understudy::llm {

/// The answer begins. Proves nothing about progress: a queued request has one too.
class Start {
 public:
  Start() noexcept {}
  Start(std::string_view i, std::string_view m) noexcept : id(i), model(m) {}

  std::string_view id;     ///< the provider's name for the answer
  std::string_view model;  ///< the model that answers, as the provider calls it
};

/// More of the answer's text.
class Text {
 public:
  Text(std::size_t b, std::string_view t, bool r = false) noexcept
      : block(b), text(t), refusal(r) {}

  std::size_t block;
  std::string_view text;
  bool refusal;  ///< the model says why it will not answer
};

/// More of the model's thinking that one can read.
class Reasoning {
 public:
  Reasoning(std::size_t b, std::string_view t, std::string_view i = {}) noexcept
      : block(b), text(t), id(i) {}

  std::size_t block;
  std::string_view text;
  std::string_view
      id;  ///< the item's, where the protocol names its items: with the block's first piece
};

/// What only its maker can read, and wants back unchanged. Replaces an earlier one of the same block.
class ReasoningSeal {
 public:
  /// signature: of the block's text; redacted: instead of any text; encrypted: the whole item.
  enum class Kind : unsigned char { signature, redacted, encrypted };

  ReasoningSeal(std::size_t b, Kind k, std::string_view d, std::string_view i = {}) noexcept
      : block(b), kind(k), data(d), id(i) {}

  std::size_t block;
  Kind kind;
  std::string_view data;
  std::string_view id;  ///< the item's, where the protocol names its items
};

/// A tool call begins.
class ToolStart {
 public:
  ToolStart(std::size_t b, std::string_view i, std::string_view n) noexcept
      : block(b), id(i), name(n) {}

  std::size_t block;
  std::string_view id;  ///< what the tool's result is to name
  std::string_view name;
};

/// More of a tool call's arguments: all pieces together are JSON text, or nothing, which means `{}`.
class ToolArguments {
 public:
  ToolArguments(std::size_t b, std::string_view j) noexcept : block(b), json(j) {}

  std::size_t block;
  std::string_view json;
};

class ToolEnd {
 public:
  ToolEnd(std::size_t b, bool c) noexcept : block(b), complete(c) {}

  std::size_t block;
  bool complete;  ///< false: cut short; must not be run
};

/// Tokens, counted alike for all protocols (protocols.md 9.4).
class Usage {
 public:
  Usage() noexcept {}

  std::optional<std::uint64_t> input;  ///< without what the cache read or wrote
  std::optional<std::uint64_t> cache_read;
  std::optional<std::uint64_t> cache_write;
  std::optional<std::uint64_t> output;     ///< with reasoning
  std::optional<std::uint64_t> reasoning;  ///< of the output

  bool operator==(const Usage&) const = default;
};

/// Why the model ended its answer (protocols.md 9.3).
enum class FinishReason : unsigned char {
  stop,           ///< it had said all
  stop_sequence,  ///< a stop sequence of the request came
  length,         ///< the request's limit on tokens
  tool_use,       ///< it waits for the results of its tool calls
  refusal,        ///< it, or a filter, refused
  pause,          ///< a server-side tool loop pauses: send the answer back to go on
  context_full,   ///< the context window
  other,          ///< a reason that is not known here; `native` has it
};

UNDERSTUDY_API std::string_view to_string(FinishReason reason) noexcept;

/// The answer's content is complete. Only usage and End may follow.
class Finish {
 public:
  Finish(FinishReason r, std::string_view n, std::string_view s = {}) noexcept
      : reason(r), native(n), stop_sequence(s) {}

  FinishReason reason;
  std::string_view native;         ///< in the protocol's own word
  std::string_view stop_sequence;  ///< which one, if it is known
};

/// The stream's own last word: message_stop, [DONE].
class End {};

/// Proves that the connection lives, and nothing else: a ping, a keepalive, a comment.
class Heartbeat {};

/// The provider failed. There is at most one in an answer.
class Error {
 public:
  Error() noexcept {}
  Error(std::string_view t, std::string_view c, std::string_view m) noexcept
      : type(t), code(c), message(m) {}

  std::string_view type;
  std::string_view code;
  std::string_view message;
  std::string_view json;  ///< the event's data, or the body, as it came
};

/// What the neutral form has no word for: the begin and end of a block, a citation, a server tool's
/// result, an empty delta, an event of an unknown type. Goes whole to a client of the same protocol.
class Other {
 public:
  Other(std::string_view t, bool p) noexcept : type(t), progress(p) {}

  std::string_view type;
  bool progress;  ///< it is part of the answer, such as the begin of a new block
};

/// An event that could not be read. It was skipped.
class Undecodable {
 public:
  explicit Undecodable(const char* w) noexcept : why(w) {}

  const char* why;
};

/// All that was said so far is void: another answer begins, with a Start of its own. No provider sends it; a
/// Delivery does (client/delivery.hpp), to a consumer that has declared that it can take things back. No
/// protocol has a word for it: encoders leave it out.
class Retract {};

/// One thing that an answer says.
class Event {
 public:
  using Body =
      std::variant<Start, Text, Reasoning, ReasoningSeal, ToolStart, ToolArguments, ToolEnd, Usage,
                   Finish, End, Heartbeat, Error, Other, Undecodable, Retract>;

  explicit Event(const Body& b) noexcept : body(b) {}

  Body body;
  std::string_view raw;    ///< the bytes that say it; see invariant 7
  std::string_view model;  ///< the model's name where it stands in `raw`, as it is written there
};

/// Whether it is content, reasoning, tool arguments, or the end of them (protocols.md 9.1): what a
/// stall limit waits for. Heartbeats, start markers, empty deltas and mere counts are not.
UNDERSTUDY_API bool is_progress(const Event& event) noexcept;

}  // namespace understudy::llm
