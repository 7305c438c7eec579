// What users reported of cooldowns, of the way back to the primary, and of the walk along the chain.
#include <doctest/doctest.h>

#include "incident.hpp"
#include "understudy/llm/retry_after.hpp"

using namespace understudy;
using namespace incident_test;

namespace {

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("15298: an exhausted primary is not asked again at each message") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 1)),
                               fails(Failure(FailoverReason::billing)));
  incident.add(Member("openai", "gpt"), answers);
  for (int message = 0; message < 10; ++message) {
    CHECK(incident.turn().result.value() == "answer of openai/gpt");
    incident.pass(5s);
  }
  CHECK(primary.asked().size() == 1);
}

TEST_CASE("19839: every reason that says something is sick arms the cooldown") {
  for (const auto& row : all_reasons()) {
    CAPTURE(row.name);
    Incident incident;
    auto& primary = incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 1)),
                                 fails(Failure(row.reason)));
    incident.add(Member("openai", "gpt"), answers);
    incident.turn();
    const auto asked = primary.asked().size();
    const auto outcome = incident.turn();
    if (row.concern == Concern::nothing) {
      CHECK(primary.asked().size() > asked);  // the request's own fault: another one may pass
      continue;
    }
    CHECK(outcome.result.value() == "answer of openai/gpt");
    CHECK(primary.asked().size() == asked);
    CHECK(outcome.report.skipped.size() == 1);
  }
}

TEST_CASE("30223, 77607: a limit that lasts: 60 s, doubling with each probe, to 4 h") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 1)),
                               fails(Failure(FailoverReason::rate_limit)));
  incident.add(Member("openai", "gpt"), answers);
  while (incident.time.elapsed() < 24h) {
    CHECK(incident.turn().result.value() == "answer of openai/gpt");
    incident.pass(10s);
  }
  Clock::duration expected = 60s;
  const auto& asked = primary.asked();
  for (std::size_t i = 1; i < asked.size(); ++i) {
    CAPTURE(i);
    const auto gap = asked[i].began - asked[i - 1].ended;
    CHECK(gap >= expected);
    CHECK(gap <= expected + 11s);  // one turn
    expected = std::min<Clock::duration>(expected * 2, 4h);
  }
  CHECK(asked.size() == 1 + 8 + 4);  // 60 s to 7680 s in 4.25 h, then every 4 h
}

TEST_CASE("67642: a limit that ends in five hours: a request in five minutes, and not one more") {
  Incident incident;
  bool over = false;
  auto& primary = incident.add(
      Member("anthropic", "opus").with_credentials(keys("anthropic", 1)), [&](const Asked&) {
        return over ? Behaviour::answer(5ms)
                    : Behaviour::fail(Failure(FailoverReason::rate_limit)
                                          .with_retry_after(5h - incident.time.elapsed()));
      });
  auto& fallback = incident.add(Member("openai", "gpt"), [&](const Asked&) {
    return incident.time.elapsed() < 2h ? Behaviour::answer(5ms)
                                        : Behaviour::fail(Failure(FailoverReason::overloaded));
  });
  while (incident.time.elapsed() < 5h - 2min) {
    incident.turn();
    incident.pass(1min);
  }
  // Also when no other member could answer: the provider has named the time.
  const auto& asked = primary.asked();
  CHECK(asked.size() <= 5h / named_probe_gap);
  CHECK(asked.size() > 5h / named_probe_gap / 2);
  for (std::size_t i = 1; i < asked.size(); ++i) {
    CHECK(asked[i].began - asked[i - 1].ended >= named_probe_gap);
  }
  CHECK(fallback.asked().size() > 100);
  over = true;
  incident.pass(3min);
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
}

