// What users reported of credentials: wrong ones benched, endless rotation, refreshes.
#include <doctest/doctest.h>

#include "incident.hpp"

using namespace understudy;
using namespace incident_test;

namespace {

using Names = std::vector<std::string>;

Names sent(const ScriptedProvider& provider) {
  Names secrets;
  for (const auto& asked : provider.asked()) {
    secrets.push_back(asked.credential);
  }
  return secrets;
}

/// Fails with this for one key, and answers for any other.
ScriptedProvider::Script bad_key(const std::string& key, const Failure& failure) {
  return [key, failure](const Asked& asked) {
    return asked.credential == key ? Behaviour::fail(failure, 40ms) : Behaviour::answer(5ms);
  };
}

/// An incident whose primary has one credential that can be refreshed.
class Login {
 public:
  explicit Login(ScriptedProvider::Script primary_script) {
    Credential credential("login", Secret("access-0"));
    credential.with_refresher(Refresher(
        Secret("refresh-0"),
        [this](const Secret&) -> asio::awaitable<Result<Tokens>> {
          ++posts;
          co_await sleep_for(takes);
          if (refused) {
            co_return *refused;
          }
          co_return Tokens(Secret(brings));
        },
        [](const Tokens&) { return Result<void>(); }));
    pool = std::make_shared<CredentialPool>("anthropic", std::vector{std::move(credential)});
    primary = &incident.add(Member("anthropic", "opus").with_credentials(pool),
                            std::move(primary_script));
    incident.add(Member("openai", "gpt"), answers);
  }

  /// A turn inside a root scope that refreshes may use.
  Outcome<std::string> turn() {
    std::optional<Outcome<std::string>> outcome;
    auto root_body = [&](Scope& root) -> asio::awaitable<void> {
      pool->attach(root);
      outcome = co_await incident.call();
      ended = incident.time.elapsed();
    };
    incident.time.run(incident.context, with_scope(root_body));
    return std::move(outcome).value();
  }

  Incident incident;
  std::shared_ptr<CredentialPool> pool;
  ScriptedProvider* primary = nullptr;
  std::string brings = "access-1";
  std::optional<Failure> refused;
  Clock::duration takes = 200ms;
  int posts = 0;
  Clock::duration ended{};
};

}  // namespace

TEST_CASE("33088, 33163: a fallback's 429 is booked on the fallback") {
  Incident incident;
  const auto pool = keys("anthropic", 2);
  incident.add(Member("anthropic", "opus").with_base_url("http://a.test").with_credentials(pool),
               stalls);
  incident.add(
      Member("openai", "gpt").with_base_url("http://o.test").with_credentials(keys("openai", 1)),
      fails(Failure(FailoverReason::rate_limit)));
  incident.add(Member("zai", "glm").with_base_url("http://z.test"), answers);
  const auto outcome = incident.turn();
  CHECK(outcome.result.value() == "answer of zai/glm");
  const Names expected{"http://a.test", "http://o.test", "http://z.test"};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(outcome.report.attempts.at(i).member.base_url() == expected[i]);
  }
  const auto marks = incident.marks();
  REQUIRE(marks.size() == 2);
  CHECK(marks[0].key == "credential openai/1\ngpt");
  CHECK(marks[0].reason == FailoverReason::rate_limit);
  CHECK(marks[1].key == "member opus@http://a.test");
}

TEST_CASE("79156: a failure is booked to the key that was sent, whichever is next by now") {
  Incident incident;
  incident.add(
      Member("anthropic", "opus").with_credentials(keys("anthropic", 3, Strategy::round_robin)),
      [](const Asked& asked) {
        return asked.credential == "key-1"
                   ? Behaviour::fail(Failure(FailoverReason::auth_permanent), 2s)
                   : Behaviour::answer(5ms);
      });
  auto both = [&](Scope& scope) -> asio::awaitable<void> {
    scope.spawn([&] { return incident.call(); });  // with key 1, which fails after 2 s
    co_await sleep_for(100ms);
    scope.spawn([&] { return incident.call(); });  // meanwhile, with key 2
    co_await scope.join();
  };
  incident.time.run(incident.context, with_scope(both));
  REQUIRE(incident.marks().size() == 1);
  CHECK(incident.marks()[0].key == "credential anthropic/1");
}

TEST_CASE("70401, 70975, 75174: a rotation ends: each key once") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 3)),
                               fails(Failure(FailoverReason::rate_limit)));
  SUBCASE("with a fallback") {
    incident.add(Member("openai", "gpt"), answers);
    CHECK(incident.turn().result.value() == "answer of openai/gpt");
  }
  SUBCASE("without") { CHECK(incident.turn().result.error().code() == FailoverReason::rate_limit); }
  CHECK(sent(primary) == Names{"key-1", "key-2", "key-3"});
}

TEST_CASE("16830: a rotation is no retry, and costs none") {
  Incident incident;
  auto& primary = incident.add(
      Member("anthropic", "opus").with_credentials(keys("anthropic", 5)), [](const Asked& asked) {
        if (asked.credential != "key-5") {
          return Behaviour::fail(Failure(FailoverReason::rate_limit));
        }
        return asked.number < 6 ? Behaviour::fail(Failure(FailoverReason::server_error))
                                : Behaviour::answer(5ms);
      });
  incident.policy.with_max_retries(2);
  CHECK(incident.turn().result.has_value());
  CHECK(sent(primary) == Names{"key-1", "key-2", "key-3", "key-4", "key-5", "key-5", "key-5"});
}

