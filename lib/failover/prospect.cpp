#include "understudy/failover/detail/prospect.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace understudy::detail {
namespace {

/// A credential of a member, and how good a choice it is now.
class Rated {
 public:
  Rated(const CallContext& call, const Member& member, std::size_t credential, CallId viewer,
        Clock::time_point now)
      : index(credential) {
    const auto keys = health_keys(member, credential);
    const std::array own{keys[Concern::credential], keys[Concern::credential_model]};
    outlook = call.health().look(own, viewer, now);
    low = call.state.quotas().low(own, now);
    cooling = outlook.standing == Standing::cooling;
    in_use = member.credentials()->slots().full(credential);
  }

  bool best() const noexcept { return !cooling && !in_use && !low; }
  /// One in cooldown is the worst; of several the one whose cooldown ends first is tried.
  bool better_than(const Rated& other) const noexcept {
    if (cooling && other.cooling) {
      return outlook.until < other.outlook.until;
    }
    return std::tie(cooling, in_use, low) < std::tie(other.cooling, other.in_use, other.low);
  }

  std::size_t index;
  Health::Outlook outlook;
  bool cooling = false;
  bool in_use = false;
  bool low = false;
};

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
  const bool nothing_known = call.health().all_well() && call.state.quotas().all_ample(now);
  if (nothing_known && !(pool && pool->slots().limited())) {
    p.credential = pool ? std::optional(order.front()) : std::nullopt;
    return p;
  }
  const auto keys = health_keys(member, std::nullopt);
  p.outlook = call.health().look(keys.all(), viewer, now);
  p.whole_member = p.outlook.standing != Standing::healthy;
  std::optional<Rated> best;
  for (const auto credential : order) {
    const Rated rated(call, member, credential, viewer, now);
    if (!best || rated.better_than(*best)) {
      best = rated;
    }
    if (rated.best()) {
      break;
    }
  }
  if (best) {
    p.credential = best->index;
    p.outlook.add(best->outlook);
    p.low_quota = best->low;
  } else {
    p.low_quota = call.state.quotas().low(keys.all(), now);
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
  std::optional<Rated> next;
  for (const auto index : credential_order(call, member)) {
    const bool used = index == run.credential->index ||
                      std::find(tried.begin(), tried.end(), index) != tried.end();
    if (used) {
      continue;
    }
    const Rated rated(call, member, index, call.id, now);
    if (!rated.cooling && (!next || rated.better_than(*next))) {
      next = rated;
    }
  }
  return next ? std::optional(next->index) : std::nullopt;
}

}  // namespace understudy::detail
