#include "understudy/failover/detail/call_context.hpp"

namespace understudy::detail {

CallContext::CallContext(const Chain& members, const Policy& how, State& memory,
                         const CallOptions& own, std::source_location where)
    : chain(members),
      policy(how),
      state(memory),
      options(own),
      site(where),
      id(memory.next_call()),
      began(Clock::now()) {}

std::optional<Clock::duration> CallContext::remaining(Clock::time_point now) const {
  return policy.deadline ? std::optional(*policy.deadline - (now - began)) : std::nullopt;
}

bool CallContext::deadline_passed(Clock::time_point now) const {
  const auto left = remaining(now);
  return left && *left <= Clock::duration::zero();
}

Clock::time_point CallContext::deadline() const {
  return policy.deadline ? later(began, *policy.deadline) : Clock::time_point::max();
}

Cause CallContext::abandoned() const {
  const auto* const parent = options.parent;
  return parent != nullptr && parent->cancelled() ? parent->cause() : Cause(StopReason::cancelled);
}

}  // namespace understudy::detail
