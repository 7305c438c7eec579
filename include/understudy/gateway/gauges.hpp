/// Values that metrics read at the moment of an export, rather than count.
///
/// Invariants
/// 1. A snapshot. Keys come from the configuration, from fixed lists or from a provider, never from a client: their
///    number is bounded.
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
#include <vector>

#include "understudy/client/client_state.hpp"
#include "understudy/export.hpp"

namespace understudy::gateway {

/// See the top of the file.
class UNDERSTUDY_API Gauges {
 public:
  Gauges(ClientState& state, std::size_t calls);

  /// What a provider has stated to be left of the quota of a configured credential.
  class Quota {
   public:
    std::string credential;  ///< "provider/label"
    std::string model;       ///< empty: it applies to all
    std::string window;      ///< the provider's name for it
    double left = 1;         ///< a share
  };

  /// The calls of a credential that is limited (`max_concurrent`).
  class Limited {
   public:
    std::string credential;
    std::size_t in_use = 0;
    std::size_t queued = 0;
  };

  std::vector<Quota> quotas;
  std::vector<Limited> limited;
  std::map<std::string, double> cooldowns;      ///< number of cooldowns by reason
  std::map<std::string, double> retry_budgets;  ///< retries that are left, by provider
  std::uint64_t
      bytes_after_cancel;  ///< bytes that had arrived unread when their calls were cancelled, in total
  std::size_t calls_in_flight;
};

}  // namespace understudy::gateway
