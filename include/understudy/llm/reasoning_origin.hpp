/// Where reasoning is from, and which members can read it.
///
/// A seal (a signature, encrypted content) can be read by the service that issued it. Anthropic's models are the
/// exception: every host of them reads the seals of the others.
///
/// Invariants
/// 1. `reads` depends on its arguments alone, so the same history is treated in the same way in every turn.
/// 2. An unknown value (empty) matches nothing, except for the account: a seal that names none is bound to none.
///
///     ReasoningOrigin codex("codex", "gpt-5.6-sol");
///     assert(!reads(codex, ReasoningOrigin("openai", "gpt-5.6-sol")));
#pragma once

#include <string>
#include <utility>

#include "understudy/export.hpp"

namespace understudy {
class Member;
}

namespace understudy::llm {

/// See the top of the file. A value.
class UNDERSTUDY_API ReasoningOrigin {
 public:
  ReasoningOrigin() {}
  ReasoningOrigin(std::string p, std::string m) : provider(std::move(p)), model(std::move(m)) {}
  explicit ReasoningOrigin(const Member& by);

  std::string provider;  ///< the name of the provider in the configuration
  std::string model;     ///< as the provider names it
  std::string maker;  ///< "anthropic": every host of the maker's models reads the seal; else empty
  std::string account;  ///< a hash, if the service binds reasoning to the account; else empty
  bool home = false;    ///< the client gets and sends back its seals as they are; see Request::home

  bool operator==(const ReasoningOrigin&) const = default;
};

/// Whose reasoning an answer has: what its stream says (`said`), else the member's. A provider that does not say is the home
/// of clients that speak its protocol (`same_protocol`). Threads: any.
UNDERSTUDY_API ReasoningOrigin answer_origin(const ReasoningOrigin& said, const Member& by,
                                             bool same_protocol);

/// Whether `reader` can read a seal of `issuer`. `home` has no effect. Threads: any.
UNDERSTUDY_API bool reads(const ReasoningOrigin& reader, const ReasoningOrigin& issuer) noexcept;

}  // namespace understudy::llm
