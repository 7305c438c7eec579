#include "understudy/llm/stall_scaling.hpp"

#include <doctest/doctest.h>

namespace stall_scaling_test {

using namespace std::chrono_literals;
using understudy::llm::scaled_stale;

TEST_CASE("the limit between progress grows with the prompt") {
  CHECK(scaled_stale(0) == 0s);
  CHECK(scaled_stale(50'000) == 0s);
  CHECK(scaled_stale(50'001) == 240s);
  CHECK(scaled_stale(100'000) == 240s);
  CHECK(scaled_stale(100'001) == 300s);
}

}  // namespace stall_scaling_test
