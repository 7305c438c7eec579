/// Fits a request to the back end and the model that get it (docs/backends.md).
///
/// Invariants
/// 1. Pure: the same request and target give the same bytes, so the prefix of a conversation stays the same.
/// 2. Byte for byte: a request in the back end's protocol, to the owner of the protocol, for the model that the client
///    named, keeps all of its bytes but the values of `model`, `stream` and `stream_options`, and carriers.
/// 3. Otherwise, within one protocol, only what a rule of the catalog says is edited; all other bytes are kept. Requests
///    in other protocols are translated first (translate.hpp), and then follow the same rules.
/// 4. Everything that is dropped, changed or added is named in `losses`, once for each kind and name.
///
///     FitTarget target(Protocol::openai_responses, "codex", "gpt-5.6-sol");
///     target.back_end = Catalog::built_in().back_end("codex", Protocol::openai_responses);
///     const auto fitted = fit(request, target);
///     send(fitted.body, fitted.betas);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/tool_table.hpp"
#include "understudy/llm/translate.hpp"

namespace understudy::llm {

/// The back end and model that get a request.
class FitTarget {
 public:
  FitTarget(Protocol speaks, std::string provider_name, std::string model_name)
      : protocol(speaks), provider(std::move(provider_name)), model(std::move(model_name)) {}

  Protocol protocol;
  std::string provider;  ///< the name of the provider, for reasoning, which belongs to it
  std::string model;
  const BackEnd* back_end = nullptr;              ///< null: not known
  const Catalog* catalog = &Catalog::built_in();  ///< must outlive the target
  std::string family;                             ///< the model whose facts apply; empty: `model`
  bool stream = true;                             ///< the answer is streamed
  bool accepts_prefill = false;                   ///< where the catalog does not know
  std::optional<bool> prefill;  ///< the user's word on it, which comes before the catalog's
  std::optional<std::uint64_t> context_window;  ///< likewise
  /// Names of mends (refused_part.hpp) to apply after the rules: what this member has refused.
  std::vector<std::string> mends;
  std::string maker;      ///< see ReasoningOrigin
  std::string account;    ///< likewise
  std::string user_salt;  ///< a secret that is mixed into hashes of user identifiers
  std::string betas;      ///< words of `anthropic-beta` that the configuration adds
};

/// What is sent.
class Fitted {
 public:
  Fitted() {}

  std::string body;
  std::string betas;  ///< the value of `anthropic-beta`; empty: none
  std::vector<Loss> losses;
  ToolTable tools;           ///< restores the names and forms of tools in the answer
  std::string unsupported;   ///< why the target cannot serve the request at all; empty: it can
  std::size_t restored = 0;  ///< pieces of the target's own reasoning that were in carriers
};

/// See the top of the file. Threads: any.
UNDERSTUDY_API Fitted fit(const Request& request, const FitTarget& target);

}  // namespace understudy::llm
