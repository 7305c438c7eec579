#include "understudy/failover/failover.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;
using testing::Asked;
using testing::Behaviour;
using testing::ScriptedProvider;
using testing::VirtualTime;
using R = FailoverReason;

namespace {

/// Providers a, b, c ... by their scripts, one member each, and calls to their chain.
class World {
 public:
  World& add(ScriptedProvider::Script script) {
    const std::string name(1, static_cast<char>('a' + providers.size()));
    providers.push_back(std::make_unique<ScriptedProvider>(name, std::move(script)));
    chain.emplace_back(name, "m");
    return *this;
  }

  using Ended = std::optional<Outcome<std::string>>;  // co_spawn wants a default

  awaitable<Ended> call(CallOptions options = CallOptions()) {
    auto ask = [this](Attempt& attempt) {
      const auto index = static_cast<std::size_t>(attempt.member().provider()[0] - 'a');
      return providers[index]->ask(attempt);
    };
    co_return co_await failover(chain, policy, state, std::move(ask), options);
  }

  Outcome<std::string> run(CallOptions options = CallOptions()) {
    return *time.run(context, call(options));
  }

  /// Starts a call, which goes on along with others.
  void start(std::function<void(const Outcome<std::string>&)> then) {
    asio::co_spawn(context, call(),
                   [then = std::move(then)](const std::exception_ptr& error, const Ended& ended) {
                     REQUIRE_FALSE(error);
                     then(*ended);
                   });
  }

  VirtualTime time;
  asio::io_context context;
  std::vector<std::unique_ptr<ScriptedProvider>> providers;
  Chain chain;
  Policy policy;
  State state;
};

ScriptedProvider::Script always(Behaviour behaviour) {
  return [behaviour](const Asked&) { return behaviour; };
}
ScriptedProvider::Script first_fails(Failure failure, Behaviour then) {
  return [failure, then](const Asked& asked) {
    return asked.number == 0 ? Behaviour::fail(failure) : then;
  };
}
const Behaviour well = Behaviour::answer(10ms);

std::shared_ptr<CredentialPool> keys(std::vector<Credential> credentials) {
  return std::make_shared<CredentialPool>("a", std::move(credentials));
}

}  // namespace

TEST_CASE("a success: one attempt, and a report of it") {
  World world;
  world.add(always(Behaviour::answer(300ms, 10ms))).add(always(well));
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of a");
  REQUIRE(outcome.report.attempts.size() == 1);
  const auto& attempt = outcome.report.attempts[0];
  CHECK(attempt.answered());
  CHECK(attempt.first_progress == 300ms);
  CHECK(attempt.took == 390ms);
  CHECK(attempt.in_phase[static_cast<std::size_t>(Phase::first_progress)] == 300ms);
  CHECK(attempt.in_phase[static_cast<std::size_t>(Phase::progress)] == 90ms);
  CHECK(outcome.report.took == 390ms);
  CHECK_FALSE(outcome.report.code);
  CHECK(outcome.report.why() == "a/m answered");
  CHECK(world.state.health().all_well());
}

TEST_CASE("members are tried in order, each once, and the failure holds all") {
  World world;
  world.add(always(Behaviour::fail(R::overloaded))).add(always(Behaviour::fail(R::billing)));
  world.policy.with_max_retries(0);
  const auto outcome = world.run();
  REQUIRE(outcome.result.has_error());
  const auto failure = outcome.result.error();
  CHECK(failure.code() == R::billing);
  REQUIRE(failure.attempts().size() == 2);
  CHECK(failure.attempts()[0].code() == R::overloaded);
  CHECK(failure.attempts()[1].code() == R::billing);
  CHECK(failure.retry_after() == 15s);  // of the one that returns first
}

