/// What the gateway counts, for Prometheus.
///
/// Invariants
/// 1. Names and units by Prometheus' conventions. Labels have values from the configuration or from a fixed list,
///    never from a client: their number is bounded.
/// 2. Any thread.
/// 3. Built without prometheus-cpp (Meson: -Dmetrics=disabled) it counts nothing, and `expose` says so.
///
///     const auto metrics = std::make_shared<PrometheusMetrics>();
///     metrics->call_ended(record);
///     std::cout << *metrics->expose(gateway::Gauges(*state, calls));
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "understudy/gateway/metrics.hpp"

namespace understudy::tool {

/// See the top of the file.
class PrometheusMetrics final : public gateway::Metrics {
 public:
  PrometheusMetrics();
  ~PrometheusMetrics() override;

  void attempt_ended(const AttemptReport& attempt) override;
  void answer_broke(const AttemptReport& attempt) override;
  void call_ended(const gateway::CallRecord& record) override;
  void config_reloaded(bool applied) override;
  gateway::Exposition expose(const gateway::Gauges& gauges) const override;

  /// When the certificate that is in force expires; nothing without TLS.
  void certificate_expires(std::optional<std::chrono::sys_seconds> when) noexcept {
    certificate_expiry_ = when ? when->time_since_epoch().count() : never;
  }

 private:
  struct Families;

  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  std::unique_ptr<Families> families_;
  std::atomic<std::int64_t> certificate_expiry_ = never;  // in Unix time
};

}  // namespace understudy::tool
