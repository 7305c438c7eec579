#include "refused_request.hpp"

#include <algorithm>
#include <string_view>

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::gateway::detail {

std::optional<ErrorAnswer> refused_request(const Config& config, const llm::Request& request) {
  if (!request.origin) {
    return std::nullopt;
  }
  const auto& chain = config.route(request.model).chain;
  const auto foreign = [&](const MemberConfig& member) {
    return config.providers.at(member.provider).protocol != *request.origin;
  };
  const auto applies = [&](llm::UnservedMember::When when) {
    switch (when) {
      case llm::UnservedMember::When::always: return true;
      case llm::UnservedMember::When::only_foreign_members:
        return std::all_of(chain.begin(), chain.end(), foreign);
      case llm::UnservedMember::When::foreign_members:
        return std::any_of(chain.begin(), chain.end(), foreign);
    }
    return false;
  };
  for (const auto& member : llm::traits_of(*request.origin).unserved) {
    const bool asked =
        std::any_of(request.extra.begin(), request.extra.end(), [&](const auto& field) {
          return field.first == member.name && field.second != "null" &&
                 field.second != member.harmless;
        });
    if (asked && applies(member.when)) {
      return refusal(400, member.message, *request.origin, member.code);
    }
  }
  return std::nullopt;
}

}  // namespace understudy::gateway::detail
