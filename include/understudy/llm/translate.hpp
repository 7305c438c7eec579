/// A conversation made fit for another provider: what a failover sends (protocols.md 8).
///
/// Invariants
/// 1. Reasoning never goes to anyone but its maker: another protocol's, provider's or model's is dropped.
///    Where the maker is not known (a client does not say it), the protocol alone decides.
/// 2. Tool ids that the target would refuse, or that come twice, are rewritten, in the call and in its
///    result alike; two ids never become one.
/// 3. Every call has its result, at the begin of the user message that follows; one that has none gets an
///    error. A result without a call is dropped.
/// 4. Whatever is left out, changed or added is named in `losses`, once each.
/// 5. A pure function: the same request and target give the same translation.
///
/// Not for a request that goes as it came, to a provider of its own protocol: see with_members (codec.hpp).
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

namespace understudy::llm {

/// Who the request is to go to, and what is known of him.
class UNDERSTUDY_API TranslationTarget {
 public:
  /// With the protocol's limit on tool ids, Mistral's own if the provider is "mistral", and what
  /// model_profile.hpp's table knows of the model's output limit.
  TranslationTarget(Protocol protocol, std::string provider, std::string model);

  Protocol protocol;
  std::string provider;
  std::string model;

  /// Parameters that this model does not take, by the names that Request has for them: "temperature",
  /// "top_p", "top_k", "seed", "stop", "max_tokens", "effort", "budget_tokens", "thinking",
  /// "parallel_tool_calls", "user", "output".
  std::vector<std::string> refused;

  OutputLimit output_limit;
  bool accepts_prefill = false;  ///< goes on with an answer that the caller has begun
  bool needs_system = false;     ///< refuses a request without system text (the Codex backend)
  std::size_t longest_tool_id;
  bool plain_tool_ids = false;  ///< letters and digits, exactly `longest_tool_id` of them
};

/// Something that the target does not get as it was.
class Loss {
 public:
  enum class Kind : unsigned char { dropped, changed, added };

  Loss(Kind k, std::string w) : kind(k), what(std::move(w)) {}

  Kind kind;
  std::string what;  ///< "reasoning", "top_k", "field cache_control", "part document"

  bool operator==(const Loss&) const = default;
};

UNDERSTUDY_API std::string_view to_string(Loss::Kind kind) noexcept;

class Translation {
 public:
  explicit Translation(Request r) : request(std::move(r)) {}

  Request request;
  std::vector<Loss> losses;
};

UNDERSTUDY_API Translation translate(const Request& request, const TranslationTarget& target);

}  // namespace understudy::llm
