#include "understudy/failover/credential_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;
using testing::VirtualTime;

namespace {

using Indices = std::vector<std::size_t>;

std::shared_ptr<CredentialPool> three_keys(Strategy strategy) {
  return std::make_shared<CredentialPool>(
      "anthropic",
      std::vector{Credential("work", Secret("key-1")), Credential("home", Secret("key-2")),
                  Credential("spare", Secret("key-3"))},
      strategy);
}

/// A token endpoint, the file that tokens are written to, and a pool of one credential that uses both.
class TokenOffice {
 public:
  TokenOffice() {
    Credential credential("login", Secret("access-0"));
    credential.with_refresher(Refresher(
                                  Secret("refresh-0"),
                                  [this](const Secret& token) { return post(token); },
                                  [this](const Tokens& tokens) { return persist(tokens); })
                                  .with_report([this](const Failure& failure) {
                                    reports.push_back(to_string(failure));
                                  }));
    pool = std::make_shared<CredentialPool>("anthropic", std::vector{std::move(credential)});
  }

  /// Runs `body` with the pool attached to a root scope, to the end of both.
  template <class Body>
  void run(Body body) {
    auto in_root = [&](Scope& root) -> awaitable<void> {
      pool->attach(root);
      co_await body(root);
    };
    time.run(context, with_scope(std::move(in_root)));
  }

  /// One who waits for a refresh beside others; what it comes to is in `results`.
  awaitable<void> waiter(CredentialUse used) {
    results.push_back(co_await pool->refresh(used));
    finished.push_back(time.elapsed());
  }

  awaitable<bool> refreshes(CredentialUse used,
                            Clock::time_point until = Clock::time_point::max()) {
    const auto refreshed = co_await pool->refresh(used, until);
    co_return refreshed.has_value();
  }

  VirtualTime time;
  asio::io_context context;
  std::shared_ptr<CredentialPool> pool;
  Clock::duration takes = 5s;
  std::function<Result<Tokens>(int number)> answer = [](int number) -> Result<Tokens> {
    const auto n = std::to_string(number);
    return Tokens(Secret("access-" + n), Secret("refresh-" + n));
  };
  std::function<Result<void>()> disk = [] { return Result<void>(); };
  std::vector<std::string> posts;      // the refresh tokens that were sent
  std::vector<std::string> persisted;  // the access tokens that were written
  std::vector<std::string> reports;
  std::vector<std::string> in_use_when_persisted;
  std::vector<Result<void>> results;
  std::vector<Clock::duration> finished;