TEST_CASE(
    "the next call goes to the healthy member at once, and the failed one is probed beside it") {
  World world;
  bool sick = true;
  world.add([&](const Asked&) { return sick ? Behaviour::fail(R::overloaded) : well; });
  world.add(always(Behaviour::answer(50ms)));
  CHECK(world.run().result.value() == "answer of b");
  CHECK(world.run().report.attempts.size() == 1);  // in cooldown: not asked
  CHECK(world.run().report.skipped.at(0).reason == R::overloaded);
  world.time.run_for(world.context, 15s);
  auto probed = world.run();
  CHECK(probed.report.attempts.at(0).kind == AttemptKind::probe);
  CHECK(probed.result.value() == "answer of b");
  CHECK(probed.report.took == 50ms);  // a probe that fails costs nothing but its own time
  sick = false;
  world.time.run_for(world.context, 15s);
  CHECK(world.run().result.value() == "answer of a");
  CHECK(world.state.health().all_well());
  CHECK(world.run().report.attempts.at(0).kind == AttemptKind::plain);
}

TEST_CASE("stalls in each of five calls, one a second: only the first pays the limit (S35)") {
  World world;
  world.add(always(Behaviour::stall(500ms))).add(always(Behaviour::answer(100ms)));
  world.policy.with_stall(StallSettings().with_stale(2s).with_first_progress(2s));
  CHECK(world.run().report.took == 2100ms);
  for (int i = 0; i < 4; ++i) {
    world.time.run_for(world.context, 1s);
    CHECK(world.run().report.took == 100ms);
  }
}

TEST_CASE(
    "a stale connection: the same member again at once, on a fresh one, also while it is probed") {
  for (const bool probed : {false, true}) {
    for (const bool another : {false, true}) {
      CAPTURE(probed);
      CAPTURE(another);
      World world;
      bool sick = probed;
      std::vector<bool> fresh;
      world.add([&](const Asked&) { return sick ? Behaviour::fail(R::overloaded) : well; });
      if (another) {
        world.add(always(Behaviour::answer(50ms)));
      }
      world.policy.with_max_retries(0);
      if (probed) {
        world.run();
        sick = false;
        world.time.run_for(world.context, 15s);
      }
      auto ask = [&](Attempt& attempt) -> awaitable<Result<std::string>> {
        fresh.push_back(attempt.wants_fresh_connection());
        if (fresh.size() == 1) {
          co_return R::stale_connection;
        }
        co_return co_await world.providers[0]->ask(attempt);
      };
      auto call = [&]() -> awaitable<World::Ended> {
        co_return co_await failover(world.chain, world.policy, world.state, std::move(ask));
      };
      const auto outcome = *world.time.run(world.context, call());
      CHECK(outcome.result.value() == "answer of a");
      REQUIRE(outcome.report.attempts.size() == 2);
      CHECK(outcome.report.attempts[0].failure.code() == R::stale_connection);
      CHECK(outcome.report.attempts[1].member.same_as(world.chain[0]));
      CHECK(outcome.report.took == 10ms);
      CHECK(fresh == std::vector<bool>{false, true});
      CHECK(world.state.health().all_well());
    }
  }
}

TEST_CASE("a stale connection draws on the retry budget, which alone never fails the call for it") {
  for (const bool another : {false, true}) {
    CAPTURE(another);
    World world;
    bool stale = true;
    world.add([&](const Asked&) {
      stale = !stale;
      return stale ? well : Behaviour::fail(R::stale_connection);
    });
    if (another) {
      world.add(always(Behaviour::answer(50ms)));
    }
    const auto& budget = world.state.record(world.chain[0]).budget();
    for (int i = 0; i < 100; ++i) {
      const auto outcome = world.run();
      REQUIRE(outcome.result.has_value());
      REQUIRE(outcome.report.attempts.size() <= 2);
      stale = true;
    }
    CHECK(budget.balance() < 1);
    const auto requests = world.providers[0]->asked().size();
    // 100 calls, and the budget's 10 + 20; or all of them, one request each, where there is no other member.
    CHECK(requests == (another ? 130 : 200));
    CHECK(world.state.health().all_well());
  }
}

