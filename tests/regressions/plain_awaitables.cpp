// Awaitables that know nothing of this library, as services have them: a query, an RPC, a call of an SDK. They
// hang, they give up by a time limit of their own, and they must fail over as those do that note what they hear.
#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/error.hpp>

#include "incident.hpp"

using namespace understudy;
using namespace incident_test;
using asio::awaitable;

namespace {

/// Plain Asio, on a timer that virtual time does not know: it never ends by itself.
awaitable<void> hang() {
  asio::steady_timer never(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::deferred);
}

/// The user's function: it is told whom to ask, and nothing else.
awaitable<std::string> ask(const std::string& provider) {
  if (provider == "primary") {
    co_await hang();
  }
  co_await sleep_for(5ms);
  co_return "answer of " + provider;
}

/// The answer, or why there is none.
std::string said(const Outcome<std::string>& outcome) {
  return outcome.result ? *outcome.result : to_string(outcome.result.error());
}

/// A primary and a fallback, asked by plain awaitables.
class Service {
 public:
  Service() {
    chain.emplace_back("primary", "m");
    chain.emplace_back("fallback", "m");
  }

  template <class F>
  Outcome<std::string> call(F f, CallOptions options = CallOptions()) {
    using Ended = std::optional<Outcome<std::string>>;
    auto run = [&]() -> awaitable<Ended> {
      co_return co_await failover(chain, policy, state, f, options);
    };
    return time.run(context, run()).value();
  }
  Outcome<std::string> call() {
    return call([](Attempt& attempt) { return ask(attempt.member().provider()); });
  }

  VirtualTime time;
  asio::io_context context;
  Chain chain;
  Policy policy;
  State state;
};

}  // namespace

TEST_CASE("the founding incident around an awaitable that knows nothing of us: over at the limit") {
  Service service;
  service.policy.with_stall(StallSettings().with_first_progress(2s));
  const auto outcome = service.call();
  CHECK(said(outcome) == "answer of fallback");
  CHECK(service.time.elapsed() == 2s + 5ms);
  REQUIRE(outcome.report.attempts.size() == 2);
  const auto& hung = outcome.report.attempts[0];
  CHECK(hung.failure.code() == FailoverReason::timeout);
  CHECK(hung.decision->action == Action::fail_over);
  CHECK(hung.took == 2s);
  CHECK(outcome.report.why() ==
        "fallback/m answered, after primary/m: timeout: no answer in 2 s (limit 2 s, user)");
  // And the next call does not pay for it again.
  CHECK(service.call().report.took == 5ms);
}

TEST_CASE("a plain awaitable that hangs has its share of the deadline, and no more") {
  Service service;
  service.policy.with_deadline(60s);
  SUBCASE("no limit is set") {}
  SUBCASE("an explicit `stale`, which says nothing of it") {
    service.policy.with_stall(StallSettings().with_stale(90s));
  }
  const auto outcome = service.call();
  CHECK(said(outcome) == "answer of fallback");
  CHECK(outcome.report.took == 30s + 5ms);
  CHECK(outcome.report.attempts[0].failure.code() == FailoverReason::timeout);
  CHECK(outcome.report.attempts[0].failure.evidence().origin == LimitOrigin::share_of_deadline);
}

TEST_CASE("how long a plain awaitable may take: Policy::attempt, first_progress, or whole_answer") {
  Service service;
  Clock::duration limit = 600s;
  SUBCASE("nothing is set") {}
  SUBCASE("an explicit `whole_answer`") {
    service.policy.with_stall(StallSettings().with_whole_answer(30s).with_stale(2s));
    limit = 30s;
  }
  SUBCASE("a member's own `first_progress`") {
    service.policy.with_stall(StallSettings().with_first_progress(2s).with_whole_answer(30s));
    service.chain[0].with_stall(StallSettings().with_first_progress(3s));
    limit = 3s;
  }
  SUBCASE("Policy::attempt") {
    service.policy.with_stall(StallSettings().with_first_progress(2s)).with_attempt(5s);
    limit = 5s;
  }
  SUBCASE("Policy::attempt, which is explicit, over the share of the deadline") {
    service.policy.with_deadline(60s).with_attempt(40s);
    limit = 40s;
  }
  const auto outcome = service.call();
  CHECK(said(outcome) == "answer of fallback");
  CHECK(outcome.report.took == limit + 5ms);
}

TEST_CASE(
    "an attempt that notes a phase or a wait is limited as its phases are, and not as a whole") {
  const auto enter = [](Attempt& attempt) { attempt.enter(Phase::first_progress); };
  const auto wait = [](Attempt& attempt) { attempt.waiting(); };
  for (const auto& note : {std::function<void(Attempt&)>(enter), {wait}}) {
    for (const auto after : {Clock::duration(0s), Clock::duration(1s)}) {
      Service service;
      service.policy.with_attempt(2s);
      const auto outcome = service.call([&](Attempt& attempt) -> awaitable<std::string> {
        co_await sleep_for(after);
        note(attempt);
        co_await sleep_for(100s);
        co_return "answer of " + attempt.member().provider();
      });
      CHECK(said(outcome) == "answer of primary");
    }
  }
}