 private:
  awaitable<Result<Tokens>> post(const Secret& token) {
    posts.emplace_back(token.reveal());
    const int number = static_cast<int>(posts.size());
    co_await sleep_for(takes);
    co_return answer(number);
  }
  Result<void> persist(const Tokens& tokens) {
    in_use_when_persisted.emplace_back(pool->use(0).secret.reveal());
    auto result = disk();
    if (result) {
      persisted.emplace_back(tokens.access.reveal());
    }
    return result;
  }
};

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("fill_first: always the first") {
  const auto pool = three_keys(Strategy::fill_first);
  CHECK(pool->size() == 3);
  CHECK(pool->order(0.9) == Indices{0, 1, 2});
  pool->use(0);
  pool->use(1);
  CHECK(pool->order(0.9) == Indices{0, 1, 2});
}

TEST_CASE("round_robin: begins after the one that was used last") {
  const auto pool = three_keys(Strategy::round_robin);
  CHECK(pool->order(0.9) == Indices{0, 1, 2});
  CHECK(pool->order(0.9) == Indices{0, 1, 2});  // to ask is not to use
  pool->use(0);
  CHECK(pool->order(0.9) == Indices{1, 2, 0});
  pool->use(2);
  CHECK(pool->order(0.9) == Indices{0, 1, 2});
}

TEST_CASE("least_used: by uses, and in the order given where they are equal") {
  const auto pool = three_keys(Strategy::least_used);
  CHECK(pool->order(0.9) == Indices{0, 1, 2});
  pool->use(0);
  CHECK(pool->order(0.9) == Indices{1, 2, 0});
  pool->use(1);
  pool->use(1);
  CHECK(pool->order(0.9) == Indices{2, 0, 1});
}

TEST_CASE("random: begins where the number says; the whole range, and never beyond") {
  const auto pool = three_keys(Strategy::random);
  CHECK(pool->order(0.0) == Indices{0, 1, 2});
  CHECK(pool->order(0.34) == Indices{1, 2, 0});
  CHECK(pool->order(0.9999999999999999) == Indices{2, 0, 1});
}

TEST_CASE("a use names its credential, and health has a key for it") {
  const auto pool = three_keys(Strategy::fill_first);
  const auto used = pool->use(1);
  CHECK(used.index == 1);
  CHECK(*used.label == "home");
  CHECK(used.secret == Secret("key-2"));
  CHECK(pool->key(1) == "anthropic/home");
  CHECK(pool->provider() == "anthropic");
  CHECK(pool->current(used));
}

TEST_CASE("an empty pool, an empty key: said at once, by name, instead of a misleading 401") {
  CHECK_THROWS_WITH_AS(CredentialPool("anthropic", {}), "provider \"anthropic\" has no credential",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      CredentialPool("anthropic",
                     {Credential("work", Secret("key-1")), Credential("home", Secret(""))}),
      "credential \"home\" of provider \"anthropic\" is empty", std::invalid_argument);
  CHECK_THROWS_AS(CredentialPool("anthropic", {Credential("home", Secret())}),
                  std::invalid_argument);
}

TEST_CASE("two entries with the same secret are one, under the first's name") {
  const CredentialPool pool(
      "anthropic", {Credential("work", Secret("key-1")), Credential("home", Secret("key-2")),
                    Credential("copy of work", Secret("key-1"))});
  CHECK(pool.size() == 2);
  CHECK(pool.key(0) == "anthropic/work");
  CHECK(pool.key(1) == "anthropic/home");
}

TEST_CASE("credentials with the same label are distinguished, the same way each time") {
  const CredentialPool pool(
      "anthropic", {Credential("key", Secret("key-1")), Credential("key", Secret("key-2")),
                    Credential("key 2", Secret("key-3")), Credential("key", Secret("key-2")),
                    Credential("key", Secret("key-4"))});
  REQUIRE(pool.size() == 4);
  CHECK(pool.key(0) == "anthropic/key");
  CHECK(pool.key(1) == "anthropic/key 2");
  CHECK(pool.key(2) == "anthropic/key 2 2");
  CHECK(pool.key(3) == "anthropic/key 3");
}

TEST_CASE("retired: no use of it is current, those of others are") {
  const auto pool = three_keys(Strategy::fill_first);
  const auto before = pool->use(1);
  const auto other = pool->use(0);
  pool->retire(1);
  CHECK_FALSE(pool->current(before));
  CHECK_FALSE(pool->current(pool->use(1)));
  CHECK(pool->current(other));
}

TEST_CASE("a credential that cannot be refreshed fails with a message") {
  TokenOffice office;
  const auto used = office.pool->use(0);
  CHECK_FALSE(office.pool->can_refresh(0));  // it is attached to no scope yet
  const auto unattached = office.time.run(
      office.context, [](auto pool, auto use) -> awaitable<std::optional<Result<void>>> {
        co_return co_await pool->refresh(use);
      }(office.pool, used));
  CHECK(unattached->error().code() == FailoverReason::auth);
  CHECK(unattached->error().message() == "the credential cannot be refreshed");

  const auto plain = three_keys(Strategy::fill_first);
  office.run([&](Scope& root) -> awaitable<void> {
    plain->attach(root);
    CHECK_FALSE(plain->can_refresh(0));
    CHECK(office.pool->can_refresh(0));
    const auto refreshed = co_await plain->refresh(plain->use(0));
    CHECK(refreshed.error().code() == FailoverReason::auth);
  });
  CHECK(office.posts.empty());
}

TEST_CASE("a refresh: posted, persisted, then used; the refresh token rotates along") {
  TokenOffice office;
  office.run([&](Scope&) -> awaitable<void> {
    const auto old = office.pool->use(0);
    CHECK(co_await office.refreshes(old));
    CHECK(office.time.elapsed() == 5s);
    CHECK_FALSE(office.pool->current(old));
    const auto used = office.pool->use(0);
    CHECK(used.secret == Secret("access-1"));
    CHECK(used.generation == old.generation + 1);
    CHECK(office.pool->current(used));
    CHECK(office.in_use_when_persisted == Strings{"access-0"});
    CHECK(co_await office.refreshes(used));
  });
  CHECK(office.posts == Strings{"refresh-0", "refresh-1"});
  CHECK(office.persisted == Strings{"access-1", "access-2"});
}

TEST_CASE("no new refresh token: the old one stays") {
  TokenOffice office;
  office.answer = [](int number) -> Result<Tokens> {
    return Tokens(Secret("access-" + std::to_string(number)));
  };
  office.run([&](Scope&) -> awaitable<void> {
    CHECK(co_await office.refreshes(office.pool->use(0)));
    CHECK(co_await office.refreshes(office.pool->use(0)));
  });
  CHECK(office.posts == Strings{"refresh-0", "refresh-0"});
}

TEST_CASE(
    "a call that failed with the old credential finds the new one, without a second refresh") {
  TokenOffice office;
  office.run([&](Scope&) -> awaitable<void> {
    const auto old = office.pool->use(0);
    CHECK(co_await office.refreshes(old));
    CHECK(co_await office.refreshes(old));
  });
  CHECK(office.posts.size() == 1);
  CHECK(office.time.elapsed() == 5s);
}

TEST_CASE("one flight, however many wait for it") {
  TokenOffice office;
  SUBCASE("it succeeds") {}
  SUBCASE("it fails") {
    office.answer = [](int) -> Result<Tokens> { return FailoverReason::auth_permanent; };
  }
  const bool succeeds = office.answer(1).has_value();
  office.run([&](Scope& root) -> awaitable<void> {
    const auto used = office.pool->use(0);
    for (int i = 0; i < 100; ++i) {
      root.spawn([&] { return office.waiter(used); });
      co_await sleep_for(10ms);  // they come one after the other, all within the 5 s
    }
    co_await root.join();
  });
  CHECK(office.posts.size() == 1);
  CHECK(office.persisted.size() == (succeeds ? 1 : 0));
  CHECK(office.finished == std::vector<Clock::duration>(100, 5s));
  REQUIRE(office.results.size() == 100);
  for (const auto& result : office.results) {
    REQUIRE(result.has_value() == succeeds);
    if (!succeeds) {
      REQUIRE(result.error().code() == FailoverReason::auth_permanent);
    }
  }
}

TEST_CASE("a failed refresh can be tried again") {
  TokenOffice office;
  auto good = office.answer;
  office.answer = [&](int number) -> Result<Tokens> {
    return number == 1 ? Result<Tokens>(FailoverReason::server_error) : good(number);
  };
  office.run([&](Scope&) -> awaitable<void> {
    const auto used = office.pool->use(0);
    const auto refused = co_await office.pool->refresh(used);
    CHECK(refused.error().code() == FailoverReason::server_error);
    CHECK(office.pool->current(used));
    CHECK(co_await office.refreshes(used));
  });
  CHECK(office.posts == Strings{"refresh-0", "refresh-0"});
}

TEST_CASE("a cancelled caller does not cost the others the refresh") {
  TokenOffice office;
  office.run([&](Scope& root) -> awaitable<void> {
    const auto used = office.pool->use(0);
    std::optional<Result<void>> cancelled;
    auto hasty = [&](Scope& scope) -> awaitable<void> {
      scope.deadline(1s);
      cancelled = co_await office.pool->refresh(used);  // he is the one who begins it
      CHECK(office.time.elapsed() == 1s);
    };
    root.spawn([&] { return with_scope(hasty); });
    root.spawn([&] { return office.waiter(used); });
    co_await root.join();
    REQUIRE(cancelled);
    CHECK(cancelled->error().code() == StopReason::cancelled);
  });
  CHECK(office.posts.size() == 1);
  CHECK(office.persisted == Strings{"access-1"});
  REQUIRE(office.results.size() == 1);
  CHECK(office.results[0].has_value());
  CHECK(office.finished == std::vector<Clock::duration>{5s});
}

TEST_CASE("the end of the root scope waits for a refresh under way, and its tokens are kept") {
  TokenOffice office;
  office.run([&](Scope& root) -> awaitable<void> {
    root.spawn([&] { return office.waiter(office.pool->use(0)); });
    co_await sleep_for(1s);
    root.cancel(StopReason::shutdown);
  });
  CHECK(office.time.elapsed() == 5s);
  CHECK(office.persisted == Strings{"access-1"});
  CHECK(office.pool->use(0).secret == Secret("access-1"));
}

TEST_CASE("`until` ends the wait, not the refresh") {
  TokenOffice office;
  office.run([&](Scope&) -> awaitable<void> {
    const auto used = office.pool->use(0);
    const auto in_time = co_await office.pool->refresh(used, Clock::now() + 2s);
    CHECK(in_time.error().code() == StopReason::deadline);
    CHECK(office.time.elapsed() == 2s);
    CHECK(office.pool->current(used));
    CHECK(co_await office.refreshes(used, Clock::now() + 4s));
    CHECK(office.time.elapsed() == 5s);
  });
  CHECK(office.posts.size() == 1);
}

TEST_CASE("a refresh that takes too long has failed, and nothing else with it") {
  TokenOffice office;
  office.takes = CredentialPool::longest_refresh + 1s;
  office.run([&](Scope& root) -> awaitable<void> {
    const auto used = office.pool->use(0);
    const auto refreshed = co_await office.pool->refresh(used);
    CHECK(refreshed.error().code() == FailoverReason::auth);
    CHECK(office.time.elapsed() == CredentialPool::longest_refresh);
    CHECK_FALSE(root.cancelled());
    office.takes = 1s;
    CHECK(co_await office.refreshes(used));
  });
}

TEST_CASE("tokens that cannot be persisted are used, reported, and persisted once that works") {
  TokenOffice office;
  SUBCASE("the callback says that it failed") {
    office.disk = [] { return Result<void>(Failure(FailoverReason::unknown, "disk full")); };
  }
  SUBCASE("it throws") {
    office.disk = []() -> Result<void> { throw std::runtime_error("disk full of access-1"); };
  }
  office.run([&](Scope&) -> awaitable<void> {
    CHECK(co_await office.refreshes(office.pool->use(0)));
    CHECK(office.pool->use(0).secret == Secret("access-1"));
    CHECK(office.pool->unpersisted());
    co_await sleep_for(10s);
    CHECK(office.reports.size() == 4);  // at once, and after 1, 3 and 7 s
    for (const auto& report : office.reports) {
      CHECK(report.find("anthropic/login") != std::string::npos);
      CHECK(report.find("access-1") == std::string::npos);
      CHECK(report.find("refresh-1") == std::string::npos);
    }
    office.disk = [] { return Result<void>(); };
    co_await sleep_for(6s);
    CHECK_FALSE(office.pool->unpersisted());
    CHECK(office.persisted == Strings{"access-1"});
    CHECK(co_await office.refreshes(office.pool->use(0)));
  });
  CHECK(office.reports.size() == 4);
  CHECK(office.posts == Strings{"refresh-0", "refresh-1"});
  CHECK(office.persisted == Strings{"access-1", "access-2"});
}

TEST_CASE("tokens in memory alone expire too: they are refreshed, and the latest are persisted") {
  TokenOffice office;
  office.disk = [] { return Result<void>(Failure(FailoverReason::unknown, "disk full")); };
  office.run([&](Scope&) -> awaitable<void> {
    CHECK(co_await office.refreshes(office.pool->use(0)));
    co_await sleep_for(1h);
    CHECK(office.reports.size() < 25);  // every 5 minutes in the end
    CHECK(co_await office.refreshes(office.pool->use(0)));
    CHECK(office.pool->use(0).secret == Secret("access-2"));
    office.disk = [] { return Result<void>(); };
    co_await sleep_for(5min);
  });
  CHECK(office.posts == Strings{"refresh-0", "refresh-1"});
  CHECK(office.persisted == Strings{"access-2"});
}

TEST_CASE("the scope ends while tokens are unpersisted: once more, at once") {
  TokenOffice office;
  office.disk = [] { return Result<void>(Failure(FailoverReason::unknown, "disk full")); };
  office.run([&](Scope& root) -> awaitable<void> {
    CHECK(co_await office.refreshes(office.pool->use(0)));
    co_await sleep_for(1min);
    office.disk = [] { return Result<void>(); };
    root.cancel(StopReason::shutdown);
  });
  CHECK(office.time.elapsed() == 65s);
  CHECK(office.persisted == Strings{"access-1"});
}

TEST_CASE("the scope ends while tokens are unpersisted: another attached scope continues") {
  TokenOffice office;
  office.disk = [] { return Result<void>(Failure(FailoverReason::unknown, "disk full")); };
  bool there_is_another = false;
  SUBCASE("it was attached before") { there_is_another = true; }
  SUBCASE("it is attached later") {}
  office.run([&](Scope& other) -> awaitable<void> {
    auto ends = [&](Scope& root) -> awaitable<void> {
      office.pool->attach(root);
      if (!there_is_another) {
        office.pool->detach(other);
      }
      CHECK(co_await office.refreshes(office.pool->use(0)));
      office.pool->detach(root);
      root.cancel(StopReason::shutdown);
    };
    co_await with_scope(ends);
    CHECK(office.pool->unpersisted());
    office.disk = [] { return Result<void>(); };
    if (!there_is_another) {
      co_await sleep_for(1min);
      CHECK(office.pool->unpersisted());
      office.pool->attach(other);
    }
    co_await sleep_for(2s);
    CHECK_FALSE(office.pool->unpersisted());
  });
  CHECK(office.persisted == Strings{"access-1"});
}

TEST_CASE("a new refresh token is kept, also if the access token is the same as before") {
  TokenOffice office;
  office.answer = [](int number) -> Result<Tokens> {
    return Tokens(Secret("access-0"), Secret("refresh-" + std::to_string(number)));
  };
  office.run([&](Scope&) -> awaitable<void> {
    CHECK_FALSE(co_await office.refreshes(office.pool->use(0)));
    CHECK_FALSE(co_await office.refreshes(office.pool->use(0)));
  });
  CHECK(office.posts == Strings{"refresh-0", "refresh-1"});
  CHECK(office.persisted == Strings{"access-0", "access-0"});
}

TEST_CASE("the account goes along with the credential, and changes with a refresh") {
  TokenOffice office;
  office.answer = [](int) -> Result<Tokens> {
    return Tokens(Secret("access-1"), Secret("refresh-1")).with_account("the second");
  };
  office.run([&](Scope&) -> awaitable<void> {
    CHECK(office.pool->use(0).account.empty());
    CHECK(co_await office.refreshes(office.pool->use(0)));
    CHECK(office.pool->use(0).account == "the second");
  });
  CredentialPool plain("a", {Credential("work", Secret("key")).with_account("the first")});
  CHECK(plain.use(0).account == "the first");
}

TEST_CASE("the same token again, or none, is a failure and not an endless loop") {
  TokenOffice office;
  std::string brought;
  SUBCASE("the same") { brought = "access-0"; }
  SUBCASE("none") { brought = ""; }
  office.answer = [&](int) -> Result<Tokens> { return Tokens(Secret(brought)); };
  office.run([&](Scope&) -> awaitable<void> {
    const auto used = office.pool->use(0);
    const auto refreshed = co_await office.pool->refresh(used);
    CHECK(refreshed.error().code() == FailoverReason::auth);
    CHECK(refreshed.error().message() == "the refresh returned the same credential again");
    CHECK(office.pool->current(used));
  });
  CHECK(office.persisted.empty());
}

TEST_CASE("an exception of the refresh function is a failure, and its text is not repeated") {
  TokenOffice office;
  SUBCASE("any") {
    office.answer = [](int) -> Result<Tokens> { throw std::runtime_error("refresh-0 is bad"); };
  }
  SUBCASE("no exception class at all") {
    office.answer = [](int) -> Result<Tokens> { throw 5; };
  }
  SUBCASE("system_error: what its code says is safe") {
    office.answer = [](int) -> Result<Tokens> {
      throw boost::system::system_error(asio::error::connection_refused, "refresh-0 to host");
    };
  }
  office.run([&](Scope& root) -> awaitable<void> {
    const auto refreshed = co_await office.pool->refresh(office.pool->use(0));
    CHECK(refreshed.error().code() == FailoverReason::auth);
    CHECK_FALSE(refreshed.error().message().empty());
    CHECK(refreshed.error().message().find("refresh-0") == std::string::npos);
    CHECK_FALSE(root.cancelled());
  });
}

TEST_CASE("a failure that is thrown is what the refresh said") {
  TokenOffice office;
  office.answer = [](int) -> Result<Tokens> {
    return Tokens(Result<Secret>(Failure(FailoverReason::auth_permanent, "log in")).value());
  };
  office.run([&](Scope&) -> awaitable<void> {
    const auto refreshed = co_await office.pool->refresh(office.pool->use(0));
    CHECK(refreshed.error().code() == FailoverReason::auth_permanent);
    CHECK(refreshed.error().message() == "log in");
  });
}

TEST_CASE("the root scope is gone: a refresh fails at once") {
  TokenOffice office;
  office.run([](Scope&) -> awaitable<void> { co_return; });
  auto late = [&]() -> awaitable<void> {
    const auto refreshed = co_await office.pool->refresh(office.pool->use(0));
    CHECK(refreshed.error().code() == FailoverReason::auth);
    CHECK(refreshed.error().message() == "the refresh was abandoned: its scope has ended");
  };
  office.time.run(office.context, late());
  CHECK(office.posts.empty());
  CHECK(office.time.elapsed() == 0s);
}

TEST_CASE("the root scope is cancelled already: the same") {
  TokenOffice office;
  office.run([&](Scope& root) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    root.cancel(StopReason::shutdown);
    auto apart = [&](Scope&) -> awaitable<void> { co_await office.waiter(office.pool->use(0)); };
    root.spawn_shielded(20s, [&] { return with_scope(apart); });
    co_await root.join();
  });
  // Shielded work of a scope that is ending still runs: the answer is a new token, not a hang.
  REQUIRE(office.results.size() == 1);
  CHECK(office.results[0].has_value());
  CHECK(office.time.elapsed() == 5s);
}

