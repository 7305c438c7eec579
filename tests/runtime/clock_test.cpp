#include "understudy/runtime/clock.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "understudy/testing/virtual_time.hpp"

using namespace std::chrono_literals;
using namespace understudy;

TEST_CASE("without virtual time the clock is steady_clock") {
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  const auto now = Clock::now().time_since_epoch();
  const auto after = std::chrono::steady_clock::now().time_since_epoch();
  CHECK(before <= now);
  CHECK(now <= after);
}

TEST_CASE("a timer runs on real time") {
  asio::io_context context;
  Timer timer(context.get_executor());
  const auto start = Clock::now();
  error_code result = asio::error::fault;
  timer.expires_after(2ms);
  timer.async_wait([&](error_code code) { result = code; });
  context.run();
  CHECK(!result);
  CHECK(Clock::now() - start >= 2ms);
}

TEST_CASE("a timer's wait ends when it is cancelled, set anew, destroyed, or its slot says so") {
  testing::VirtualTime time;
  asio::io_context context;
  auto timer = std::make_unique<Timer>(context.get_executor());
  asio::cancellation_signal signal;
  error_code result;
  timer->expires_after(1h);
  timer->async_wait(
      asio::bind_cancellation_slot(signal.slot(), [&](error_code code) { result = code; }));

  SUBCASE("cancelled") { timer->cancel(); }
  SUBCASE("set anew") { timer->expires_after(2h); }
  SUBCASE("destroyed") { timer.reset(); }
  SUBCASE("slot") { signal.emit(asio::cancellation_type::total); }

  time.run(context);
  CHECK(result == asio::error::operation_aborted);
  CHECK(time.elapsed() == 0s);
}

TEST_CASE("a duration beyond the clock's range means never") {
  asio::io_context context;
  Timer timer(context.get_executor());
  timer.expires_after(Clock::duration::max());
  CHECK(timer.expiry() == Clock::time_point::max());
}

TEST_CASE("Fact 8: a timer whose time has come ends with success although it is cancelled then") {
  testing::VirtualTime time;
  asio::io_context context;
  Timer first(context.get_executor());
  Timer second(context.get_executor());
  error_code result = asio::error::fault;
  first.expires_after(1s);
  second.expires_after(1s);
  first.async_wait([&](error_code) { second.cancel(); });
  second.async_wait([&](error_code code) { result = code; });
  time.run(context);
  CHECK(!result);  // Alarm, invariant 1, is our answer to this
}
