// What users reported of stalls, retries and their sum (the numbers are issues of the agent in whose
// #22277 this project began, where no other name is given).
#include <doctest/doctest.h>

#include "incident.hpp"

using namespace understudy;
using namespace incident_test;

TEST_CASE("99707, 115024: an explicit limit is not raised by a reasoning floor or a long prompt") {
  for (const Clock::duration limit : {120s, 30s}) {
    Incident incident;
    auto& primary =
        incident.add(Member("anthropic", "claude-opus-4-7").with_reasoning_floor(600s), stalls);
    incident.add(Member("openai", "gpt-5.5"), answers);
    incident.policy.with_stall(StallSettings().with_stale(limit));
    const auto outcome = incident.turn(CallOptions().with_prompt(120'000).with_scaled_stale(300s));
    CHECK(outcome.result.value() == "answer of openai/gpt-5.5");
    CHECK(primary.asked()[0].ended - primary.asked()[0].began == limit);
    CHECK(outcome.report.attempts[0].failure.evidence().origin == LimitOrigin::user);
  }
}

TEST_CASE("25249: local first, with a failover after 10 s and no further attempt") {
  Incident incident;
  auto& local = incident.add(Member("custom", "qwen")
                                 .with_base_url("http://localhost:8000/v1")
                                 .with_stall(StallSettings().with_stale(10s)),
                             [](const Asked&) { return Behaviour::stall(); });
  incident.add(Member("openai", "gpt-5.5"), answers);
  incident.policy.with_max_retries(0);
  const auto outcome = incident.turn();
  CHECK(outcome.result.value() == "answer of openai/gpt-5.5");
  CHECK(local.asked().size() == 1);
  CHECK(incident.time.elapsed() == 10s + 5ms);
}

TEST_CASE("69186: a connection that breaks within milliseconds is no stall") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus"), [](const Asked& asked) {
    return asked.number == 0 ? Behaviour::fail(Failure(asio::error::connection_reset), 3ms)
                             : Behaviour::answer(5ms);
  });
  auto& fallback = incident.add(Member("openai", "gpt"), answers);
  const auto outcome = incident.turn();
  CHECK(outcome.result.value() == "answer of anthropic/opus");
  CHECK(primary.asked().size() == 2);
  CHECK(fallback.asked().empty());
  CHECK(incident.time.elapsed() <= 3ms + 250ms + 5ms);
  CHECK(outcome.report.attempts[0].failure.code() == FailoverReason::connection);
  CHECK(outcome.report.attempts[0].decision->action == Action::retry);
}

TEST_CASE("69186: an ordinary error after a stall is called what it is") {
  Incident incident;
  incident.add(Member("anthropic", "opus"), [](const Asked& asked) {
    return asked.number == 0 ? Behaviour::stall(10s)
                             : Behaviour::fail(Failure(FailoverReason::server_error), 5ms);
  });
  incident.add(Member("openai", "gpt"), answers);
  incident.turn();
  REQUIRE(incident.marks().size() == 1);
  CHECK(incident.marks()[0].reason == FailoverReason::timeout);
  incident.pass(15s);
  const auto outcome = incident.turn();
  CHECK(outcome.report.attempts[0].failure.code() == FailoverReason::server_error);
  REQUIRE(incident.marks().size() == 1);
  CHECK(incident.marks()[0].reason == FailoverReason::server_error);
}

TEST_CASE("58962: three days of stalls are paid once, and the breaker does not latch") {
  Incident incident;
  bool well = false;
  auto& primary = incident.add(Member("anthropic", "opus"), [&](const Asked&) {
    return well ? Behaviour::answer(5ms) : Behaviour::stall(10s);
  });
  incident.add(Member("openai", "gpt"), answers);
  incident.turn();
  CHECK(incident.time.elapsed() == 180s + 5ms);
  for (int turn = 1; turn < 494; ++turn) {
    incident.pass(72h / 494);
    const auto outcome = incident.turn();
    REQUIRE(outcome.result.value() == "answer of openai/gpt");
    REQUIRE(outcome.report.took <= 2s + 5ms);  // the grace of a probe
  }
  CHECK(primary.asked().size() <= 1 + 7 + 72 * 2);  // the ladder, and then one in 30 minutes
  well = true;
  incident.pass(30min);
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
  CHECK(incident.marks().empty());
}

TEST_CASE("60761: 529 fails over at once, whatever max_retries is") {
  Incident incident;
  auto& primary =
      incident.add(Member("anthropic", "opus"), fails(Failure(FailoverReason::overloaded)));
  incident.add(Member("openai", "gpt"), answers);
  incident.policy.with_max_retries(3);
  CHECK(incident.turn().result.value() == "answer of openai/gpt");
  CHECK(primary.asked().size() == 1);
  CHECK(incident.time.elapsed() == 45ms);
}

TEST_CASE("60761: a fallback that failed once is not left out for the rest of the session") {
  Incident incident;
  incident.add(Member("anthropic", "opus"), fails(Failure(FailoverReason::billing)));
  auto& fallback = incident.add(Member("openai", "gpt"), [](const Asked& asked) {
    return asked.number == 0 ? Behaviour::fail(Failure(FailoverReason::overloaded))
                             : Behaviour::answer(5ms);
  });
  incident.add(Member("zai", "glm"), answers);
  CHECK(incident.turn().result.value() == "answer of zai/glm");
  incident.pass(15s);
  CHECK(incident.turn().result.value() == "answer of openai/gpt");
  CHECK(fallback.asked().size() == 2);
}