TEST_CASE("waiters on other threads: one flight, on the root's thread") {
  asio::io_context context;
  const auto here = std::this_thread::get_id();
  int posts = 0;
  bool elsewhere = false;
  std::promise<void> all_wait;
  std::atomic<int> waiting{0};
  constexpr int threads = 4;
  auto wait_for_all = all_wait.get_future();
  Credential credential("login", Secret("access-0"));
  credential.with_refresher(Refresher(
      Secret("refresh-0"),
      [&](const Secret&) -> awaitable<Result<Tokens>> {
        ++posts;
        elsewhere = elsewhere || std::this_thread::get_id() != here;
        co_return Tokens(Secret("access-1"));
      },
      [](const Tokens&) { return Result<void>(); }));
  const auto pool =
      std::make_shared<CredentialPool>("anthropic", std::vector{std::move(credential)});
  const auto used = pool->use(0);
  std::atomic<int> refreshed{0};
  auto root_body = [&](Scope& root) -> awaitable<void> {
    pool->attach(root);
    std::vector<std::thread> others;
    for (int i = 0; i < threads; ++i) {
      others.emplace_back([&] {
        asio::io_context own;
        auto one = [&]() -> awaitable<void> {
          if (++waiting == threads) {
            all_wait.set_value();
          }
          const auto result = co_await pool->refresh(used);
          refreshed += result ? 1 : 0;
        };
        asio::co_spawn(own, one(), asio::detached);
        own.run();
      });
    }
    wait_for_all.wait();  // blocks this thread, so that no flight lands before
    while (refreshed < threads) {
      co_await asio::post(root.get_executor(), asio::deferred);
    }
    for (auto& other : others) {
      other.join();
    }
  };
  asio::co_spawn(context, with_scope(root_body), asio::detached);
  context.run();
  CHECK(refreshed == threads);
  CHECK(posts == 1);
  CHECK_FALSE(elsewhere);
}
