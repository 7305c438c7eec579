#include "understudy/net/io_observer.hpp"

#include <doctest/doctest.h>

#include "net/world.hpp"

using namespace net_test;
using namespace std::chrono_literals;

TEST_CASE("a StallTimer receives the phases and the bytes, and asks the pending stream") {
  testing::VirtualTime time;
  asio::io_context context;
  auto [near, far] = memory_stream_pair(context.get_executor());
  const auto limits =
      stall_limits(StallSettings(), StallFacts(),
                   StallCodes(asio::error::connection_reset, asio::error::timed_out));
  StallTimer timer(context.get_executor(), limits, StallHooks());
  StallObserver observer(timer);
  CHECK(!observer.ready());
  observer.enter(Phase::write);
  CHECK(timer.state().phase() == Phase::write);
  observer.waiting(near.get());
  CHECK(!observer.ready());
  CHECK(far->try_write("late, but here").bytes == 14);
  CHECK(observer.ready());
  observer.heard(14);
  CHECK(timer.state().bytes() == 14);
  observer.left();
  near.reset();
  CHECK(!observer.ready());
}
