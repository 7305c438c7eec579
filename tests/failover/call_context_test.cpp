#include "understudy/failover/detail/call_context.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using detail::CallContext;

namespace {

const Chain chain{Member("a", "m")};
const auto here = std::source_location::current();

class Broken : public Observer {
 public:
  void attempt_began(const AttemptReport&) override { throw std::runtime_error("broken"); }
};

}  // namespace

TEST_CASE("the time until the deadline") {
  const testing::VirtualTime time;
  State state;
  const auto policy = Policy().with_deadline(10s);
  const CallContext call(chain, policy, state, CallOptions(), here);
  const auto began = call.began;
  CHECK(call.deadline() == began + 10s);
  CHECK(call.remaining(began + 4s) == 6s);
  CHECK_FALSE(call.deadline_passed(began + 9s));
  CHECK(call.deadline_passed(began + 10s));
  CHECK(call.remaining(began + 11s) == -1s);
}

TEST_CASE("without a deadline") {
  State state;
  const Policy policy;
  const CallContext call(chain, policy, state, CallOptions(), here);
  CHECK(call.deadline() == Clock::time_point::max());
  CHECK_FALSE(call.remaining(call.began + 1h));
  CHECK_FALSE(call.deadline_passed(call.began + 1h));
}

TEST_CASE("each call has an id of its own") {
  State state;
  const Policy policy;
  const CallContext one(chain, policy, state, CallOptions(), here);
  const CallContext other(chain, policy, state, CallOptions(), here);
  CHECK(one.id != other.id);
  CHECK(one.id != CallId{});
}

TEST_CASE("what an observer throws is contained") {
  State state;
  const Policy policy;
  Broken broken;
  const CallContext call(chain, policy, state, CallOptions().with_observer(broken), here);
  const AttemptReport report(chain[0], AttemptKind::plain, 0s);
  int told = 0;
  call.notify([&](Observer& o) {
    ++told;
    o.attempt_began(report);
  });
  CHECK(told == 1);
}

TEST_CASE("an abandoned call ends with its parent's cause") {
  testing::VirtualTime time;
  asio::io_context context;
  State state;
  const Policy policy;
  auto body = [&]() -> asio::awaitable<int> {
    auto in_scope = [&](Scope& scope) -> asio::awaitable<void> {
      const CallContext call(chain, policy, state, CallOptions().with_parent(scope), here);
      CHECK(call.abandoned().code == StopReason::cancelled);
      scope.cancel(StopReason::shutdown);
      CHECK(call.abandoned().code == StopReason::shutdown);
      co_return;
    };
    co_await with_scope(std::move(in_scope));
    co_return 0;
  };
  CHECK(time.run(context, body()) == 0);
}
