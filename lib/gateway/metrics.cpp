#include "understudy/gateway/metrics.hpp"

#include <stdexcept>

namespace understudy::gateway {

void throw_exception_from_error(const NoExposition& none, const boost::source_location&) {
  throw std::runtime_error(none.why);
}

Metrics::~Metrics() = default;

void Metrics::attempt_ended(const AttemptReport&) {}
void Metrics::answer_broke(const AttemptReport&) {}
void Metrics::call_ended(const CallRecord&) {}
void Metrics::config_reloaded(bool) {}
Exposition Metrics::expose(const Gauges&) const {
  return NoExposition::because("this gateway exports no metrics");
}

}  // namespace understudy::gateway
