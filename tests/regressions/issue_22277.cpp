// The report that this project began with (hermes #22277, 2026-05-09): the primary's stream hangs, its
// socket open and its heartbeats coming; the client kills it after minutes, retries the same sick provider,
// and 15 minutes and more are gone while a healthy fallback stands idle.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/llm/stall_scaling.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;
using testing::Asked;
using testing::Behaviour;
using testing::ScriptedProvider;
using testing::VirtualTime;

namespace {

/// Two providers, their chain and what is known of them; a turn is one call.
class FoundingIncident {
 public:
  FoundingIncident(ScriptedProvider::Script primary_script,
                   ScriptedProvider::Script fallback_script)
      : primary("anthropic", std::move(primary_script)),
        fallback("openai-codex", std::move(fallback_script)) {}

  Outcome<std::string> turn(std::uint64_t prompt = 0) {
    return time.run(context, call(prompt)).value();
  }

  VirtualTime time;
  asio::io_context context;
  ScriptedProvider primary;
  ScriptedProvider fallback;
  Chain chain{Member("anthropic", "claude-opus-4-7"), Member("openai-codex", "gpt-5.5")};
  Policy policy;
  State state;

 private:
  awaitable<std::optional<Outcome<std::string>>> call(std::uint64_t prompt) {
    auto ask = [&](Attempt& attempt) {
      return (attempt.member().provider() == "anthropic" ? primary : fallback).ask(attempt);
    };
    co_return co_await failover(
        chain, policy, state, std::move(ask),
        CallOptions().with_prompt(prompt).with_scaled_stale(llm::scaled_stale(prompt)));
  }
};

Behaviour heartbeats_only(const Asked&) { return Behaviour::stall(10s); }
Behaviour healthy(const Asked&) { return Behaviour::answer(5ms); }

constexpr std::uint64_t long_prompt = 60'000;

}  // namespace

TEST_CASE("issue 22277: heartbeats for ever, a healthy fallback idle") {
  SUBCASE("eager_on_timeout, the default: the first stall fails over") {
    FoundingIncident incident(heartbeats_only, healthy);
    const auto outcome = incident.turn();
    CHECK(outcome.result.value() == "answer of openai-codex");
    REQUIRE(outcome.report.attempts.size() == 2);
    const auto& stalled = outcome.report.attempts[0];
    const auto& answered = outcome.report.attempts[1];
    // The fallback's first event, at the limit and 10 ms at most.
    CHECK(answered.began + *answered.first_progress >= 180s);
    CHECK(answered.began + *answered.first_progress <= 180s + 10ms);
    CHECK(incident.primary.asked().size() == 1);
    CHECK(stalled.failure.code() == FailoverReason::timeout);
    CHECK(stalled.failure.evidence().clock == LimitClock::progress);
    CHECK(stalled.failure.evidence().heartbeats == 17);
    CHECK(stalled.failure.evidence().origin == LimitOrigin::standard);
    CHECK(stalled.failure.evidence().limit == 180s);
    CHECK(stalled.decision->action == Action::fail_over);
    CHECK(incident.primary.alive() == 0);
  }
  SUBCASE("the old way: the same provider four times, 60,000 tokens, over 15 minutes") {
    FoundingIncident incident(heartbeats_only, healthy);
    incident.policy.with_eager_on_timeout(false).with_max_retries(3);
    const auto outcome = incident.turn(long_prompt);
    CHECK(outcome.result.value() == "answer of openai-codex");
    CHECK(incident.primary.asked().size() == 4);
    REQUIRE(outcome.report.attempts.size() == 5);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(outcome.report.attempts[i].failure.evidence().limit == 240s);
      CHECK(outcome.report.attempts[i].failure.evidence().origin == LimitOrigin::scaled);
    }
    CHECK(incident.time.elapsed() >= 4 * 240s);
    CHECK(incident.time.elapsed() <= 4 * 240s + 4s);  // and three waits of backoff
  }
}

