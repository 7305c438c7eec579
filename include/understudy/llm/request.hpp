/// A request to a model, in a form that does not depend on the protocol.
///
/// Invariants
/// 1. Tool results are in user messages, before the other parts of the message. System text at the beginning of the
///    conversation is in `system`; later system text is in messages with that role.
/// 2. Reasoning records its origin. It is sent back only to the provider and model that produced it.
/// 3. The caller's JSON (schemas, arguments, extra fields) is kept as text, so that numbers do not change.
/// 4. Content that the neutral form cannot express is kept (`extra`, OpaquePart). It is written only to a provider
///    that speaks the same protocol.
///
///     Request request("claude-sonnet-5");
///     request.system.emplace_back("Answer briefly.");
///     request.messages.emplace_back(Role::user, "Is the north tank full?");
///     request.max_tokens = 1024;
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/reasoning_origin.hpp"
#include "understudy/llm/tool_form.hpp"

namespace understudy::llm {

/// Members of a JSON object that are specific to one protocol: pairs of a name and a value, the value as JSON text.
using ExtraFields = std::vector<std::pair<std::string, std::string>>;

/// Header fields: names in lower case, and values.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// Text of the user, the assistant or the system.
class TextPart {
 public:
  explicit TextPart(std::string t = {}) : text(std::move(t)) {}

  std::string text;
  bool refusal = false;  ///< the text is the assistant's refusal
  /// The provider may cache the prompt up to here: the value of Anthropic's `cache_control`, as JSON text. It is written
  /// for providers of that protocol only; others cache by themselves.
  std::string cache_control;
  ExtraFields extra;
};

/// An image, given by its bytes or by its URL.
class ImagePart {
 public:
  ImagePart() {}

  std::string media_type;  ///< the media type of `base64`, such as "image/png"
  std::string base64;
  std::string url;     ///< if it is not empty, `base64` is empty
  std::string detail;  ///< "low" or "high"; empty: the provider's default
  ExtraFields extra;
};

/// A grammar that the input of a custom tool must match.
class ToolGrammar {
 public:
  ToolGrammar() {}

  std::string syntax;  ///< "lark" or "regex"
  std::string definition;
};

/// A tool that the client runs, or one that the provider runs itself (`provider_tool`).
class Tool {
 public:
  Tool() {}
  Tool(std::string n, std::string d, std::string s)
      : name(std::move(n)), description(std::move(d)), schema(std::move(s)) {}

  std::string name;  ///< of a provider's tool without a name: its type
  std::string description;
  /// The JSON Schema of the arguments, as text. Empty: an object without properties.
  std::string schema;
  std::optional<bool> strict;
  ToolForm form = ToolForm::function;
  std::optional<ToolGrammar> grammar;  ///< of a custom tool; none: any text
  std::string name_space;              ///< empty: none
  /// The tools of a namespace, which itself is not a tool: `name` is the name of the namespace.
  std::vector<Tool> tools;
  /// If not empty, the whole tool as JSON text. It is written only in the protocol that it came in. Forms and namespaces
  /// have the other members too, from which translate.hpp makes functions.
  std::string provider_tool;
  std::string cache_control;  ///< see TextPart
  ExtraFields extra;
};

/// A tool call by the assistant.
class ToolCallPart {
 public:
  ToolCallPart() {}
  ToolCallPart(std::string i, std::string n, std::string a)
      : id(std::move(i)), name(std::move(n)), arguments(std::move(a)) {}

  std::string id;
  std::string name;
  /// JSON text as the model wrote it, which may be invalid. Empty: `{}`. Of a custom call: custom_arguments(input).
  std::string arguments;
  ToolForm form = ToolForm::function;
  std::string name_space;  ///< empty: none
  ExtraFields extra;
};

/// A part that is specific to one protocol: a document, or the use or result of a server tool.
class OpaquePart {
 public:
  OpaquePart(Protocol p, std::string t, std::string j)
      : protocol(p), type(std::move(t)), json(std::move(j)) {}

  Protocol protocol;
  std::string type;
  std::string json;         ///< the whole part as JSON text
  std::vector<Tool> tools;  ///< the tools that the part makes available
};

/// The result of a tool call.
class ToolResultPart {
 public:
  /// A part of a tool's result.
  using Content = std::variant<TextPart, ImagePart, OpaquePart>;

  ToolResultPart() {}
  ToolResultPart(std::string i, std::string text) : call_id(std::move(i)) {
    content.emplace_back(TextPart(std::move(text)));
  }

  std::string call_id;
  std::vector<Content> content;
  bool is_error = false;
  ToolForm form = ToolForm::function;  ///< of the call
  std::vector<Tool> tools;             ///< the tools that a search for tools has found
  std::string cache_control;           ///< see TextPart
  ExtraFields extra;
};

/// The protocol in which a piece of reasoning is written, and the member that produced it (reasoning_origin.hpp).
/// Unknown values are empty.
class Origin {
 public:
  Origin() {}
  explicit Origin(Protocol p) : protocol(p) {}