TEST_CASE("the last member that hangs has the last member's limit, and the failure says why") {
  Service service;
  service.chain.pop_back();
  service.policy.with_attempt(2s);
  const auto outcome = service.call();
  CHECK(said(outcome) == "timeout: no answer in 600 s (limit 600 s, default)");
  CHECK(outcome.report.took == 600s);
}

TEST_CASE("a plain awaitable that hangs as a probe or before a hedge costs what that may cost") {
  Service service;
  service.policy.with_attempt(10s);
  SUBCASE("a probe: the grace") {
    CHECK(service.call().report.took == 10s + 5ms);
    service.time.run_for(service.context, 15s);
    const auto outcome = service.call();
    CHECK(said(outcome) == "answer of fallback");
    CHECK(outcome.report.took == service.policy.probe_grace + 5ms);
    CHECK(outcome.report.attempts[0].kind == AttemptKind::probe);
    CHECK(outcome.report.attempts[0].failure.code() == StopReason::lost);
  }
  SUBCASE("a probe within a short deadline: half of it at most") {
    CHECK(said(service.call()) == "answer of fallback");
    service.time.run_for(service.context, 15s);
    service.policy.with_deadline(300ms);
    const auto outcome = service.call();
    CHECK(said(outcome) == "answer of fallback");
    CHECK(outcome.report.took == 150ms + 5ms);
  }
  SUBCASE("hedge_after, and the loser is not marked") {
    service.policy.with_hedge_after(500ms);
    const auto outcome = service.call();
    CHECK(said(outcome) == "answer of fallback");
    CHECK(outcome.report.took == 505ms);
    CHECK(outcome.report.attempts[0].failure.code() == StopReason::lost);
    CHECK(service.state.health().all_well());
  }
}

TEST_CASE("a plain awaitable that answers in time leaves nothing behind") {
  Service service;
  service.chain.erase(service.chain.begin());
  service.policy.with_attempt(2s);
  CHECK(said(service.call()) == "answer of fallback");
  CHECK(service.state.health().all_well());
  service.time.run(service.context);
  CHECK(service.time.elapsed() == 5ms);  // no timer was left
}

TEST_CASE(
    "a time limit inside the attempt that is neither the call's nor the caller's fails over") {
  Service service;
  std::function<awaitable<void>()> give_up;
  std::string words = "cancelled by neither this call nor its caller";
  SUBCASE("cancelled, as cancel_after does") {
    give_up = []() -> awaitable<void> {
      co_await sleep_for(3s);
      throw boost::system::system_error(asio::error::operation_aborted);
    };
  }
  SUBCASE("a deadline in a scope of its own") {
    words = "a deadline inside the attempt";
    give_up = [] {
      return with_scope([](Scope& scope) {
        scope.deadline(3s);
        return hang();
      });
    };
  }
  SUBCASE("beast::tcp_stream's own timeout") {
    words = "timeout";
    give_up = []() -> awaitable<void> {
      co_await sleep_for(3s);
      throw boost::system::system_error(boost::beast::error::timeout);
    };
  }
  const auto limited = [&](Attempt& attempt) -> awaitable<std::string> {
    if (attempt.member().provider() == "primary") {
      co_await give_up();
    }
    co_return "answer of " + attempt.member().provider();
  };
  Outcome<std::string> outcome{Failure(), CallReport()};
  try {
    outcome = service.call(limited);
  } catch (const std::exception& thrown) {
    FAIL_CHECK("it threw ", thrown.what());
  }
  CHECK(service.time.elapsed() == 3s);
  CHECK(said(outcome) == "answer of fallback");
  CAPTURE(outcome.report.why());
  REQUIRE(outcome.report.attempts.size() == 2);
  CHECK(outcome.report.attempts[0].failure.code() == FailoverReason::timeout);
  CHECK(outcome.report.attempts[0].failure.message().find(words) != std::string::npos);
  CHECK(outcome.report.attempts[0].decision->action == Action::fail_over);
}

TEST_CASE("the same, returned as a Result") {
  for (const error_code code :
       {error_code(asio::error::operation_aborted),
        make_error_code(boost::system::errc::operation_canceled),
        error_code(boost::beast::error::timeout), error_code(StopReason::deadline)}) {
    CAPTURE(code.message());
    Service service;
    const auto limited = [&](Attempt& attempt) -> awaitable<Result<std::string>> {
      if (attempt.member().provider() == "primary") {
        co_return Failure(code);
      }
      co_return "answer of fallback";
    };
    const auto outcome = service.call(limited);
    CHECK(said(outcome) == "answer of fallback");
    CHECK(outcome.report.attempts[0].failure.code() == FailoverReason::timeout);
  }
}

