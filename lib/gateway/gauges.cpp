#include "understudy/gateway/gauges.hpp"

#include <algorithm>

namespace understudy::gateway {

Gauges::Gauges(ClientState& state, std::size_t calls)
    : retry_budgets(state.state().budgets()),
      bytes_after_cancel(state.bytes_after_cancel()),
      calls_in_flight(calls) {
  for (const auto& mark : state.state().health().marks(Clock::now())) {
    cooldowns[std::string(to_string(mark.reason))] += 1;
  }
  const auto stated = state.state().quotas().reports(Clock::now());
  for (const auto& pool : state.all_credentials()) {
    for (std::size_t i = 0; i < pool->size(); ++i) {
      const auto& credential = pool->key(i);
      const auto of_all = HealthKeys::credential(credential);
      for (const auto& one : stated) {
        const bool of_model = one.key.starts_with(of_all + '\n');
        if (of_model || one.key == of_all) {
          auto model = of_model ? one.key.substr(of_all.size() + 1) : std::string();
          quotas.push_back({credential, std::move(model), one.window, one.left});
        }
      }
      if (pool->slots().limited()) {
        const auto load = pool->slots().load(i);
        limited.push_back({credential, load.in_use, load.queued});
      }
    }
  }
}

}  // namespace understudy::gateway
