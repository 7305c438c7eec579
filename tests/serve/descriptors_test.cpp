#include "../../tools/understudy/serve/descriptors.hpp"

#include <doctest/doctest.h>

#include <limits>

using understudy::tool::connections_within;

TEST_CASE("the limit on descriptors bounds the connections: two for each call, and some to spare") {
  for (const std::uint64_t limit : {1'024U, 4'096U, 65'536U, 524'288U, 1'048'576U}) {
    for (const unsigned threads : {1U, 2U, 64U}) {
      CAPTURE(limit);
      CAPTURE(threads);
      const auto connections = connections_within(limit, threads);
      CHECK(connections >= threads);
      CHECK(2 * connections + 64 + 8 * threads <= limit);
    }
  }
  CHECK(connections_within(1'024, 2) == 344);
  CHECK(connections_within(65'536, 4) >= 10'000);  // the unit's limit has room for the default
  // Too few for anything: it still serves, and says 503 to what it has no descriptor for.
  CHECK(connections_within(64, 4) == 4);
  CHECK(connections_within(0, 1) == 1);
  CHECK(connections_within(std::numeric_limits<std::uint64_t>::max(), 8) > 1'000'000);
}
