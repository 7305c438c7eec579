#include "understudy/gateway/metrics.hpp"

namespace understudy::gateway {

Metrics::~Metrics() = default;

void Metrics::attempt_ended(const AttemptReport&) {}
void Metrics::answer_broke(const AttemptReport&) {}
void Metrics::call_ended(const CallRecord&) {}
void Metrics::config_reloaded(bool) {}
Exposition Metrics::expose(const Gauges&) const {
  return NoExposition::because("this gateway exports no metrics");
}

}  // namespace understudy::gateway
