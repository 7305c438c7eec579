#include "understudy/llm/reasoning_origin.hpp"

#include "understudy/failover/member.hpp"

namespace understudy::llm {

ReasoningOrigin::ReasoningOrigin(const Member& by) : provider(by.provider()), model(by.model()) {}

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
