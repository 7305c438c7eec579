#include "understudy/failover/failover_call.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using asio::awaitable;
using R = FailoverReason;

namespace {

/// A source of lines, which may break after some of them: an answer that is read after its attempt has ended.
class Lines {
 public:
  Lines(std::string name, int count, std::optional<Failure> end)
      : name_(std::move(name)), left_(count), end_(std::move(end)) {}

  /// The next line; an empty one at the end.
  awaitable<Result<std::string>> next() {
    co_await sleep_for(1s);
    if (left_ > 0) {
      --left_;
      co_return name_ + ' ';
    }
    if (end_) {
      co_return *end_;
    }
    co_return std::string();
  }

 private:
  std::string name_;
  int left_;
  std::optional<Failure> end_;
};

/// What each provider does: fails to open, or opens and may break.
class Script {
 public:
  std::optional<Failure> open;
  int lines = 2;
  std::optional<Failure> end;
};

class CallWatcher : public Observer {
 public:
  void answer_broke(const AttemptReport& attempt) override {
    seen += attempt.member.provider() + " broke; ";
  }
  void member_changed(const Member& from, const Member& to) override {
    seen += from.provider() + " to " + to.provider() + "; ";
  }
  void call_ended(const CallReport& report) override {
    seen += report.code ? report.code.message() : "answered";
  }

  std::string seen;
};

/// A delivery as a user of the library writes it: the lines of one member after the other, until one has come to its
/// end.
class CallWorld {
 public:
  void keep(std::size_t members) {
    while (chain.size() > members) {
      chain.pop_back();
    }
  }
  awaitable<int> deliver() {
    FailoverCall call(chain, policy, state, CallOptions().with_observer(watcher));
    auto open = [this](Attempt& attempt) -> awaitable<Result<Lines>> {
      asked += attempt.member().provider();
      co_await sleep_for(1s);
      const auto& script = scripts[attempt.member().provider()];
      if (script.open) {
        co_return *script.open;
      }
      attempt.progressed();
      co_return Lines(attempt.member().provider(), script.lines, script.end);
    };
    auto source = co_await call.ask(open);
    while (source) {
      const auto line = co_await source->next();
      if (!line) {
        takeover = call.answer_takeover().possible;
        decisions.push_back(call.answer_broke(line.error()));
        if (decisions.back().action == Action::fail_over) {
          source = co_await call.ask(open);
        } else {
          source = call.failure();
        }
      } else if (line->empty()) {
        call.answer_ended();
        break;
      } else {
        delivered += *line;
        call.answer_spent(++tokens);
      }
    }
    if (!source) {
      failure = source.error();
    }
    report = call.finish(source ? error_code() : source.error().code());
    co_return 0;
  }
  void run() { time.run(context, deliver()); }

  testing::VirtualTime time;
  asio::io_context context;
  Chain chain{Member("a", "m"), Member("b", "m"), Member("c", "m")};
  Policy policy;
  State state;
  CallWatcher watcher;
  std::map<std::string, Script> scripts;
  std::string asked;
  std::string delivered;
  std::uint64_t tokens = 0;
  bool takeover = false;
  std::vector<Decision> decisions;
  Failure failure;
  CallReport report;
};

}  // namespace

TEST_CASE("an answer that is read to its end") {
  CallWorld world;
  world.run();
  CHECK(world.delivered == "a a ");
  REQUIRE(world.report.attempts.size() == 1);
  CHECK(world.report.attempts[0].answered());
  CHECK(world.report.attempts[0].tokens_spent == 2);
  CHECK(world.report.attempts[0].took == 4s);
  CHECK(world.report.took == 4s);
  CHECK(world.watcher.seen == "answered");
}

TEST_CASE("an answer that breaks: the next member, one report, and a mark for the calls to come") {
  CallWorld world;
  world.scripts["a"].end = Failure(R::connection, "cut");
  world.run();
  CHECK(world.delivered == "a a b b ");
  CHECK(world.takeover);
  REQUIRE(world.decisions.size() == 1);
  CHECK(world.decisions[0].action == Action::fail_over);
  REQUIRE(world.report.attempts.size() == 2);
  CHECK(world.report.attempts[0].failure.code() == R::connection);
  CHECK(world.report.attempts[0].took == 4s);
  CHECK(world.report.attempts[1].answered());
  CHECK(world.report.took == 8s);
  CHECK(world.watcher.seen == "a broke; a to b; answered");
  CHECK(world.state.health().marks(Clock::now()).size() == 1);
}

TEST_CASE("a member that failed before is not asked again after the answer broke") {
  CallWorld world;
  world.scripts["a"].open = Failure(R::overloaded);
  world.scripts["b"].end = Failure(R::timeout);
  world.run();
  CHECK(world.asked == "abc");
  CHECK(world.delivered == "b b c c ");
}

