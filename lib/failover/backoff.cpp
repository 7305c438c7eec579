#include "understudy/failover/backoff.hpp"

#include <algorithm>

namespace understudy {

Clock::duration backoff(const BackoffSettings& settings, unsigned retries, double jitter) noexcept {
  auto step = settings.base;
  for (unsigned i = 0; i < retries && step < settings.cap; ++i) {
    step *= 2;
  }
  step = std::min(step, settings.cap);
  return Clock::duration(static_cast<Clock::rep>(static_cast<double>(step.count()) * jitter));
}

}  // namespace understudy
