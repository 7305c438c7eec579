/// What is asked of a model, whoever's protocol it is asked in.
///
/// Invariants
/// 1. Tool results stand in user messages, before that message's other parts; system text that opens the
///    conversation stands in `system`, later system text in messages of that role.
/// 2. Reasoning remembers who made it. Only its maker may get it back.
/// 3. JSON of the caller's (schemas, arguments, extra fields) is kept as text: numbers do not change.
/// 4. What the neutral form has no word for is kept (`extra`, OpaquePart) and is written again only to a
///    provider of the same protocol.
///
///     Request request("claude-sonnet-5");
///     request.system.emplace_back("Answer briefly.");
///     request.messages.emplace_back(Role::user, "Is the north tank full?");
///     request.max_tokens = 1024;
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::llm {

/// Members of a JSON object that one protocol alone knows: name and value, the value as JSON text.
using ExtraFields = std::vector<std::pair<std::string, std::string>>;

class TextPart {
 public:
  explicit TextPart(std::string t = {}) : text(std::move(t)) {}

  std::string text;
  bool refusal = false;  ///< an assistant's own refusal
  ExtraFields extra;
};

/// An image, by its bytes or by where it is.
class ImagePart {
 public:
  ImagePart() {}

  std::string media_type;  ///< of `base64`: "image/png"
  std::string base64;
  std::string url;     ///< if not empty, `base64` is
  std::string detail;  ///< "low", "high"; empty: the provider's choice
  ExtraFields extra;
};

/// The assistant called a tool.
class ToolCallPart {
 public:
  ToolCallPart() {}
  ToolCallPart(std::string i, std::string n, std::string a)
      : id(std::move(i)), name(std::move(n)), arguments(std::move(a)) {}

  std::string id;
  std::string name;
  std::string arguments;  ///< JSON text, as the model wrote it: it need not be valid. Empty: `{}`
  ExtraFields extra;
};

/// A part that only its own protocol knows: a document, a server tool's use or result.
class OpaquePart {
 public:
  OpaquePart(Protocol p, std::string t, std::string j)
      : protocol(p), type(std::move(t)), json(std::move(j)) {}

  Protocol protocol;
  std::string type;
  std::string json;  ///< all of it
};

/// What came of a tool call.
class ToolResultPart {
 public:
  using Content = std::variant<TextPart, ImagePart, OpaquePart>;

  ToolResultPart() {}
  ToolResultPart(std::string i, std::string text) : call_id(std::move(i)) {
    content.emplace_back(TextPart(std::move(text)));
  }

  std::string call_id;
  std::vector<Content> content;
  bool is_error = false;
  ExtraFields extra;
};

/// Who made a piece of reasoning. What is not known is empty.
class Origin {
 public:
  Origin() {}
  explicit Origin(Protocol p) : protocol(p) {}

  std::optional<Protocol> protocol;
  std::string provider;
  std::string model;
};

/// Reasoning of an earlier turn. Its maker wants it back unchanged, so `json`, if there, is what is sent.
class ReasoningPart {
 public:
  explicit ReasoningPart(Origin o) : origin(std::move(o)) {}

  Origin origin;
  std::string text;  ///< as far as one can read it
  std::string seal;  ///< signature, redacted or encrypted content
  std::string json;  ///< the part as its maker's protocol has it; empty: made of the above
};

using Part =
    std::variant<TextPart, ImagePart, ToolCallPart, ToolResultPart, ReasoningPart, OpaquePart>;

enum class Role : unsigned char { user, assistant, system };

class Message {
 public:
  explicit Message(Role r) : role(r) {}
  Message(Role r, std::string text) : role(r) { parts.emplace_back(TextPart(std::move(text))); }

  Role role;
  std::vector<Part> parts;
  ExtraFields extra;
};

/// A function that the model may call. A tool that the provider runs itself is `provider_tool`.
class Tool {
 public:
  Tool() {}
  Tool(std::string n, std::string d, std::string s)
      : name(std::move(n)), description(std::move(d)), schema(std::move(s)) {}

  std::string name;
  std::string description;
  std::string
      schema;  ///< JSON Schema of the arguments, as text. Empty: an object without properties
  std::optional<bool> strict;
  std::string
      provider_tool;  ///< if not empty: the whole tool as JSON text, for its own protocol alone
  ExtraFields extra;
};

class ToolChoice {
 public:
  /// unset: not said; automatic: the model decides; any: at least one call; named: that tool.
  enum class Mode : unsigned char { unset, automatic, any, named, none };

  ToolChoice() {}
  explicit ToolChoice(Mode m, std::string n = {}) : mode(m), name(std::move(n)) {}

  Mode mode = Mode::unset;
  std::string name;
};

/// The answer is to be JSON.
class OutputFormat {
 public:
  OutputFormat() {}

  std::string name;    ///< where the protocol wants one; empty: "output"
  std::string schema;  ///< JSON Schema as text. Empty: any JSON object
  std::optional<bool> strict;
};

/// What OpenAI's chat protocol calls the limit on the answer (Anthropic: always `max_tokens`; Responses:
/// always `max_output_tokens`).
enum class OutputLimit : unsigned char { max_tokens, max_completion_tokens };

/// How much the model is to think. All of it unset: the provider's default.
class Thinking {
 public:
  /// budget: up to `budget_tokens`; adaptive: as the model sees fit, guided by `effort`.
  enum class Mode : unsigned char { unset, off, adaptive, budget };

  Thinking() {}

  Mode mode = Mode::unset;
  std::uint64_t budget_tokens = 0;
  std::string effort;   ///< "none", "minimal", "low", "medium", "high", "xhigh", "max"
  std::string display;  ///< how much of it to show, in the protocol's own word
};

class Sampling {
 public:
  Sampling() {}

  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<std::uint64_t> top_k;
  std::optional<std::int64_t> seed;
};

/// See the top of the file.
class Request {
 public:
  explicit Request(std::string m = {}) : model(std::move(m)) {}

  std::string model;
  std::vector<TextPart> system;
  std::vector<Message> messages;
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  std::optional<bool> parallel_tool_calls;
  std::optional<OutputFormat> output;
  Sampling sampling;
  std::vector<std::string> stop;
  std::optional<std::uint64_t> max_tokens;  ///< of the answer, with reasoning

  /// What `max_tokens` is called in the chat protocol: a client's own word, until the request goes to
  /// another. None: as model_profile.hpp has it for the model.
  std::optional<OutputLimit> output_limit;
  Thinking thinking;
  std::string user;  ///< an opaque id of the end user
  bool stream = true;
  bool stream_usage =
      true;  ///< whether a stream is to say what it used, where that is the caller's choice

  /// Whether Responses is asked for reasoning to be given back, sealed. Models that do not reason refuse that.
  bool sealed_reasoning = true;

  /// Where it came from, if it came from a client: the protocol that `extra` fields belong to, here and
  /// in every part, and the body as it came.
  std::optional<Protocol> origin;
  ExtraFields extra;
  std::string body;

  /// Features of Anthropic's API that the caller opts in to, with commas between (`anthropic-beta`): named to
  /// providers of its protocol, beside those in their own headers.
  std::string betas;
};

/// The prompt's size as stall limits and context windows count it: characters / 4, images, sounds
/// and documents by their bytes aside.
UNDERSTUDY_API std::uint64_t estimated_tokens(const Request& request) noexcept;

}  // namespace understudy::llm