TEST_CASE("40960: all keys exhausted is said as that, and never sent as an empty key") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 2)),
                               fails(Failure(FailoverReason::rate_limit).with_retry_after(1h)));
  incident.turn();
  const auto outcome = incident.turn();
  CHECK(outcome.result.error().code() == FailoverReason::rate_limit);
  CHECK(outcome.result.error().retry_after().value_or(0s) > 59min);
  CHECK(outcome.report.attempts.empty());
  CHECK(sent(primary) == Names{"key-1", "key-2"});
}

TEST_CASE("52727: a 401 benches one key, for 15 s, and what succeeds is well again") {
  Incident incident;
  bool well = false;
  auto& primary = incident.add(
      Member("anthropic", "opus").with_credentials(keys("anthropic", 2)), [&](const Asked& asked) {
        return asked.credential == "key-1" && !well ? Behaviour::fail(Failure(FailoverReason::auth))
                                                    : Behaviour::answer(5ms);
      });
  CHECK(incident.turn().result.has_value());
  CHECK(incident.turn().result.has_value());
  CHECK(sent(primary) == Names{"key-1", "key-2", "key-2"});
  well = true;
  incident.pass(15s);
  CHECK(incident.turn().result.has_value());
  CHECK(sent(primary).back() == "key-1");
  CHECK(incident.marks().empty());
}

TEST_CASE("52727: a 401 that a refresh mends benches nobody") {
  Login login(bad_key("access-0", Failure(FailoverReason::auth)));
  const auto outcome = login.turn();
  CHECK(outcome.result.value() == "answer of anthropic/opus");
  CHECK(sent(*login.primary) == Names{"access-0", "access-1"});
  CHECK(login.posts == 1);
  CHECK(login.incident.marks().empty());
}

TEST_CASE("8289: a revoked key is rotated away from, and never asked again") {
  Incident incident;
  auto& primary = incident.add(Member("anthropic", "opus").with_credentials(keys("anthropic", 2)),
                               bad_key("key-1", Failure(FailoverReason::auth_permanent)));
  auto& fallback = incident.add(Member("openai", "gpt"), answers);
  CHECK(incident.turn().result.value() == "answer of anthropic/opus");
  for (int day = 0; day < 10; ++day) {
    incident.pass(24h);
    CHECK(incident.turn().result.value() == "answer of anthropic/opus");
  }
  CHECK(sent(primary) == [] {
    Names names{"key-1"};
    names.resize(12, "key-2");
    return names;
  }());
  CHECK(fallback.asked().empty());
}

TEST_CASE("10282: a refresh that brings the same broken token does not go round in circles") {
  Login login(fails(Failure(FailoverReason::auth)));
  login.brings = "access-0";
  const auto outcome = login.turn();
  CHECK(outcome.result.value() == "answer of openai/gpt");
  CHECK(login.posts == 1);
  CHECK(login.primary->asked().size() == 1);
  REQUIRE(login.incident.marks().size() == 1);
  CHECK(login.incident.marks()[0].key == "credential anthropic/login");
}

TEST_CASE("10282: nor does a new one that is refused as well") {
  Login login(fails(Failure(FailoverReason::auth)));
  const auto outcome = login.turn();
  CHECK(outcome.result.value() == "answer of openai/gpt");
  CHECK(login.posts == 1);
  CHECK(sent(*login.primary) == Names{"access-0", "access-1"});
}

TEST_CASE("a refresh that takes longer than the call has ends the call in time, and itself later") {
  Login login(bad_key("access-0", Failure(FailoverReason::auth)));
  login.takes = 25s;
  login.incident.policy.with_deadline(10s);
  const auto outcome = login.turn();
  CHECK(login.ended == 10s);
  CHECK(outcome.result.error().code() == StopReason::deadline);
  CHECK(outcome.result.error().attempts().size() == 1);
  CHECK(login.incident.time.elapsed() == 25s + 40ms);
  CHECK(login.pool->use(0).secret == Secret("access-1"));
  CHECK(login.turn().result.value() == "answer of anthropic/opus");
  CHECK(login.posts == 1);
}

TEST_CASE("what ails the token endpoint is booked on the credential, not on the provider") {
  for (const auto& refused :
       {Failure(FailoverReason::connection), Failure(FailoverReason::timeout),
        Failure(FailoverReason::server_error), Failure(FailoverReason::rate_limit),
        Failure(FailoverReason::format_error), Failure(FailoverReason::auth_permanent),
        Failure(asio::error::connection_refused), Failure(asio::error::timed_out)}) {
    CAPTURE(to_string(refused));
    Login login(fails(Failure(FailoverReason::auth)));
    login.refused = refused;
    const auto outcome = login.turn();
    CHECK(outcome.report.why().starts_with("openai/gpt answered"));
    CHECK(login.primary->asked().size() == 1);
    const auto marks = login.incident.marks();
    REQUIRE(marks.size() == 1);
    CHECK(marks[0].key == "credential anthropic/login");
    CHECK(marks[0].dead == (refused.code() == FailoverReason::auth_permanent));
  }
}
