/// Translates a conversation for another provider: the request that a failover sends (protocols.md 8).
///
/// Invariants
/// 1. Reasoning is sent only to its origin: reasoning of another protocol, provider or model is dropped. If provider
///    and model are not known (a client does not name them), only the protocol is compared.
/// 2. Tool ids that the target would refuse, or that occur twice, are rewritten, in the call and in its result alike.
///    Two different ids never become equal.
/// 3. Every tool call has a result, at the beginning of the user message that follows it. A call without a result gets
///    an error as its result. A result without a call is dropped.
/// 4. Everything that is dropped, changed or added is named in `losses`, once for each kind and name.
/// 5. The function is pure: the same request and target yield the same translation.
/// 6. To another protocol every tool that the client runs is sent as a function: custom tools, the tools of namespaces,
///    the search for tools and what it found. Names that the target would refuse are rewritten in tools, tool choice and
///    history alike; two tools never get one name. So are names of properties in schemas and in the arguments of calls.
///    `tools` of the result restores them in the answer.
///
/// A request that is sent unchanged to a provider of its own protocol is not translated: see with_members (codec.hpp).
///
///     const auto translated = translate(request, TranslationTarget(Protocol::openai_responses,
///                                                                  "openai", "gpt-5.4"));
///     codec_for(Protocol::openai_responses).write_request(translated.request, body);
///     for (const auto& loss : translated.losses) { log(to_string(loss.kind), loss.what); }
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/tool_table.hpp"

namespace understudy::llm {

/// The provider and model to which the request is sent, and what is known about them.
class UNDERSTUDY_API TranslationTarget {
 public:
  /// Sets the limits on tool names and tool ids of the protocol, or of Mistral if the provider is "mistral", and the
  /// name of the output limit from the model table of model_profile.hpp.
  TranslationTarget(Protocol protocol, std::string provider, std::string model);

  Protocol protocol;
  std::string provider;
  std::string model;

  /// Parameters that this model does not support, by their names in Request: "temperature",
  /// "top_p", "top_k", "seed", "stop", "max_tokens", "effort", "budget_tokens", "thinking",
  /// "parallel_tool_calls", "user", "output".
  std::vector<std::string> refused;

  OutputLimit output_limit;
  bool accepts_prefill = false;  ///< the model continues an answer that the caller has begun
  bool wants_reasoning = false;  ///< readable reasoning without a seal is sent back
  std::string maker;             ///< see ReasoningOrigin
  std::string account;           ///< likewise
  bool home = true;              ///< likewise
  bool needs_system = false;     ///< a request without system text is refused (the Codex back end)
  std::size_t longest_tool_id;
  std::size_t longest_tool_name;  ///< names consist of letters, digits, underscores and hyphens
  std::size_t shortest_tool_name = 1;
  bool letter_first = false;  ///< names of tools begin with a letter or an underscore
  /// The characters of the longest name of a property in a tool's arguments, and which are allowed beside letters and
  /// digits. 0: any name is accepted.
  std::size_t longest_property = 0;
  std::string property_characters;
  bool plain_tool_ids = false;  ///< tool ids are exactly `longest_tool_id` letters and digits
};

/// Something in the request that the target does not get unchanged.
class Loss {
 public:
  /// What happened to it.
  enum class Kind : unsigned char { dropped, changed, added };

  Loss(Kind k, std::string w) : kind(k), what(std::move(w)) {}

  Kind kind;
  /// `reasoning`, `top_k`, `field cache_control`, `part document`, `tool web_search`
  std::string what;

  bool operator==(const Loss&) const = default;
};

/// Returns the name of the enumerator. It lives as long as the program.
UNDERSTUDY_API std::string_view to_string(Loss::Kind kind) noexcept;

/// Returns what the loss concerns, as one of a few words for metrics: "parameter", "tool", "schema", "reasoning",
/// "content", "message", "field" or "beta". It lives as long as the program.
UNDERSTUDY_API std::string_view about(const Loss& loss) noexcept;

/// The translated request, and what the translation lost.
class Translation {
 public:
  explicit Translation(Request r) : request(std::move(r)) {}

  Request request;
  std::vector<Loss> losses;
  ToolTable tools;           ///< for the answer: restores names, namespaces and forms of its calls
  std::size_t restored = 0;  ///< pieces of the target's own reasoning that were in carriers

  /// Why the target cannot serve the request, for the client to read. Empty: it can. Otherwise `request` must not be
  /// sent.
  std::string unsupported;
};

/// Returns `request` translated for `target`. See the top of the file. Threads: any.
UNDERSTUDY_API Translation translate(Request request, const TranslationTarget& target);

}  // namespace understudy::llm
