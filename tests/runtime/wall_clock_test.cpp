#include "understudy/runtime/wall_clock.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "understudy/runtime/clock.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the time of day is the machine's, and virtual in virtual time") {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  CHECK(unix_time() >= now);
  CHECK(unix_time() <= now + 60s);
  testing::VirtualTime time;
  asio::io_context context;
  CHECK(unix_time() == virtual_wall_epoch);
  time.run_for(context, 90'500ms);
  CHECK(unix_time() == virtual_wall_epoch + 90s);
}