TEST_CASE(
    "a Retry-After of 3,000 years: asked again in five minutes, and the caller is told four "
    "hours") {
  for (const auto named : {llm::longest_retry_after, Clock::duration::max()}) {
    Incident incident;
    auto& primary = incident.add(
        Member("anthropic", "opus").with_credentials(keys("anthropic", 1)),
        [&](const Asked& asked) {
          return asked.number < 2
                     ? Behaviour::fail(Failure(FailoverReason::rate_limit).with_retry_after(named))
                     : Behaviour::answer(5ms);
        });
    CHECK(incident.turn().result.error().retry_after() == 4h);
    incident.pass(5min - 1s);
    CHECK(incident.turn().result.error().retry_after() == 4h - 5min + 1s);
    CHECK(primary.asked().size() == 1);
    incident.pass(1s);
    CHECK(incident.turn().result.error().retry_after() == 4h);  // said once more
    CHECK(primary.asked().size() == 2);
    CHECK(incident.turn().result.has_error());
    CHECK(primary.asked().size() == 2);
    incident.pass(5min);
    CHECK(incident.turn().result.value() == "answer of anthropic/opus");
    CHECK(incident.marks().empty());
  }
}

TEST_CASE("a credential whose limit ends in a year costs one call in five minutes an attempt") {
  Incident incident;
  bool limited = true;
  auto& provider = incident.add(
      Member("anthropic", "opus").with_credentials(keys("anthropic", 2)), [&](const Asked& asked) {
        return limited && asked.credential == "key-1"
                   ? Behaviour::fail(Failure(FailoverReason::rate_limit)
                                         .with_retry_after(llm::longest_retry_after))
                   : Behaviour::answer(5ms);
      });
  for (int minute = 0; minute < 60; ++minute) {
    CHECK(incident.turn().result.has_value());
    incident.pass(1min);
  }
  CHECK(provider.asked().size() == 60 + 12);
  limited = false;
  incident.pass(5min);
  CHECK(*incident.turn().report.attempts.at(0).credential == "1");
  CHECK(incident.marks().empty());
}

TEST_CASE("a probe before a named time costs its caller the grace at most") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus"), [](const Asked& asked) {
    return asked.number == 0
               ? Behaviour::fail(Failure(FailoverReason::overloaded).with_retry_after(2h))
               : Behaviour::stall(10s);
  });
  incident.add(Member("openai", "gpt"), answers);
  for (int minute = 0; minute < 120; ++minute) {
    const auto outcome = incident.turn();
    CHECK(outcome.result.value() == "answer of openai/gpt");
    CHECK(outcome.report.took <= incident.policy.probe_grace + 40ms);
    incident.pass(1min - outcome.report.took);
  }
  // A probe in mid-time that fails is no worse than none: five minutes to the next, as before.
  CHECK(primary.asked().size() >= 20);
  CHECK(primary.asked().size() <= 24);
}

TEST_CASE("a named time that is still to come: no probe of it ends what may yet answer") {
  Incident incident;
  incident.add(Member("anthropic", "opus"),
               fails(Failure(FailoverReason::overloaded).with_retry_after(2h)));
  Clock::duration takes = 5ms;
  incident.add(Member("openai", "gpt"), [&](const Asked&) { return Behaviour::answer(takes); });
  CHECK(incident.turn().result.value() == "answer of openai/gpt");
  incident.pass(5min - 100s);
  takes = 400s;  // its limit is 180 s, and the probe is due within it
  const auto outcome = incident.turn();
  CHECK(outcome.report.why() ==
        "openai/gpt answered, passed over anthropic/opus: in cooldown, overloaded");
}

TEST_CASE("75041, 71520: a probe before the primary is restored, at a price that the user sets") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus"), stalls);
  auto& fallback = incident.add(Member("openai", "gpt"), answers);
  incident.policy.with_probe_grace(500ms);
  incident.turn();
  incident.pass(15s);
  const auto outcome = incident.turn();
  CHECK(outcome.result.value() == "answer of openai/gpt");
  CHECK(outcome.report.took == 505ms);
  CHECK(outcome.report.attempts[0].kind == AttemptKind::probe);
  CHECK(outcome.report.attempts[1].kind == AttemptKind::hedge);
  CHECK(primary.asked().size() == 2);
  CHECK(primary.alive() == 0);
  CHECK(fallback.asked().size() == 2);
}

