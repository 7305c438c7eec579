#include "understudy/gateway/gauges.hpp"

namespace understudy::gateway {

Gauges::Gauges(ClientState& state, std::size_t calls)
    : retry_budgets(state.state().budgets()),
      bytes_after_cancel(state.bytes_after_cancel()),
      calls_in_flight(calls) {
  for (const auto& mark : state.state().health().marks(Clock::now())) {
    cooldowns[std::string(to_string(mark.reason))] += 1;
  }
}

}  // namespace understudy::gateway
