#include "understudy/failover/backoff.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the step doubles up to the cap; jitter takes any part of it") {
  class Row {
   public:
    unsigned retries;
    double jitter;
    Clock::duration wait;
  };
  const Row rows[] = {
      {0, 0.0, 0s},    {0, 0.5, 250ms},
      {1, 0.5, 500ms}, {2, 0.5, 1s},
      {5, 0.5, 8s},    {6, 0.5, 15s},  // 32 s is beyond the cap
      {7, 0.5, 15s},   {6, 0.25, 7500ms},
      {6, 0.0, 0s},    {std::numeric_limits<unsigned>::max(), 0.5, 15s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.retries);
    CAPTURE(row.jitter);
    CHECK(backoff(BackoffSettings(), row.retries, row.jitter) == row.wait);
  }
}

TEST_CASE("never as long as the step itself") {
  const auto almost_one = std::nextafter(1.0, 0.0);
  CHECK(backoff(BackoffSettings(), 0, almost_one) < 500ms);
  CHECK(backoff(BackoffSettings(), 0, almost_one) > 499ms);
}

TEST_CASE("a user's steps, whatever they are") {
  CHECK(backoff(BackoffSettings(100ms, 150ms), 1, 0.5) == 75ms);
  CHECK(backoff(BackoffSettings(10s, 1s), 0, 0.5) == 500ms);  // the cap wins
  CHECK(backoff(BackoffSettings(0s, 30s), 3'000'000'000, 0.5) == 0s);
}