TEST_CASE(
    "13917: stays where it is well, comes back when the health check says so, and stays then") {
  Incident incident;
  bool well = false;
  auto& primary = incident.add(Member("anthropic", "opus"), [&](const Asked&) {
    return well ? Behaviour::answer(5ms) : Behaviour::fail(Failure(FailoverReason::server_error));
  });
  incident.add(Member("openai", "gpt"), answers);
  for (int turn = 0; turn < 30; ++turn) {
    CHECK(incident.turn().result.value() == "answer of openai/gpt");
    incident.pass(1s);
  }
  CHECK(primary.asked().size() <= 2 + 2);  // a retry at first, then a check every 15 s
  well = true;
  incident.pass(15s);
  for (int turn = 0; turn < 5; ++turn) {
    const auto outcome = incident.turn();
    CHECK(outcome.result.value() == "answer of anthropic/opus");
    CHECK(outcome.report.attempts.size() == 1);
  }
}

TEST_CASE("88595: one transient 429 does not pin a long turn to the fallback") {
  Incident incident;
  Clock::duration named = 0s;
  SUBCASE("it ends within patience: waited for") { named = 2s; }
  SUBCASE("it ends later: the next step after that is the primary's again") { named = 20s; }
  incident.add(
      Member("anthropic", "opus").with_credentials(keys("anthropic", 1)), [&](const Asked& asked) {
        return asked.number == 0
                   ? Behaviour::fail(Failure(FailoverReason::rate_limit).with_retry_after(named))
                   : Behaviour::answer(5ms);
      });
  incident.add(Member("openai", "gpt"), answers);
  for (int step = 0; step < 60; ++step) {
    const auto began = incident.time.elapsed();
    const auto outcome = incident.turn();
    CAPTURE(step);
    CHECK(outcome.result.value() ==
          (named == 20s && began < named ? "answer of openai/gpt" : "answer of anthropic/opus"));
    incident.pass(1s);
  }
}

TEST_CASE(
    "56613: success of a fallback at the same provider does not clear the primary's cooldown") {
  Incident incident;
  const auto pool = keys("anthropic", 1);
  auto& primary = incident.add(Member("anthropic", "opus").with_credentials(pool),
                               fails(Failure(FailoverReason::rate_limit)));
  incident.add(Member("anthropic", "haiku").with_credentials(pool), answers);
  for (int turn = 0; turn < 10; ++turn) {
    CHECK(incident.turn().result.value() == "answer of anthropic/haiku");
    incident.pass(1s);
  }
  CHECK(primary.asked().size() == 1);
}

TEST_CASE("56613: no funds concern the account with every model, a rate limit one model of it") {
  for (const auto reason : {FailoverReason::billing, FailoverReason::rate_limit}) {
    CAPTURE(to_string(reason));
    Incident incident;
    const auto pool = keys("anthropic", 1);
    incident.add(Member("anthropic", "opus").with_credentials(pool), fails(Failure(reason)));
    incident.add(Member("openai", "gpt"), answers);
    incident.turn();
    incident.chain[0] = Member("anthropic", "haiku").with_credentials(pool);
    const auto outcome = incident.turn();
    const bool same_account = reason == FailoverReason::billing;
    CHECK(outcome.report.attempts[0].member.name() ==
          (same_account ? "openai/gpt" : "anthropic/haiku"));
  }
}

