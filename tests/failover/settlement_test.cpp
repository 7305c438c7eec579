#include "understudy/failover/detail/settlement.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "understudy/failover/detail/call.hpp"
#include "understudy/runtime/local_fault.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using detail::Call;
using detail::ends_call;
using detail::Leg;
using detail::MemberRun;
using detail::with_reason;
using R = FailoverReason;

namespace {

/// Members a and b, of which a is asked.
class SettlementWorld {
 public:
  void keep(std::size_t members) {
    while (chain.size() > members) {
      chain.pop_back();
    }
  }
  MemberRun& run() {
    if (!call_) {
      call_ =
          std::make_unique<Call>(chain, policy, state, options, std::source_location::current());
      run_.emplace(std::move(*call_->selection.choose(Leg::only).run));
    }
    return *run_;
  }
  Call& call() {
    run();
    return *call_;
  }
  Decision fail(const Failure& failure, bool delivered = false) {
    auto& run = this->run();
    return call().settlement.failed(run, failure, 10ms, delivered);
  }
  std::string marks() {
    std::string text;
    for (const auto& mark : state.health().marks(Clock::now())) {
      text += mark.key + ": " + std::string(to_string(mark.reason));
    }
    return text;
  }
  void with_two_keys() {
    chain[0].with_credentials(std::make_shared<CredentialPool>(
        "a", std::vector<Credential>{Credential("one", Secret("first")),
                                     Credential("two", Secret("second"))}));
  }

  testing::VirtualTime time;
  Chain chain{Member("a", "m"), Member("b", "m")};
  Policy policy;
  State state;
  CallOptions options;

 private:
  std::unique_ptr<Call> call_;
  std::optional<MemberRun> run_;
};

}  // namespace

