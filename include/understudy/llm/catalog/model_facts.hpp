/// What is known about a family of models: limits, and what it accepts.
///
/// Invariants
/// 1. A value that is not known is empty, and then nothing is claimed: the request is sent as it is.
/// 2. The facts are about the model wherever it is served. What depends on the back end is a rule of the back end.
///
///     const ModelFacts facts = Catalog::built_in().model("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
///     assert(facts.max_output == 64'000);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "understudy/llm/catalog/rule.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::llm {

/// Whether a model can be made to call a tool.
enum class ForcedTools : unsigned char { accepted, refused, not_with_thinking };

/// Whether a model takes function tools on the Chat endpoint.
enum class ToolsOnChat : unsigned char {
  accepted,
  refused,            ///< only the Responses endpoint takes them
  needs_effort_none,  ///< with `reasoning_effort: "none"`
  not_with_effort,    ///< without `reasoning_effort`
};

/// Whether a model accepts sampling parameters.
enum class SamplingSupport : unsigned char {
  any,
  refused,
  default_only,         ///< other values than 1 are refused
  with_none,            ///< only with effort "none"
  one_of_two,           ///< `temperature` or `top_p`, but not both
  ignored_in_thinking,  ///< without effect while the model thinks
};

/// See the top of the file.
class ModelFacts {
 public:
  ModelFacts() {}

  std::vector<std::string> match;  ///< patterns of names; empty: the model is not known
  std::string maker;
  Confidence confidence = Confidence::unchecked;
  std::vector<std::string> source;
  std::string origin;  ///< the file that has the facts; empty: they are built in

  std::optional<std::uint64_t> context_window;  ///< tokens, prompt and answer together
  std::optional<std::uint64_t> max_input;       ///< tokens of the prompt alone
  std::optional<std::uint64_t> max_output;      ///< tokens
  std::optional<bool> prefill;                  ///< continues an answer that the caller has begun
  std::optional<bool> mid_system;               ///< takes system messages after the beginning
  std::optional<bool> images;
  std::optional<ForcedTools> forced_tools;
  std::optional<ToolsOnChat> tools_on_chat;
  std::optional<SamplingSupport> sampling;
  std::optional<std::vector<std::string>>
      thinking;  ///< "adaptive", "enabled", "disabled", "between_tools"
  /// The levels of effort, per endpoint; an empty list: the model takes none.
  std::optional<std::vector<std::string>> effort;
  std::optional<std::vector<std::string>> effort_chat;
  std::optional<std::vector<std::string>> effort_responses;
  std::optional<std::vector<std::string>> tool_choice;   ///< accepted while the model thinks
  std::vector<std::string> refuses;                      ///< parameters
  std::optional<std::pair<double, double>> temperature;  ///< the bounds
  bool temperature_fixed = false;  ///< only one value is accepted, which depends on thinking
  bool refuses_stop = false;
  bool refuses_max_tokens = false;  ///< on Chat: only `max_completion_tokens` is accepted
  bool refuses_encrypted = false;   ///< `reasoning.encrypted_content` may not be asked for

  bool wants_reasoning = false;  ///< earlier reasoning must go back as `reasoning_content`
  bool open_weights = false;     ///< served by many hosts, each with limits of its own

  /// Whether the catalog has a family for the model.
  bool known() const noexcept { return !match.empty(); }
  /// Whether the maker or several reports confirm the facts. Otherwise nothing is dropped because of them.
  bool confirmed() const noexcept {
    return confidence == Confidence::doc || confidence == Confidence::live;
  }

  /// The levels of effort at the endpoint of a protocol, or null if they are not known.
  const std::vector<std::string>* efforts(Protocol protocol) const noexcept;
};

}  // namespace understudy::llm
