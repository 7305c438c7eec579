/// What the gateway counts, for Prometheus.
///
/// Invariants
/// 1. Names and units by Prometheus' conventions. What labels say comes from the configuration or from a fixed
///    list, never from a client: their number is bounded.
/// 2. Any thread.
/// 3. Built without prometheus-cpp (Meson: -Dmetrics=disabled) it counts nothing, and says so.
///
///     Metrics metrics;
///     Client client(executor, config, state, ClientOptions().with_observer(metrics));
///     metrics.answered(record);
///     std::cout << metrics.text(Levels(*state, calls)).value();
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "understudy/failover/observer.hpp"
#include "understudy/gateway/call_record.hpp"
#include "understudy/gateway/levels.hpp"

namespace understudy::tool {

using namespace gateway;

/// See the top of the file.
class Metrics final : public Observer {
 public:
  Metrics();
  ~Metrics() override;

  void attempt_ended(const AttemptReport& attempt) override;
  void answer_broke(const AttemptReport& attempt) override;

  /// A call was answered to its client, or failed.
  void answered(const CallRecord& record);

  /// The configuration was read again, and is in force or was refused.
  void reloaded(bool applied);

  /// All of it in Prometheus' text format 0.0.4. Nothing: it was built without.
  std::optional<std::string> text(const Levels& levels) const;

 private:
  struct Families;

  std::unique_ptr<Families> families_;
};

}  // namespace understudy::tool