TEST_CASE("24996, 53909: a chain that fails as a whole does not spin") {
  Incident incident;
  auto& primary =
      incident.add(Member("anthropic", "opus"), fails(Failure(FailoverReason::server_error)));
  auto& fallback =
      incident.add(Member("openai", "gpt"), fails(Failure(FailoverReason::overloaded)));
  // An agent that goes on at once, whatever it was told, for a minute.
  int turns = 0;
  while (incident.time.elapsed() < 60s) {
    const auto before = incident.time.elapsed();
    const auto outcome = incident.turn();
    REQUIRE(outcome.result.has_error());
    if (incident.time.elapsed() == before) {
      incident.pass(10ms);
    }
    ++turns;
  }
  for (const auto* provider : {&primary, &fallback}) {
    CHECK(static_cast<double>(provider->asked().size()) <= 1.2 * turns + 10);
  }
  const auto last = incident.turn();
  CHECK(last.result.error().retry_after().has_value());  // when it is worth coming back
}

TEST_CASE("23548: the chain goes on after a fallback's own failure, retryable or not") {
  for (const auto reason :
       {FailoverReason::model_not_found, FailoverReason::model_entitlement, FailoverReason::auth,
        FailoverReason::auth_permanent, FailoverReason::billing,
        FailoverReason::provider_policy_blocked, FailoverReason::ssl_cert_verification,
        FailoverReason::role_alternation, FailoverReason::long_context_tier}) {
    CAPTURE(to_string(reason));
    Incident incident;
    incident.add(Member("anthropic", "opus"), stalls);
    incident.add(Member("openai", "gpt"), fails(Failure(reason)));
    incident.add(Member("zai", "glm"), answers);
    const auto outcome = incident.turn();
    CHECK(asked_in(outcome) == Names{"anthropic/opus", "openai/gpt", "zai/glm"});
    CHECK(outcome.result.value() == "answer of zai/glm");
  }
}

TEST_CASE("20465: a turn that went through the whole chain leaves the next one at its head") {
  Incident incident;
  bool outage = true;
  const auto script = [&](const Asked&) {
    return outage ? Behaviour::fail(Failure(FailoverReason::server_error)) : Behaviour::answer(5ms);
  };
  incident.add(Member("anthropic", "opus"), script);
  incident.add(Member("openai", "gpt"), script);
  CHECK(incident.turn().result.has_error());
  outage = false;
  incident.pass(15s);
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
}

TEST_CASE("20465: even at once: somebody has to look first") {
  Incident incident;
  bool outage = true;
  const auto script = [&](const Asked&) {
    return outage ? Behaviour::fail(Failure(FailoverReason::server_error)) : Behaviour::answer(5ms);
  };
  incident.add(Member("anthropic", "opus"), script);
  incident.add(Member("openai", "gpt"), script);
  CHECK(incident.turn().result.has_error());
  outage = false;
  CHECK(incident.turn().result.has_value());
}

TEST_CASE("22548, 22780: the chain does not loop back to the backend that failed") {
  Incident incident;
  const auto pool = keys("anthropic", 1);
  auto& backend = incident.add(
      Member("anthropic", "opus").with_base_url("http://proxy.test").with_credentials(pool),
      fails(Failure(FailoverReason::overloaded)));
  incident.add(Member("openai", "gpt"), fails(Failure(FailoverReason::overloaded)));
  auto& same = incident.add(
      Member("proxy", "opus").with_base_url("http://proxy.test").with_credentials(pool), answers);
  const auto outcome = incident.turn();
  CHECK(asked_in(outcome).front() == "anthropic/opus");
  CHECK(backend.asked().size() == 1);
  CHECK(same.asked().empty());
  CHECK(outcome.result.error().code() == FailoverReason::overloaded);
}

TEST_CASE("54251, 62984, 57584: the base URL is part of who a member is") {
  Incident incident;
  incident.add(Member("custom", "qwen").with_base_url("http://a.test"),
               fails(Failure(FailoverReason::server_error)));
  incident.add(Member("custom", "qwen").with_base_url("http://b.test"), answers);
  incident.policy.with_max_retries(0);
  const auto outcome = incident.turn();
  REQUIRE(outcome.report.attempts.size() == 2);
  CHECK(outcome.report.attempts[0].member.base_url() == "http://a.test");
  CHECK(outcome.report.attempts[1].member.base_url() == "http://b.test");
  CHECK(outcome.result.has_value());
  // And the one that is well does not rest with the other.
  const auto next = incident.turn();
  CHECK(next.report.attempts.size() == 1);
  CHECK(next.report.attempts[0].member.base_url() == "http://b.test");
}