TEST_CASE(
    "what this machine lacks ends the call at once: no retry, no other member is asked, no mark") {
  namespace errc = boost::system::errc;
  const std::pair<std::function<Result<std::string>()>, LocalFault> cases[] = {
      {[] { return errc::make_error_code(errc::too_many_files_open); }, LocalFault::descriptors},
      {[] { return errc::make_error_code(errc::too_many_files_open_in_system); },
       LocalFault::system_descriptors},
      {[] { return errc::make_error_code(errc::not_enough_memory); }, LocalFault::memory},
      {[] { return errc::make_error_code(errc::no_space_on_device); }, LocalFault::space},
      {[] { return LocalFault::threads; }, LocalFault::threads},
      {[]() -> Result<std::string> { throw std::bad_alloc(); }, LocalFault::memory},
      {[]() -> Result<std::string> {
         throw boost::system::system_error(errc::make_error_code(errc::too_many_files_open));
       },
       LocalFault::descriptors},
  };
  for (const auto& [lacks, fault] : cases) {
    CAPTURE(error_code(fault).message());
    World world;
    world.add(always(well)).add(always(well));
    auto ask = [&](Attempt&) -> awaitable<Result<std::string>> { co_return lacks(); };
    auto call = [&]() -> awaitable<World::Ended> {
      co_return co_await failover(world.chain, world.policy, world.state, std::move(ask));
    };
    const auto outcome = *world.time.run(world.context, call());
    REQUIRE(outcome.result.has_error());
    CHECK(outcome.result.error().code() == fault);
    CHECK(outcome.result.error().attempts().size() == 1);
    REQUIRE(outcome.report.attempts.size() == 1);
    CHECK(outcome.report.attempts[0].decision->action == Action::stop);
    CHECK(outcome.report.code == fault);
    CHECK(world.state.health().all_well());
    CHECK(world.state.record(world.chain[0]).budget().balance() == doctest::Approx(10.2));
    CHECK(world.run().report.attempts.size() == 1);
  }
}

TEST_CASE("the deadline is shared: two dead members leave time for the third (S36)") {
  World world;
  world.add(always(Behaviour::stall(1s))).add(always(Behaviour::stall())).add(always(well));
  world.policy.with_deadline(6s);
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of c");
  CHECK(outcome.report.attempts[0].took == 2s);
  CHECK(outcome.report.attempts[0].failure.code() == R::timeout);
  CHECK(outcome.report.attempts[0].failure.evidence().origin == LimitOrigin::share_of_deadline);
  CHECK(outcome.report.took == 4010ms);
}

TEST_CASE("the deadline ends the call, whatever runs") {
  World world;
  world.add(always(Behaviour::stall(1s))).add(always(Behaviour::stall(1s)));
  world.policy.with_deadline(6s);
  const auto outcome = world.run();
  REQUIRE(outcome.result.has_error());
  CHECK(outcome.result.error().code() == StopReason::deadline);
  CHECK(outcome.result.error().attempts().size() == 2);
  CHECK(outcome.report.took == 6s);
}

TEST_CASE("the last member gets the longer limit (S29)") {
  World world;
  world.add(always(Behaviour::stall())).add(always(Behaviour::answer(5s)));
  world.policy.with_stall(StallSettings().with_first_progress(2s).with_stale(2s));
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of b");
  CHECK(outcome.report.took == 7s);
}

TEST_CASE("slow is not stalled: a token every 1.5 s under a limit of 2 s (S20)") {
  World world;
  world.add(always(Behaviour::answer(1500ms, 1500ms))).add(always(well));
  world.policy.with_stall(StallSettings().with_first_progress(2s).with_stale(2s));
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of a");
  CHECK(outcome.report.attempts.size() == 1);
}

TEST_CASE("rate limits: a short one is waited for, once; a long one fails over at once") {
  World world;
  SUBCASE("2 s") {
    world.add(first_fails(Failure(R::rate_limit).with_retry_after(2s), well)).add(always(well));
    const auto outcome = world.run();
    CHECK(outcome.result.value() == "answer of a");
    CHECK(outcome.report.took == 2010ms);
    CHECK(world.state.health().all_well());
  }
  SUBCASE("8259 s (S27)") {
    world.add(first_fails(Failure(R::rate_limit).with_retry_after(8259s), well)).add(always(well));
    const auto outcome = world.run();
    CHECK(outcome.result.value() == "answer of b");
    CHECK(outcome.report.took == 10ms);
  }
}

