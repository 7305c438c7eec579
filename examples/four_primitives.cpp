// The four primitives in one: a stalled stream is noticed by its StallTimer, cancelled with a cause in
// its Scope, raced by a mirror, and all of it in virtual time: three minutes pass at once.
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <string>

#include "understudy/runtime/race.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/runtime/stall_timer.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;

// Heartbeats every 10 s, and never a token: the limit on progress ends it, with a cause.
awaitable<std::string> stalled(Scope& scope) {
  const StallCodes codes(asio::error::connection_reset, asio::error::timed_out);
  StallTimer stall(scope, stall_limits(StallSettings(), StallFacts(), codes));
  stall.enter(Phase::first_progress);
  while (true) {
    stall.waiting();
    co_await sleep_for(10s);  // a socket's read would stand here
    stall.heard(16);
    stall.heartbeat();
  }
}

awaitable<std::string> mirror(Clock::duration needs) {
  co_await sleep_for(needs);
  co_return "the mirror's answer";
}

awaitable<std::string> answer() {
  std::string why;
  co_await with_scope([&](Scope& scope) -> awaitable<void> {
    try {
      co_await stalled(scope);
    } catch (const boost::system::system_error&) {
      why = to_string(scope.cause());  // the cancel carries its reason
    }
  });
  const auto first = co_await race(mirror(5s), mirror(2s));  // the other is cancelled and joined
  co_return why + "\nthen, from mirror " + std::to_string(first.index()) + ": " +
      std::visit([](const std::string& text) { return text; }, first);
}

int main() {
  testing::VirtualTime time;
  asio::io_context context;
  std::cout << time.run(context, answer()) << "\n";
  std::cout << std::chrono::duration<double>(time.elapsed()).count() << " s of virtual time\n";
}