TEST_CASE("72016: three silent members, and still an end at the deadline") {
  Incident incident;
  for (const auto* name : {"anthropic", "openai", "zai"}) {
    incident.add(Member(name, "model"), stalls);
  }
  incident.policy.with_deadline(90s);
  const auto outcome = incident.turn();
  CHECK(incident.time.elapsed() == 90s);
  CHECK(outcome.result.error().code() == StopReason::deadline);
  CHECK(asked_in(outcome) ==
        std::vector<std::string>{"anthropic/model", "openai/model", "zai/model"});
  CHECK(outcome.result.error().attempts().size() == 3);
}

TEST_CASE("72016: retries draw on the same deadline") {
  Incident incident;
  incident.add(Member("anthropic", "opus"), [](const Asked&) {
    return Behaviour::fail(Failure(FailoverReason::server_error), 25s);
  });
  incident.policy.with_deadline(60s).with_max_retries(10);
  const auto outcome = incident.turn();
  CHECK(outcome.result.has_error());
  CHECK(incident.time.elapsed() <= 60s);
}

TEST_CASE("32646: a 429 after a retried stall still fails over") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus"), [](const Asked& asked) {
    return asked.number == 0 ? Behaviour::stall(10s)
                             : Behaviour::fail(Failure(FailoverReason::rate_limit));
  });
  incident.add(Member("openai", "gpt"), answers);
  incident.policy.with_eager_on_timeout(false);
  CHECK(incident.turn().result.value() == "answer of openai/gpt");
  CHECK(primary.asked().size() == 2);
}

TEST_CASE("6600: what breaks because the user stopped is nobody's failure, and not retried") {
  Incident incident;
  incident.add(Member("anthropic", "opus"), answers);
  incident.add(Member("openai", "gpt"), answers);
  int asked = 0;
  bool throws = false;
  SUBCASE("the call returns a reset connection") {}
  SUBCASE("the call throws it") { throws = true; }
  // A stream whose socket is closed under it when the user stops, and which then reports that.
  auto broken_by_stop = [&](Attempt& attempt) -> asio::awaitable<Result<std::string>> {
    ++asked;
    co_await asio::this_coro::throw_if_cancelled(false);
    attempt.enter(Phase::first_progress);
    attempt.waiting();
    Timer socket(attempt.scope().get_executor());
    socket.expires_after(1h);
    co_await socket.async_wait(asio::as_tuple(asio::deferred));
    if (throws) {
      throw boost::system::system_error(asio::error::connection_reset);
    }
    co_return Failure(asio::error::connection_reset);
  };
  auto stop_after_3s = [&](Scope& scope) -> asio::awaitable<void> {
    scope.deadline(3s);
    co_await failover(incident.chain, incident.policy, incident.state, broken_by_stop);
  };
  try {
    incident.time.run(incident.context, with_scope(stop_after_3s));
    FAIL("being stopped has to be seen");
  } catch (const boost::system::system_error& stopped) {
    CHECK(stopped.code() == StopReason::deadline);
  }
  CHECK(incident.time.elapsed() == 3s);
  CHECK(asked == 1);
  CHECK(incident.marks().empty());
}

TEST_CASE("6600: nor is what breaks because another one has won") {
  Incident incident;
  incident.add(Member("anthropic", "opus"), stalls);
  incident.add(Member("openai", "gpt"), answers);
  incident.turn();
  incident.pass(15s);
  // The probe loses its hedge, and its connection breaks when it is closed.
  auto breaks_when_closed = [&](Attempt& attempt) -> asio::awaitable<Result<std::string>> {
    if (attempt.member().provider() == "openai") {
      co_return "answer of openai/gpt";
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    Timer socket(attempt.scope().get_executor());
    socket.expires_after(1h);
    co_await socket.async_wait(asio::as_tuple(asio::deferred));
    throw boost::system::system_error(asio::error::connection_reset);
  };
  auto probed = [&]() -> asio::awaitable<void> {
    const auto outcome =
        co_await failover(incident.chain, incident.policy, incident.state, breaks_when_closed);
    CHECK(outcome.result.value() == "answer of openai/gpt");
    CHECK(outcome.report.attempts[0].failure.code() == StopReason::lost);
  };
  incident.time.run(incident.context, probed());
  REQUIRE(incident.marks().size() == 1);
  CHECK(incident.marks()[0].reason == FailoverReason::timeout);
  CHECK(incident.marks()[0].failed_probes == 1);
}

TEST_CASE("openclaw 51057: 48 steps of an agent do not pay a stall of 60 s each") {
  Incident incident;
  incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 1)), stalls);
  incident.add(Member("openai", "gpt"), answers);
  incident.policy.with_stall(StallSettings().with_stale(60s));
  for (int step = 0; step < 48; ++step) {
    CHECK(incident.turn().result.value() == "answer of openai/gpt");
  }
  CHECK(incident.time.elapsed() < 61s);
}

TEST_CASE("openclaw 48623: the first attempt does not use up the time of the second") {
  Incident incident;
  incident.add(Member("anthropic", "opus"), stalls);
  incident.add(Member("openai", "gpt"), [](const Asked&) { return Behaviour::answer(25s); });
  incident.policy.with_deadline(60s);
  const auto outcome = incident.turn();
  CHECK(outcome.result.value() == "answer of openai/gpt");
  CHECK(outcome.report.attempts[0].took == 30s);
  CHECK(outcome.report.attempts[0].failure.code() == FailoverReason::timeout);
  CHECK(outcome.report.attempts[0].failure.evidence().origin == LimitOrigin::share_of_deadline);
}
