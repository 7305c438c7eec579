#include "understudy/failover/detail/prospect.hpp"

#include <algorithm>
#include <array>

namespace understudy::detail {
namespace {

/// What health says of one credential of a member.
Health::Outlook credential_outlook(const CallContext& call, const Member& member,
                                   std::size_t credential, CallId viewer, Clock::time_point now) {
  const auto keys = health_keys(member, credential);
  const std::array own{keys[Concern::credential], keys[Concern::credential_model]};
  return call.health().look(own, viewer, now);
}

/// The indices of a member's credentials in the order in which they are tried.
std::vector<std::size_t> credential_order(const CallContext& call, const Member& member) {
  auto order = member.credentials()->order(call.state.random());
  if (const auto first = member.credential_first()) {
    const auto found = std::find(order.begin(), order.end(), *first);
    if (found != order.end()) {
      std::rotate(order.begin(), found, found + 1);
    }
  }
  return order;
}

}  // namespace

HealthKeys health_keys(const Member& member, std::optional<std::size_t> credential) {
  const auto& pool = member.credentials();
  HealthKeys keys;
  keys[Concern::member] = "member " + member.key();
  keys[Concern::endpoint] = "endpoint " + member.endpoint();
  if (credential || !pool) {
    // A provider without a pool has one credential, or none, for all its models.
    keys[Concern::credential] =
        HealthKeys::credential(credential ? pool->key(*credential) : member.provider());
    keys[Concern::credential_model] = keys[Concern::credential] + '\n' + member.model_in_chain();
  }
  return keys;
}

HealthKeys health_keys(const CallContext& call, const MemberRun& run) {
  return health_keys(call.chain[run.member], run.credential_index());
}

Prospect prospect(const CallContext& call, std::size_t index, CallId viewer,
                  Clock::time_point now) {
  const Member& member = call.chain[index];
  const auto& pool = member.credentials();
  Prospect p;
  p.candidate.context_window = member.context_window();
  const auto order = pool ? credential_order(call, member) : std::vector<std::size_t>();
  if (call.health().all_well()) {
    p.credential = pool ? std::optional(order.front()) : std::nullopt;
    return p;
  }
  p.outlook = call.health().look(health_keys(member, std::nullopt).all(), viewer, now);
  p.whole_member = p.outlook.standing != Standing::healthy;
  if (pool) {
    // The first that is not in cooldown, else the one whose cooldown ends first.
    std::optional<Health::Outlook> best;
    for (const auto credential : order) {
      const auto outlook = credential_outlook(call, member, credential, viewer, now);
      const bool cooling = outlook.standing == Standing::cooling;
      if (!cooling || !best || outlook.until < best->until) {
        best = outlook;
        p.credential = credential;
      }
      if (!cooling) {
        break;
      }
    }
    p.outlook.add(*best);
  }
  p.candidate.standing = p.outlook.standing;
  return p;
}

std::optional<std::size_t> next_credential(const CallContext& call, const MemberRun& run,
                                           Clock::time_point now) {
  if (!run.credential) {
    return std::nullopt;
  }
  const Member& member = call.chain[run.member];
  const auto& tried = run.credentials_tried;
  for (const auto index : credential_order(call, member)) {
    const bool used = index == run.credential->index ||
                      std::find(tried.begin(), tried.end(), index) != tried.end();
    if (!used &&
        credential_outlook(call, member, index, call.id, now).standing != Standing::cooling) {
      return index;
    }
  }
  return std::nullopt;
}

}  // namespace understudy::detail