TEST_CASE("hedge_after: a slow first wins against an instant error (S33)") {
  World world;
  world.add(always(Behaviour::answer(1500ms))).add(always(Behaviour::fail(R::overloaded)));
  world.policy.with_hedge_after(500ms);
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of a");
  CHECK(outcome.report.took == 1500ms);
}

TEST_CASE("hedge_after: a healthy second wins, and the first is cancelled and not marked") {
  World world;
  world.add(always(Behaviour::answer(5s))).add(always(well));
  world.policy.with_hedge_after(500ms);
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of b");
  CHECK(outcome.report.took == 510ms);
  CHECK(outcome.report.attempts.at(0).failure.code() == StopReason::lost);
  CHECK(outcome.report.attempts.at(1).kind == AttemptKind::hedge);
  CHECK(world.providers[0]->alive() == 0);
  CHECK(world.state.health().all_well());
}

TEST_CASE("a caller that goes away: no failover, no mark, everything ended (S30)") {
  World world;
  world.add(always(Behaviour::stall(1s))).add(always(well));
  asio::cancellation_signal signal;
  std::exception_ptr end;
  asio::co_spawn(
      world.context, world.call(),
      asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error,
                                                      const World::Ended&) { end = error; }));
  world.time.run_for(world.context, 10s);
  signal.emit(asio::cancellation_type::all);
  world.time.run(world.context);
  REQUIRE(end);
  CHECK(detail::is_abort(end));
  CHECK(world.providers[1]->asked().empty());
  CHECK(world.state.health().all_well());
  CHECK(world.time.elapsed() == 10s);
}

TEST_CASE("an outage of 1,000 calls at once: all answered, attempts within the budget (S31)") {
  World world;
  world.add(always(Behaviour::fail(R::server_error, 20ms))).add(always(well));
  std::size_t answered = 0;
  for (int i = 0; i < 1000; ++i) {
    world.start([&](const auto& outcome) { answered += outcome.result ? 1 : 0; });
  }
  world.time.run(world.context);
  CHECK(answered == 1000);
  CHECK(world.providers[0]->asked().size() <= 1210);
}

TEST_CASE(
    "a cooldown ends amid 1,000 calls: one probe at a time, and no other call is slower (S32)") {
  World world;
  bool sick = true;
  world.add([&](const Asked&) {
    return sick ? Behaviour::fail(R::overloaded) : Behaviour::answer(400ms);
  });
  world.add(always(Behaviour::answer(100ms)));
  world.run();
  world.time.run_for(world.context, 20s);
  sick = false;
  std::size_t probes = 0;
  std::size_t answered = 0;
  for (int i = 0; i < 1000; ++i) {
    world.start([&](const auto& outcome) {
      const bool probe = outcome.report.attempts[0].kind == AttemptKind::probe;
      probes += probe ? 1 : 0;
      answered += outcome.result ? 1 : 0;
      CHECK(outcome.report.took == (probe ? 400ms : 100ms));
    });
  }
  world.time.run(world.context);
  CHECK(probes == 1);
  CHECK(answered == 1000);
  CHECK(world.run().result.value() == "answer of a");
}

TEST_CASE("all in cooldown: one call probes, the others wait for its verdict") {
  World world;
  bool sick = true;
  world.add([&](const Asked&) {
    return sick ? Behaviour::fail(R::overloaded) : Behaviour::answer(500ms);
  });
  world.policy.with_max_retries(0);
  CHECK(world.run().result.has_error());
  sick = false;
  std::size_t answered = 0;
  for (int i = 0; i < 100; ++i) {
    world.start([&](const auto& outcome) { answered += outcome.result ? 1 : 0; });
  }
  world.time.run(world.context);
  CHECK(answered == 100);
  CHECK(world.time.elapsed() == early_probe_gap + 1s);  // his 500 ms, and theirs
}