  std::optional<Protocol> protocol;
  std::string provider;
  std::string model;
  std::string maker;
  std::string account;
};

/// Reasoning of an earlier turn. The provider that produced it requires it back unchanged, so `json` is sent if it is
/// not empty.
class ReasoningPart {
 public:
  explicit ReasoningPart(Origin o) : origin(std::move(o)) {}

  Origin origin;
  std::string text;  ///< the readable text, if any
  std::string seal;  ///< the signature, or the redacted or encrypted content
  std::string json;  ///< the part in its origin's protocol; empty: built from the members above
  std::string
      call_signature;  ///< Gemini's: what the tool call that follows has as `extra_content`, as JSON
};

/// A part of a message.
using Part =
    std::variant<TextPart, ImagePart, ToolCallPart, ToolResultPart, ReasoningPart, OpaquePart>;

/// The role of a message.
enum class Role : unsigned char { user, assistant, system };

/// A message of the conversation.
class Message {
 public:
  explicit Message(Role r) : role(r) {}
  Message(Role r, std::string text) : role(r) { parts.emplace_back(TextPart(std::move(text))); }

  Role role;
  std::vector<Part> parts;
  ExtraFields extra;
};

/// Whether the model must call a tool, and which one.
class ToolChoice {
 public:
  /// unset: not specified; automatic: the model decides; any: at least one call; named: the tool with that name;
  /// none: no calls.
  enum class Mode : unsigned char { unset, automatic, any, named, none };

  ToolChoice() {}
  explicit ToolChoice(Mode m, std::string n = {}) : mode(m), name(std::move(n)) {}

  Mode mode = Mode::unset;
  std::string name;
  ToolForm form = ToolForm::function;  ///< of the named tool
};

/// Requires the answer to be JSON.
class OutputFormat {
 public:
  OutputFormat() {}

  std::string name;    ///< for protocols that require a name; empty: "output"
  std::string schema;  ///< a JSON Schema as text; empty: any JSON object
  std::optional<bool> strict;
};

/// The name of the limit on output tokens in OpenAI's chat protocol. (Anthropic always uses `max_tokens`, and
/// Responses always uses `max_output_tokens`.)
enum class OutputLimit : unsigned char { max_tokens, max_completion_tokens };

/// How much the model should think. If nothing is set, the provider's default applies.
class Thinking {
 public:
  /// budget: up to `budget_tokens` tokens; adaptive: the model decides, guided by `effort`.
  enum class Mode : unsigned char { unset, off, adaptive, budget };

  Thinking() {}

  Mode mode = Mode::unset;
  std::uint64_t budget_tokens = 0;
  std::string effort;   ///< "none", "minimal", "low", "medium", "high", "xhigh", "max"
  std::string display;  ///< how much of the thinking to show; a value of the protocol
};

/// Sampling parameters. Unset: the provider's default.
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
  std::optional<std::uint64_t> max_tokens;  ///< limit on the answer, including reasoning

  /// The name of `max_tokens` in the chat protocol, as the client wrote it; it applies until the request is translated
  /// for another target. None: the name that model_profile.hpp specifies for the model.
  std::optional<OutputLimit> output_limit;
  Thinking thinking;
  std::string user;  ///< an opaque identifier of the end user
  bool stream = true;
  /// Whether the stream should report token usage, for protocols in which the caller decides that.
  bool stream_usage = true;

  /// Whether a Responses request asks for encrypted reasoning that the caller can send back. Models without reasoning
  /// refuse that.
  bool sealed_reasoning = true;

  /// For a request that came from a client: its protocol, to which the `extra` fields here and in every part belong.
  /// `body` is the client's body, unchanged but for ids that Codec::read_request removes.
  std::optional<Protocol> origin;
  ExtraFields extra;
  std::string body;
  /// How many of the last messages are not in `body`: they are added to the client's own bytes, after its messages.
  std::size_t added_messages = 0;

  /// The client is Codex, which ends its session after any end of a Responses stream but `response.completed`
  /// (opencodex#4312, openai/codex#38831): an answer in another protocol that has content gets that end.
  bool from_codex = false;

  /// The member whose reasoning the client gets and sends back as it is; the reasoning of all others is in carriers
  /// (carrier.hpp). An origin without values: none is. Nothing: not known, and reasoning that is not in a carrier is
  /// taken for the target's own.
  std::optional<ReasoningOrigin> home;

  /// A comma-separated list of features of Anthropic's API that the caller enables (`anthropic-beta`). It is sent to
  /// providers that speak that protocol, in addition to the features in their configured headers.
  std::string betas;

  /// Other headers of the client's request. A provider gets those that its back end takes (BackEnd::request_headers), if
  /// the client's protocol is of the same maker.
  HeaderList client_headers;
};

/// Returns the estimated size of the prompt in tokens, for stall limits and context windows: the number of bytes of its
/// text divided by 4. The data of images, audio and documents is not counted. Threads: any.
UNDERSTUDY_API std::uint64_t estimated_tokens(const Request& request) noexcept;

}  // namespace understudy::llm
