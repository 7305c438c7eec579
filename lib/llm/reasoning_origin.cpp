#include "understudy/llm/reasoning_origin.hpp"

#include "understudy/failover/member.hpp"

namespace understudy::llm {

ReasoningOrigin::ReasoningOrigin(const Member& by) : provider(by.provider()), model(by.model()) {}

ReasoningOrigin answer_origin(const ReasoningOrigin& said, const Member& by, bool same_protocol) {
  if (!said.provider.empty()) {
    return said;
  }
  ReasoningOrigin origin(by);
  origin.home = same_protocol;
  return origin;
}

bool reads(const ReasoningOrigin& reader, const ReasoningOrigin& issuer) noexcept {
  if (!issuer.account.empty() && issuer.account != reader.account) {
    return false;
  }
  if (!issuer.maker.empty() && issuer.maker == reader.maker) {
    return true;
  }
  return !issuer.provider.empty() && issuer.provider == reader.provider &&
         issuer.model == reader.model;
}

}  // namespace understudy::llm