TEST_CASE("all in cooldown until times that the providers named: fails at once, typed") {
  World world;
  world.add(always(Behaviour::fail(Failure(R::rate_limit).with_retry_after(1h))));
  CHECK(world.run().result.has_error());
  const auto outcome = world.run();
  REQUIRE(outcome.result.has_error());
  CHECK(outcome.report.attempts.empty());
  CHECK(outcome.report.took == 0s);
  CHECK(outcome.result.error().code() == R::rate_limit);
  CHECK(outcome.result.error().retry_after() == 1h);
}

TEST_CASE("a named time within patience is waited for") {
  World world;
  bool limited = true;
  world.add([&](const Asked&) {
    return limited ? Behaviour::fail(Failure(R::rate_limit).with_retry_after(5s)) : well;
  });
  CHECK(world.run().result.has_error());
  limited = false;
  world.time.run_for(world.context, 3s);
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of a");
  CHECK(outcome.report.took == 2010ms);
}

TEST_CASE("an overflow goes to a larger window, or one that is not known; else to the caller") {
  World world;
  world.add(always(Behaviour::fail(R::context_overflow))).add(always(well)).add(always(well));
  world.chain[0].with_context_window(200'000);
  world.chain[1].with_context_window(128'000);
  SUBCASE("larger") {
    world.chain[2].with_context_window(1'000'000);
    CHECK(world.run().result.value() == "answer of c");
  }
  SUBCASE("not known") { CHECK(world.run().result.value() == "answer of c"); }
  SUBCASE("none") {
    world.chain.pop_back();
    const auto outcome = world.run();
    CHECK(outcome.result.error().code() == R::context_overflow);
    CHECK(outcome.report.attempts.size() == 1);
    CHECK(outcome.report.skipped.at(0).because == Eligibility::window_too_small);
  }
  CHECK(world.providers[1]->asked().empty());
  CHECK(world.state.health().all_well());
}

TEST_CASE(
    "a prompt that is too large for a member's window is not sent to it, if it fits another") {
  World world;
  world.add(always(well)).add(always(well));
  world.chain[0].with_context_window(50'000);
  world.chain[1].with_context_window(100'000);
  CHECK(world.run(CallOptions().with_prompt(60'000)).result.value() == "answer of b");
  // It fits nobody by our estimate: the providers may know better.
  CHECK(world.run(CallOptions().with_prompt(120'000)).result.value() == "answer of a");
}

TEST_CASE("a mended request is sent again once, and the attempt knows what to mend") {
  World world;
  world.add([](const Asked& asked) {
    return asked.mended.contains(R::thinking_signature)
               ? well
               : Behaviour::fail(Failure(R::thinking_signature).with_mend());
  });
  world.add(always(well));
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of a");
  CHECK(world.providers[0]->asked().size() == 2);
}

TEST_CASE("keys rotate by reason, each is tried once, and only what failed is marked") {
  World world;
  world.add([](const Asked& asked) {
    return asked.credential == "3" ? well : Behaviour::fail(R::billing);
  });
  world.chain[0].with_credentials(
      keys({Credential("one", Secret("1")), Credential("two", Secret("2")),
            Credential("three", Secret("3"))}));
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of a");
  CHECK(outcome.report.attempts.size() == 3);
  CHECK(*outcome.report.attempts[2].credential == "three");
  CHECK(world.state.health().marks(Clock::time_point(world.time.elapsed())).size() == 2);
  CHECK(world.run().report.attempts.size() == 1);  // and the next call begins with the third
}

TEST_CASE("a refused token is refreshed once and the call continues with the new one") {
  World world;
  world.add([](const Asked& asked) {
    return asked.credential == "new" ? well : Behaviour::fail(R::auth);
  });
  world.add(always(well));
  int refreshes = 0;
  std::string new_token = "new";
  auto refresh = [&](const Secret& token) -> awaitable<Result<Tokens>> {
    CHECK(token.reveal() == "refresh");
    ++refreshes;
    co_await sleep_for(1s);
    co_return Tokens(Secret(new_token));
  };
  auto pool = keys({Credential("login", Secret("old"))
                        .with_refresher(Refresher(Secret("refresh"), refresh,
                                                  [](const Tokens&) { return Result<void>(); }))});
  world.chain[0].with_credentials(pool);
  const auto in_root = [&]() -> awaitable<std::optional<Outcome<std::string>>> {
    std::optional<Outcome<std::string>> outcome;
    co_await with_scope([&](Scope& root) -> awaitable<void> {
      pool->attach(root);
      outcome = co_await world.call();
    });
    co_return outcome;
  };
  SUBCASE("it works") {
    const auto outcome = world.time.run(world.context, in_root());
    CHECK(outcome->result.value() == "answer of a");
    CHECK(outcome->report.took == 1010ms);
    CHECK(world.state.health().all_well());
  }
  SUBCASE("the new one is refused too: on to the next member, no second refresh") {
    new_token = "new but wrong";
    const auto outcome = world.time.run(world.context, in_root());
    CHECK(outcome->result.value() == "answer of b");
  }
  CHECK(refreshes == 1);
}

TEST_CASE("a second name for the same back end does not avoid a cooldown") {
  World world;
  world.add(always(Behaviour::fail(R::overloaded))).add(always(well)).add(always(well));
  world.chain[0].with_base_url("https://api.test/v1");
  world.chain[1].with_base_url("https://api.test/v1");
  CHECK(world.run().result.value() == "answer of c");
  CHECK(world.providers[1]->asked().empty());
}

TEST_CASE("a cooldown set in a call does not keep it from its later members") {
  // openclaw #87538: one timeout cooled the whole profile, and the chain died in 186 ms.
  World world;
  world.add(always(Behaviour::fail(Failure(asio::error::connection_refused)))).add(always(well));
  world.chain[0].with_base_url("https://api.test/v1");
  world.chain[1] = Member("b", "another model").with_base_url("https://api.test/v1");
  CHECK(world.run().result.value() == "answer of b");
}

TEST_CASE("what is thrown: a system_error is a failure, all else is a bug of the caller's") {
  VirtualTime time;
  asio::io_context context;
  State state;
  const Policy policy;
  const Chain chain{Member("a", "m"), Member("b", "m")};
  int asked = 0;
  SUBCASE("a system_error fails over by what it means") {
    const auto ask = [&](Attempt& attempt) -> awaitable<int> {
      ++asked;
      if (attempt.member().provider() == "a") {
        throw boost::system::system_error(asio::error::eof);
      }
      co_return 7;
    };
    const auto run = [&]() -> awaitable<void> {
      const auto outcome = co_await failover(chain, policy, state, ask);
      CHECK(outcome.result.value() == 7);
      CHECK(outcome.report.attempts[0].failure.code() == R::connection);
    };
    time.run(context, run());
    CHECK(asked == 3);  // with the one quick retry
  }
  SUBCASE("a FailoverError keeps its failure") {
    const auto ask = [&](Attempt& attempt) -> awaitable<void> {
      ++asked;
      if (attempt.member().provider() == "a") {
        throw FailoverError(Failure(R::rate_limit).with_retry_after(1h));
      }
      co_return;
    };
    const auto run = [&]() -> awaitable<void> {
      const auto outcome = co_await failover(chain, policy, state, ask);
      CHECK(outcome.result);
      CHECK(outcome.report.attempts[0].failure.retry_after() == 1h);
    };
    time.run(context, run());
    CHECK(asked == 2);
  }
  SUBCASE("a bug ends the call") {
    const auto ask = [&](Attempt&) -> awaitable<int> {
      ++asked;
      throw std::logic_error("a bug");
      co_return 7;
    };
    const auto run = [&]() -> awaitable<void> { co_await failover(chain, policy, state, ask); };
    CHECK_THROWS_AS(time.run(context, run()), std::logic_error);
    CHECK(asked == 1);
  }
}

TEST_CASE("an empty chain fails, with its own message") {
  World world;
  const auto outcome = world.run();
  CHECK(outcome.result.error().code() == R::model_not_found);
  CHECK(outcome.result.error().message() == "the chain has no member");
}

TEST_CASE("an attempt reports its parent scope's cause when that was cancelled") {
  World world;
  world.add(always(Behaviour::stall(1s)));
  std::optional<error_code> code;
  class Watch final : public Observer {
   public:
    explicit Watch(std::optional<error_code>& c) : code_(c) {}
    void attempt_ended(const AttemptReport& attempt) override { code_ = attempt.failure.code(); }

   private:
    std::optional<error_code>& code_;
  } watch(code);
  const auto run = [&]() -> awaitable<void> {
    co_await with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn([&]() -> awaitable<void> {
        co_await sleep_for(5s);
        scope.cancel(StopReason::shutdown);
      });
      co_await world.call(CallOptions().with_parent(scope).with_observer(watch));
    });
  };
  try {
    world.time.run(world.context, run());
    FAIL("it ended as if nothing had been");
  } catch (const boost::system::system_error& thrown) {
    CHECK(thrown.code() == StopReason::shutdown);
  }
  CHECK(code == StopReason::shutdown);
}

TEST_CASE("an observer sees it all in order, and what it throws is contained") {
  class Log final : public Observer {
   public:
    void attempt_began(const AttemptReport& a) override { add("began " + a.member.name()); }
    void attempt_progressed(const AttemptReport& a) override { add("progress " + a.member.name()); }
    void attempt_ended(const AttemptReport& a) override {
      add(a.failure.code() ? a.failure.code().message() : "answered");
    }
    void member_changed(const Member& from, const Member& to) override {
      add(from.name() + " > " + to.name());
    }
    void call_ended(const CallReport& r) override { add(r.why()); }

    std::string text;

   private:
    void add(const std::string& what) {
      text += what + "\n";
      throw std::runtime_error("a broken metric");
    }
  } log;
  World world;
  world.add(always(Behaviour::fail(R::overloaded))).add(always(well));
  CHECK(world.run(CallOptions().with_observer(log)).result.value() == "answer of b");
  CHECK(log.text ==
        "began a/m\noverloaded\na/m > b/m\nbegan b/m\nprogress b/m\nanswered\n"
        "b/m answered, after a/m: overloaded\n");
}

TEST_CASE("a member that is asked again after an outage has not changed") {
  class Changes final : public Observer {
   public:
    void member_changed(const Member& from, const Member& to) override {
      text += from.name() + " > " + to.name() + "\n";
    }
    void call_ended(const CallReport& report) override { attempts = report.attempts.size(); }

    std::string text;
    std::size_t attempts = 0;
  } log;
  World world;
  world.policy.with_wait_out(30s).with_max_retries(0);
  world.add([](const Asked& asked) {
    return asked.number < 2 ? Behaviour::fail(R::overloaded) : Behaviour::answer(10ms);
  });
  CHECK(world.run(CallOptions().with_observer(log)).result.value() == "answer of a");
  CHECK(log.attempts == 3);
  CHECK(log.text.empty());
}

namespace {

/// Two members, the first with these keys, of which each allows one call at a time.
void limit_first(World& world, std::vector<Credential> credentials,
                 const CallLimit& limit = CallLimit(1)) {
  auto pool = keys(std::move(credentials));
  pool->slots().limit(limit);
  world.chain[0].with_credentials(pool);
}

std::vector<Credential> one_key() { return {Credential("only", Secret("key-1"))}; }

}  // namespace

TEST_CASE("calls beyond max_concurrent wait for their turn, and are answered by the same member") {
  World world;
  world.add(always(Behaviour::answer(10s))).add(always(well));
  limit_first(world, one_key());
  std::vector<std::pair<std::string, Clock::duration>> answers;
  for (int i = 0; i < 3; ++i) {
    world.start([&](const Outcome<std::string>& outcome) {
      answers.emplace_back(outcome.report.answer()->member.provider(), world.time.elapsed());
    });
  }
  world.time.run(world.context);
  REQUIRE(answers.size() == 3);
  for (const auto& [provider, when] : answers) {
    CHECK(provider == "a");
  }
  CHECK(answers[0].second < answers[1].second);
  CHECK(answers[2].second >= 30s);
  CHECK(world.state.health().all_well());
}

TEST_CASE("a call that waits too long for a credential is answered by the next member; no mark") {
  World world;
  world.add(always(Behaviour::answer(10min))).add(always(well));
  limit_first(world, one_key(), CallLimit(1).with_queue_time(5s));
  world.start([](const Outcome<std::string>&) {});
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of b");
  CHECK(outcome.report.took >= 5s);
  REQUIRE(outcome.report.skipped.size() == 1);
  CHECK(outcome.report.skipped[0].because == Eligibility::in_use);
  CHECK(outcome.report.attempts.size() == 1);
  CHECK(world.state.health().all_well());
  world.time.run(world.context);  // to the end of the first call
}

TEST_CASE("no member left: the failure says that our own limit is the cause") {
  World world;
  world.add(always(Behaviour::answer(10min)));
  limit_first(world, one_key(), CallLimit(1).with_queued(0));
  world.start([](const Outcome<std::string>&) {});
  const auto outcome = world.run();
  REQUIRE(outcome.result.has_error());
  CHECK(outcome.result.error().code() == R::rate_limit);
  CHECK(outcome.result.error().message().find("max_concurrent") != std::string::npos);
  CHECK(world.state.health().all_well());
  world.time.run(world.context);  // to the end of the first call
}

TEST_CASE("a key that is free goes before one that is in use") {
  World world;
  world.add(always(Behaviour::answer(10s))).add(always(well));
  limit_first(world, {Credential("one", Secret("key-1")), Credential("two", Secret("key-2"))});
  std::vector<std::string> labels;
  for (int i = 0; i < 2; ++i) {
    world.start([&](const Outcome<std::string>& outcome) {
      labels.push_back(*outcome.report.answer()->credential_label());
      CHECK(outcome.report.took < 20s);
    });
  }
  world.time.run(world.context);
  std::sort(labels.begin(), labels.end());
  CHECK(labels == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a call that rotates gives its first key back before it has the second") {
  World world;
  world.add([](const Asked& asked) {
    return asked.number == 0 ? Behaviour::fail(R::billing) : Behaviour::answer(10ms);
  });
  limit_first(world, {Credential("one", Secret("key-1")), Credential("two", Secret("key-2"))});
  const auto outcome = world.run();
  CHECK(outcome.result.has_value());
  CHECK(outcome.report.attempts.size() == 2);
  const auto& slots = world.chain[0].credentials()->slots();
  CHECK(slots.load(0).in_use == 0);
  CHECK(slots.load(1).in_use == 0);
}

TEST_CASE("a deadline ends the wait for a key in time for the next member") {
  World world;
  world.add(always(Behaviour::answer(10min))).add(always(well));
  limit_first(world, one_key());
  world.start([](const Outcome<std::string>&) {});
  world.policy.with_deadline(8s);
  const auto outcome = world.run();
  CHECK(outcome.result.value() == "answer of b");
  CHECK(outcome.report.took < 8s);
  world.time.run(world.context);  // to the end of the first call
}

TEST_CASE("a caller that stops while it waits for a key takes no place") {
  World world;
  world.add(always(Behaviour::answer(10s)));
  limit_first(world, one_key());
  world.start([](const Outcome<std::string>&) {});
  asio::cancellation_signal stop;
  bool thrown = false;
  asio::co_spawn(world.context, world.call(),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](const std::exception_ptr& error, const World::Ended&) {
                       thrown = error != nullptr;
                     }));
  auto emit = [&]() -> awaitable<int> {
    co_await sleep_for(1s);
    CHECK(world.chain[0].credentials()->slots().load(0).queued == 1);
    stop.emit(asio::cancellation_type::terminal);
    co_await sleep_for(1s);
    co_return 0;
  };
  world.time.run(world.context, emit());
  CHECK(thrown);
  CHECK(world.chain[0].credentials()->slots().load(0).queued == 0);
  world.time.run(world.context);  // to the end of the first call
}