TEST_CASE(
    "every answer breaks: each member is asked again, 2 attempts a member and 2 more in all") {
  CallWorld world;
  world.keep(2);
  world.scripts["a"].end = Failure(R::connection);
  world.scripts["b"].end = Failure(R::malformed_response);
  world.run();
  CHECK(world.takeover);
  CHECK(world.failure.code() == R::malformed_response);
  REQUIRE(world.failure.attempts().size() == 1 + 2 * 2 + 2);
  CHECK(world.failure.attempts()[0].code() == R::connection);
  CHECK(world.report.code == R::malformed_response);
  CHECK(world.report.answer() == nullptr);
}

TEST_CASE("our own stop is not a failure of the member") {
  CallWorld world;
  world.scripts["a"].end = Failure(StopReason::cancelled);
  world.run();
  CHECK(world.decisions[0].action == Action::stop);
  CHECK(world.asked == "a");
  CHECK(world.state.health().all_well());
}

TEST_CASE("an error code of any origin counts as its reason") {
  CallWorld world;
  world.scripts["a"].end = Failure(error_code(asio::error::connection_reset));
  world.run();
  CHECK(world.report.attempts[0].failure.code() == R::connection);
  CHECK(world.delivered == "a a b b ");
}

TEST_CASE("a credential that the provider repeats does not get into the report") {
  CallWorld world;
  world.chain[0].with_credentials(std::make_shared<CredentialPool>(
      "a", std::vector<Credential>{Credential("key", Secret("sk-secret"))}));
  world.scripts["a"].end = Failure(R::server_error, "wrong key sk-secret");
  world.run();
  CHECK(world.report.attempts[0].failure.message().find("sk-secret") == std::string::npos);
}

TEST_CASE("the same as failover() for an answer that is complete when its attempt ends") {
  struct Both {
    testing::VirtualTime time;
    asio::io_context context;
    Chain chain{Member("a", "m"), Member("b", "m")};
    Policy policy;
  } both;
  auto ask = [](Attempt& attempt) -> awaitable<Result<std::string>> {
    co_await sleep_for(1s);
    if (attempt.member().provider() == "a") {
      co_return R::overloaded;
    }
    co_return std::string("answer");
  };
  auto directly = [&]() -> awaitable<std::string> {
    State state;
    FailoverCall call(both.chain, both.policy, state);
    const auto answer = co_await call.ask(ask);
    co_return answer.value() + ": " + call.finish(error_code()).to_json();
  };
  auto by_failover = [&]() -> awaitable<std::string> {
    State state;
    const auto outcome = co_await failover(both.chain, both.policy, state, ask);
    co_return outcome.result.value() + ": " + outcome.report.to_json();
  };
  CHECK(both.time.run(both.context, directly()) == both.time.run(both.context, by_failover()));
}

TEST_CASE("a call that is abandoned reports why") {
  State state;
  const Chain chain{Member("a", "m")};
  const Policy policy;
  FailoverCall call(chain, policy, state);
  CHECK(call.abandoned().code == StopReason::cancelled);
  CHECK(call.finish(call.abandoned().code).code == StopReason::cancelled);
}

TEST_CASE(
    "a caller that goes away during a refresh, after a failover: operation_aborted, no mark") {
  CallWorld world;
  auto refresh = [](const Secret&) -> awaitable<Result<Tokens>> {
    co_await sleep_for(10s);
    co_return Tokens(Secret("new"));
  };
  auto persist = [](const Tokens&) { return Result<void>(); };
  std::vector<Credential> credentials{Credential("key", Secret("old"))};
  credentials[0].with_refresher(Refresher(Secret("token"), refresh, persist));
  const auto pool = std::make_shared<CredentialPool>("b", std::move(credentials));
  world.chain[1].with_credentials(pool);
  world.scripts["a"].open = Failure(R::format_error);
  world.policy.with_treatment(R::format_error, Treatment::fail_over);
  world.scripts["b"].open = Failure(R::auth);
  asio::cancellation_signal signal;
  std::exception_ptr end;
  auto in_scope = [&](Scope& root) -> awaitable<void> {
    pool->attach(root);
    asio::co_spawn(world.context, world.deliver(),
                   asio::bind_cancellation_slot(
                       signal.slot(), [&](const std::exception_ptr& error, int) { end = error; }));
    co_await sleep_for(5s);
    signal.emit(asio::cancellation_type::all);
    co_await sleep_for(1s);
    pool->detach(root);
  };
  auto run = [&]() -> awaitable<int> {
    co_await with_scope(std::move(in_scope));
    co_return 0;
  };
  world.time.run(world.context, run());
  CHECK(world.asked == "ab");
  REQUIRE(end);
  CHECK_THROWS_AS(std::rethrow_exception(end), boost::system::system_error);
  CHECK(world.state.health().all_well());
}
