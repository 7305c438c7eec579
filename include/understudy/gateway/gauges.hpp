/// Values that metrics read at the moment of an export, rather than count.
///
/// Invariants
/// 1. A snapshot. Keys come from the configuration or from fixed lists, never from a client: their number is
///    bounded.
/// 2. A gauge is current as of its construction, on any thread; two gauges of a snapshot may be read an instant
///    apart.
///
///     const Gauges now(state, records.calls_in_flight());
///     std::cout << now.calls_in_flight << " calls, " << now.cooldowns.size() << " kinds of cooldown\n";
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "understudy/client/client_state.hpp"
#include "understudy/export.hpp"

namespace understudy::gateway {

/// See the top of the file.
class UNDERSTUDY_API Gauges {
 public:
  Gauges(ClientState& state, std::size_t calls);

  std::map<std::string, double> cooldowns;      ///< number of cooldowns by reason
  std::map<std::string, double> retry_budgets;  ///< retries that are left, by provider
  std::uint64_t
      bytes_after_cancel;  ///< bytes that had arrived unread when their calls were cancelled, in total
  std::size_t calls_in_flight;
};

}  // namespace understudy::gateway
