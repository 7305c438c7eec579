/// How things stand at a moment: what metrics read off rather than count.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "understudy/client/client_state.hpp"

namespace understudy::gateway {

class Levels {
 public:
  Levels(ClientState& state, std::size_t calls_under_way)
      : retry_budgets(state.state().budgets()),
        bytes_after_cancel(state.bytes_after_cancel()),
        under_way(calls_under_way) {
    for (const auto& mark : state.state().health().marks(Clock::now())) {
      cooldowns[std::string(to_string(mark.reason))] += 1;
    }
  }

  std::map<std::string, double> cooldowns;      ///< how many, by the reason
  std::map<std::string, double> retry_budgets;  ///< retries that are left, by the provider
  std::uint64_t bytes_after_cancel;
  std::size_t under_way;
};

}  // namespace understudy::gateway