TEST_CASE("issue 22277: 300 s above 100,000 tokens") {
  FoundingIncident incident(heartbeats_only, healthy);
  const auto outcome = incident.turn(120'000);
  CHECK(outcome.report.attempts[0].failure.evidence().limit == 300s);
  CHECK(incident.time.elapsed() == 300s + 5ms);
}

TEST_CASE("issue 22277: a second credential is tried only if credentials.recover has timeouts") {
  const auto by_key = [](const Asked& asked) {
    return asked.credential == "second" ? Behaviour::answer(5ms) : Behaviour::stall(10s);
  };
  FoundingIncident incident(by_key, healthy);
  incident.chain[0].with_credentials(std::make_shared<CredentialPool>(
      "anthropic", std::vector<Credential>{Credential("one", Secret("first")),
                                           Credential("two", Secret("second"))}));
  SUBCASE("not: a stall says nothing about a key") {
    const auto outcome = incident.turn();
    CHECK(outcome.result.value() == "answer of openai-codex");
    CHECK(incident.primary.asked().size() == 1);
  }
  SUBCASE("it has") {
    incident.policy.with_recover({FailoverReason::timeout});
    const auto outcome = incident.turn();
    CHECK(outcome.result.value() == "answer of anthropic");
    CHECK(incident.primary.asked().size() == 2);
    CHECK(outcome.report.attempts[0].decision->action == Action::rotate);
    CHECK(*outcome.report.attempts[1].credential == "two");
    CHECK(incident.time.elapsed() == 180s + 5ms);
  }
}

TEST_CASE(
    "issue 22277: a chain of one waits as long as the last member may, and says why it failed") {
  FoundingIncident incident(heartbeats_only, healthy);
  incident.chain.pop_back();
  const auto outcome = incident.turn();
  REQUIRE(outcome.result.has_error());
  CHECK(outcome.result.error().code() == FailoverReason::timeout);
  CHECK(outcome.result.error().attempts().size() == 1);
  CHECK(outcome.result.error().evidence().limit == 600s);
  CHECK(incident.time.elapsed() == 600s);
}

TEST_CASE(
    "issue 22277: the next ten turns do not pay the stall again, and the primary comes back") {
  Clock::duration usual = 0s;  // the primary's time to first token when it is well
  SUBCASE("a quick primary") { usual = 300ms; }
  SUBCASE("a primary whose usual first token takes 6 s") { usual = 6s; }
  constexpr auto fallback_takes = 400ms;
  int turn = 0;
  constexpr int well_again = 6;
  const auto primary = [&](const Asked&) {
    return turn < 0 || turn >= well_again ? Behaviour::answer(usual) : Behaviour::stall(10s);
  };
  FoundingIncident incident(primary,
                            [&](const Asked&) { return Behaviour::answer(fallback_takes); });

  turn = -1;  // before the incident
  CHECK(incident.turn().result.value() == "answer of anthropic");
  turn = 0;
  CHECK(incident.turn().result.value() == "answer of openai-codex");
  const auto incident_over = incident.time.elapsed();
  const auto grace = std::max<Clock::duration>(2s, usual * 3 / 2);
  int back = 0;
  for (turn = 1; turn <= 10; ++turn) {
    incident.time.run_for(incident.context, incident_over + turn * 60s - incident.time.elapsed());
    const auto outcome = incident.turn();
    CAPTURE(turn);
    CAPTURE(outcome.report.why());
    CHECK(outcome.report.took <= grace + std::max<Clock::duration>(fallback_takes, usual));
    if (back == 0 && outcome.result.value() == "answer of anthropic") {
      back = turn;
    }
    if (back != 0) {
      CHECK(outcome.result.value() == "answer of anthropic");
      CHECK((turn == back || outcome.report.took == usual));
    }
  }
  CHECK(back >= well_again);
  CHECK(back <= 7);
}