TEST_CASE("91077: so is the credential") {
  Incident incident;
  const auto work = std::make_shared<CredentialPool>(
      "anthropic", std::vector{Credential("work", Secret("key-work"))});
  const auto home = std::make_shared<CredentialPool>(
      "anthropic", std::vector{Credential("home", Secret("key-home"))});
  incident.add(Member("anthropic", "opus").with_credentials(work),
               fails(Failure(FailoverReason::billing)));
  auto& second = incident.add(Member("anthropic", "opus").with_credentials(home), answers);
  const auto outcome = incident.turn();
  CHECK(outcome.result.has_value());
  REQUIRE(outcome.report.attempts.size() == 2);
  CHECK(*outcome.report.attempts[1].credential == "home");
  CHECK(incident.turn().report.attempts.size() == 1);
  CHECK(second.asked().size() == 2);
}

TEST_CASE(
    "86070: an overflow goes to a member with a larger window, and says nothing of this one") {
  Incident incident;
  auto& primary = incident.add(
      Member("anthropic", "opus").with_context_window(200'000), [](const Asked& asked) {
        return asked.number == 0 ? Behaviour::fail(FailoverReason::context_overflow)
                                 : Behaviour::answer(5ms);
      });
  auto& small = incident.add(Member("openai", "gpt").with_context_window(128'000), answers);
  incident.add(Member("google", "gemini").with_context_window(1'000'000), answers);
  const auto outcome = incident.turn();
  CHECK(outcome.result.value() == "answer of google/gemini");
  CHECK(small.asked().empty());
  CHECK(incident.marks().empty());
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
  CHECK(primary.asked().size() == 2);
}

TEST_CASE("86070: no larger window left: the caller is told, who can compress") {
  Incident incident;
  incident.add(Member("anthropic", "opus").with_context_window(200'000),
               fails(Failure(FailoverReason::context_overflow)));
  auto& small = incident.add(Member("openai", "gpt").with_context_window(128'000), answers);
  const auto outcome = incident.turn();
  CHECK(outcome.result.error().code() == FailoverReason::context_overflow);
  CHECK(small.asked().empty());
}

TEST_CASE("openclaw 87462, 89382: what one model does concerns no other of the same credential") {
  for (const auto reason :
       {FailoverReason::timeout, FailoverReason::overloaded, FailoverReason::model_not_found}) {
    CAPTURE(to_string(reason));
    Incident incident;
    const auto pool = keys("anthropic", 1);
    auto& sick =
        incident.add(Member("anthropic", "opus").with_credentials(pool), fails(Failure(reason)));
    auto& well = incident.add(Member("anthropic", "haiku").with_credentials(pool), answers);
    CHECK(incident.turn().result.value() == "answer of anthropic/haiku");
    // The next call goes to the other model at once, and not through the sick one again.
    CHECK(incident.turn().result.value() == "answer of anthropic/haiku");
    CHECK(sick.asked().size() == 1);
    CHECK(well.asked().size() == 2);
    REQUIRE(incident.marks().size() == 1);
    CHECK(incident.marks()[0].key.starts_with("member "));
  }
}

TEST_CASE("openclaw 38335: back to the primary once it has recovered") {
  Incident incident;
  bool well = false;
  incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 1)),
               [&](const Asked&) { return well ? Behaviour::answer(5ms) : Behaviour::stall(10s); });
  incident.add(Member("openai", "gpt"), answers);
  incident.turn();
  well = true;
  incident.pass(15s);
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
  CHECK(incident.turn().report.attempts.size() == 1);
}