TEST_CASE("a caller's cancel still throws operation_aborted, whatever the attempt makes of it") {
  Service service;
  std::function<awaitable<std::string>(Attempt&)> f;
  SUBCASE("it throws that too") {
    f = [](Attempt&) -> awaitable<std::string> {
      co_await hang();
      co_return "";
    };
  }
  SUBCASE("it throws Asio's multiple_exceptions") {
    f = [](Attempt&) -> awaitable<std::string> {
      using namespace asio::experimental::awaitable_operators;
      co_await (hang() || hang());
      co_return "";
    };
  }
  asio::cancellation_signal signal;
  std::exception_ptr end;
  auto run = [&]() -> awaitable<void> {
    co_await failover(service.chain, service.policy, service.state, f);
  };
  asio::co_spawn(service.context, run(),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&](const std::exception_ptr& error) { end = error; }));
  service.time.run_for(service.context, 1s);
  signal.emit(asio::cancellation_type::all);
  service.time.run(service.context);
  REQUIRE(end);
  CHECK_THROWS_AS(std::rethrow_exception(end), boost::system::system_error);
  CHECK(service.state.health().all_well());
  CHECK(service.time.elapsed() == 1s);
}

TEST_CASE("an awaitable made of Asio's || that hangs fails over as others do") {
  Service service;
  service.policy.with_stall(StallSettings().with_first_progress(2s));
  const auto either = [](Attempt& attempt) -> awaitable<std::string> {
    using namespace asio::experimental::awaitable_operators;
    if (attempt.member().provider() == "primary") {
      co_await (hang() || hang());
    }
    co_return "answer of " + attempt.member().provider();
  };
  CHECK(said(service.call(either)) == "answer of fallback");
  CHECK(service.time.elapsed() == 2s);
}

TEST_CASE("both sides of Asio's || fail: the first failure counts") {
  Service service;
  const auto fail = [](Clock::duration after, error_code code) -> awaitable<void> {
    co_await sleep_for(after);
    throw boost::system::system_error(code);
  };
  const auto both = [&](Attempt& attempt) -> awaitable<std::string> {
    using namespace asio::experimental::awaitable_operators;
    if (attempt.member().provider() == "primary") {
      co_await (fail(2s, asio::error::connection_reset) || fail(3s, asio::error::no_memory));
    }
    co_return "answer of " + attempt.member().provider();
  };
  const auto outcome = service.call(both);
  CHECK(said(outcome) == "answer of fallback");
  CHECK(outcome.report.attempts.at(0).failure.code() == FailoverReason::connection);
}

TEST_CASE("the call's own deadline, seen by the attempt itself, is the call's") {
  Service service;
  service.policy.with_deadline(2s).with_attempt(1h);
  const auto outcome = service.call([](Attempt& attempt) {
    return with_scope([&](Scope& scope) -> awaitable<std::string> {
      scope.deadline(*attempt.remaining());
      co_await hang();
      co_return "";
    });
  });
  REQUIRE(outcome.result.has_error());
  CHECK(outcome.result.error().code() == StopReason::deadline);
  CHECK(outcome.report.attempts.size() == 1);
  CHECK(service.state.health().all_well());
}

TEST_CASE("a call with a deadline of 300 ms asks a member") {
  Service service;
  service.policy.with_deadline(300ms);
  std::vector<std::string> asked;
  Clock::duration fails_after = Clock::duration::max();
  const auto answer = [&](Attempt& attempt) -> awaitable<std::string> {
    asked.push_back(attempt.member().provider());
    if (attempt.member().provider() == "primary") {
      co_await sleep_for(fails_after);
      throw FailoverError(Failure(FailoverReason::overloaded));
    }
    co_await sleep_for(20ms);
    co_return "answer of fallback";
  };
  SUBCASE("the first member") {
    service.chain.erase(service.chain.begin());
    const auto outcome = service.call(answer);
    CHECK(said(outcome) == "answer of fallback");
    CHECK(asked.size() == 1);
  }
  SUBCASE("the next one, where the first fails at once") {
    fails_after = 10ms;
    const auto outcome = service.call(answer);
    CHECK(said(outcome) == "answer of fallback");
    CHECK(outcome.report.took == 30ms);
  }
  SUBCASE("the first has all of it, if it hangs") {
    const auto outcome = service.call(answer);
    REQUIRE(outcome.result.has_error());
    CHECK(outcome.result.error().code() == StopReason::deadline);
    CHECK(asked.size() == 1);
    CHECK(outcome.report.took == 300ms);
  }
}
