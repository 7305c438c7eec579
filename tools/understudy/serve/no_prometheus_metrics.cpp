// In place of prometheus_metrics.cpp, in a build without prometheus-cpp.
#include "prometheus_metrics.hpp"

namespace understudy::tool {

struct PrometheusMetrics::Families {};

PrometheusMetrics::PrometheusMetrics() = default;
PrometheusMetrics::~PrometheusMetrics() = default;

void PrometheusMetrics::attempt_ended(const AttemptReport&) {}
void PrometheusMetrics::answer_broke(const AttemptReport&) {}
void PrometheusMetrics::call_ended(const gateway::CallRecord&) {}
void PrometheusMetrics::config_reloaded(bool) {}
gateway::Exposition PrometheusMetrics::expose(const gateway::Gauges&) const {
  return gateway::NoExposition::because("built without prometheus-cpp");
}

}  // namespace understudy::tool