TEST_CASE("with_reason: a reason in place of any other code") {
  struct Row {
    const char* what;
    Failure failure;
    bool deadline_passed;
    error_code code;
    const char* message;
  };
  const Row rows[] = {
      {"a reason stays", Failure(R::overloaded, "busy"), false, R::overloaded, "busy"},
      {"a stop stays", StopReason::lost, false, StopReason::lost, ""},
      {"a refused connection", Failure(error_code(asio::error::connection_refused)), false,
       R::connection, "Connection refused"},
      {"a local fault", Failure(error_code(asio::error::no_descriptors)), false,
       LocalFault::descriptors, "Too many open files"},
      {"aborted, by neither us nor the caller", Failure(error_code(asio::error::operation_aborted)),
       false, R::timeout, "cancelled by neither this call nor its caller"},
      {"aborted, at the call's deadline", Failure(error_code(asio::error::operation_aborted)), true,
       StopReason::deadline, ""},
      {"a deadline inside the attempt", StopReason::deadline, false, R::timeout,
       "a deadline inside the attempt was reached"},
      {"the call's own deadline", StopReason::deadline, true, StopReason::deadline, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto known = with_reason(row.failure, ErrorReasons(), row.deadline_passed);
    CHECK(known.code() == row.code);
    CHECK(known.message() == row.message);
  }
}

TEST_CASE("with_reason keeps what was spent") {
  auto failure = Failure(error_code(asio::error::connection_reset));
  failure.with_tokens_spent(12);
  CHECK(with_reason(failure, ErrorReasons(), false).tokens_spent() == 12);
}

TEST_CASE("which failures end a call, even if a member is left") {
  const Policy policy;
  CHECK(ends_call(policy, R::format_error));
  CHECK(ends_call(policy, R::content_policy_blocked));
  CHECK(ends_call(policy, StopReason::cancelled));
  CHECK_FALSE(ends_call(policy, R::timeout));
  const auto onward = Policy().with_on_content_policy(OnContentPolicy::fail_over);
  CHECK_FALSE(ends_call(onward, R::content_policy_blocked));
}

TEST_CASE("a member that is left behind is marked, one that is retried is not") {
  SettlementWorld world;
  CHECK(world.fail(R::server_error).action == Action::retry);
  CHECK(world.run().retries == 1);
  CHECK(world.marks().empty());
  CHECK(world.fail(R::overloaded).action == Action::fail_over);
  CHECK(world.marks() == "member m@a: overloaded");
  CHECK_FALSE(world.call().selection.ended());
}

TEST_CASE("a failure that no member could avoid ends the selection") {
  SettlementWorld world;
  CHECK(world.fail(R::format_error).action == Action::return_to_caller);
  CHECK(world.call().selection.ended());
  CHECK(world.call().settlement.failure().code() == R::format_error);
  CHECK(world.marks().empty());
}

TEST_CASE("a stop ends the selection and leaves no mark") {
  SettlementWorld world;
  CHECK(world.fail(StopReason::cancelled).action == Action::stop);
  CHECK(world.call().selection.ended());
  CHECK(world.marks().empty());
  CHECK(world.call().settlement.failure().code() == StopReason::cancelled);
}

TEST_CASE("another credential: the old one is marked, the run uses the next") {
  SettlementWorld world;
  world.with_two_keys();
  CHECK(world.fail(R::auth).action == Action::rotate);
  CHECK(*world.run().credential->label == "two");
  CHECK(world.run().credentials_tried == std::vector<std::size_t>{0});
  CHECK(world.marks() == "credential a/one: auth");
  CHECK(world.fail(R::auth).action == Action::fail_over);
}

TEST_CASE("a credential that was replaced meanwhile is not marked") {
  SettlementWorld world;
  world.with_two_keys();
  world.run();
  world.chain[0].credentials()->retire(0);
  world.fail(R::auth);
  CHECK(world.marks().empty());
}

TEST_CASE("a wait for a pooled connection does not concern the endpoint") {
  SettlementWorld world;
  Evidence evidence;
  evidence.phase = Phase::pool_wait;
  evidence.clock = LimitClock::phase;
  CHECK(world.fail(Failure(Cause(R::connection, evidence))).action == Action::fail_over);
  CHECK(world.marks().empty());
}

TEST_CASE("a member whose window has proved too small is not asked again") {
  SettlementWorld world;
  world.chain[0].with_context_window(8000);
  world.chain[1].with_context_window(8000);
  world.fail(R::context_overflow);
  CHECK_FALSE(world.call().selection.choose(Leg::only).run);
}

TEST_CASE("an empty retry budget: the next member") {
  SettlementWorld world;
  world.chain[0].with_budget(BudgetSettings(0, 0));
  CHECK(world.fail(R::server_error).action == Action::fail_over);
  CHECK(world.run().retries == 0);
}

TEST_CASE("once a part was delivered the same member is not asked again") {
  SettlementWorld world;
  CHECK(world.fail(R::server_error, true).action == Action::fail_over);
}

TEST_CASE("a mend is done once for a reason") {
  SettlementWorld world;
  auto failure = Failure(R::image_too_large).with_mend();
  CHECK(world.fail(failure).action == Action::mend);
  CHECK(world.run().mended.contains(R::image_too_large));
  CHECK(world.fail(failure).action == Action::fail_over);
}

TEST_CASE("the failure of a call") {
  SettlementWorld world;
  SUBCASE("the last one, with all of them in order, and the time until a member returns") {
    world.fail(R::overloaded);
    world.call().settlement.failed(world.run(), R::server_error, 1s);
    const auto failure = world.call().settlement.failure();
    REQUIRE(failure.attempts().size() == 2);
    CHECK(failure.attempts()[0].code() == R::overloaded);
  }
  SUBCASE("an empty chain") {
    const Chain none;
    Call call(none, world.policy, world.state, world.options, std::source_location::current());
    CHECK(call.settlement.failure().code() == R::model_not_found);
  }
  SUBCASE("every member is in cooldown") {
    world.keep(1);
    world.fail(R::rate_limit);
    Call call(world.chain, world.policy, world.state, world.options,
              std::source_location::current());
    const auto failure = call.settlement.failure();
    CHECK(failure.code() == R::rate_limit);
    CHECK(failure.message() == "every member is in cooldown");
    CHECK(failure.retry_after() == 60s);
  }
  SUBCASE("no time is left") {
    world.policy.with_deadline(0s);
    Call call(world.chain, world.policy, world.state, world.options,
              std::source_location::current());
    CHECK(call.settlement.failure().code() == StopReason::deadline);
  }
}
