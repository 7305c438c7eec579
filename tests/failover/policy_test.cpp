// The table of failover.md 1.2, row by row, in both settings of each switch.
#include "understudy/failover/policy.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "understudy/runtime/cause.hpp"
#include "understudy/runtime/local_fault.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using R = FailoverReason;

namespace {

/// A situation, written as what differs from the usual: one key, another member left, some budget.
class Case {
 public:
  explicit Case(R reason) : situation(reason) { situation.member_left = true; }

  Case& last() { return situation.member_left = false, *this; }
  Case& expired() { return situation.expired = true, *this; }
  Case& delivered() { return situation.delivered = true, *this; }
  Case& rotatable() { return situation.can_rotate = true, *this; }
  Case& refreshable() { return situation.can_refresh = true, *this; }
  Case& retried(unsigned n) { return situation.retries = n, *this; }
  Case& waited() { return situation.waited = true, *this; }
  Case& took(Clock::duration d) { return situation.took = d, *this; }
  Case& after(Clock::duration d) { return situation.retry_after = d, *this; }
  Case& mendable() { return situation.mendable = true, *this; }
  Case& mended() { return situation.mended = true, *this; }
  Case& resent() { return situation.resent = true, *this; }
  Case& broke() { return situation.budget = false, *this; }
  Case& remaining(Clock::duration d) { return situation.remaining = d, *this; }
  Case& jitter(double j) { return situation.jitter = j, *this; }

  Situation situation;
};

Action act(const Case& c, const Policy& policy = Policy()) {
  return decide(policy, c.situation).action;
}
Clock::duration wait(const Case& c, const Policy& policy = Policy()) {
  return decide(policy, c.situation).after;
}

const Policy patient = Policy().with_eager_on_timeout(false);

}  // namespace

TEST_CASE("timeout: eager_on_timeout decides between failing over and the old way") {
  CHECK(act(Case(R::timeout).expired()) == Action::fail_over);
  CHECK(act(Case(R::timeout)) == Action::fail_over);  // a 504 is one too
  CHECK(act(Case(R::timeout).expired().last()) == Action::return_to_caller);

  for (unsigned retries = 0; retries < 2; ++retries) {
    CHECK(act(Case(R::timeout).expired().retried(retries), patient) == Action::retry);
    CHECK(act(Case(R::timeout).expired().retried(retries).last(), patient) == Action::retry);
  }
  CHECK(act(Case(R::timeout).expired().retried(2), patient) == Action::fail_over);
  CHECK(act(Case(R::timeout).expired().retried(2).last(), patient) == Action::return_to_caller);
  CHECK(act(Case(R::timeout).expired(), Policy(patient).with_max_retries(0)) == Action::fail_over);

  SUBCASE("a stall says nothing about a key, unless `recover` lists it") {
    CHECK(act(Case(R::timeout).expired().rotatable()) == Action::fail_over);
    const auto recovering = Policy().with_recover({R::timeout});
    CHECK(act(Case(R::timeout).expired().rotatable(), recovering) == Action::rotate);
    CHECK(act(Case(R::timeout).expired(), recovering) == Action::fail_over);
  }
  SUBCASE("a share of the deadline that is spent fails over in both settings") {
    Case spent(R::timeout);
    spent.expired().situation.share_spent = true;
    CHECK(act(spent) == Action::fail_over);
    CHECK(act(spent, patient) == Action::fail_over);
  }
}

TEST_CASE("connection: one quick retry if it failed fast; an expired limit is never retried") {
  CHECK(act(Case(R::connection).took(5ms)) == Action::retry);
  CHECK(wait(Case(R::connection).took(5ms).jitter(0.999)) <= 250ms);
  CHECK(act(Case(R::connection).took(5ms).retried(1)) == Action::fail_over);
  CHECK(act(Case(R::connection).took(1001ms)) == Action::fail_over);
  CHECK(act(Case(R::connection).expired().took(5ms)) == Action::fail_over);
  // On the last member: backoff, but never after an expired limit.
  CHECK(act(Case(R::connection).took(20s).last()) == Action::retry);
  CHECK(act(Case(R::connection).last().retried(2)) == Action::return_to_caller);
  CHECK(act(Case(R::connection).expired().last()) == Action::return_to_caller);
}

TEST_CASE("a stale connection: again at once on a fresh one, once, not counted in the retries") {
  CHECK(act(Case(R::stale_connection)) == Action::retry);
  CHECK(wait(Case(R::stale_connection).jitter(0.999)) == 0ns);
  CHECK(act(Case(R::stale_connection).last()) == Action::retry);
  CHECK(act(Case(R::stale_connection).last().retried(2)) == Action::retry);
  CHECK(act(Case(R::stale_connection), Policy().with_max_retries(0)) == Action::retry);
  CHECK(act(Case(R::stale_connection).remaining(1ms)) == Action::retry);
  CHECK(act(Case(R::stale_connection).resent()) == Action::fail_over);
  CHECK(act(Case(R::stale_connection).resent().last()) == Action::return_to_caller);
  // With an empty budget another member answers; without one the call must not fail for so little.
  CHECK(act(Case(R::stale_connection).broke()) == Action::fail_over);
  CHECK(act(Case(R::stale_connection).broke().last()) == Action::retry);
  CHECK(act(Case(R::stale_connection).broke().last().resent()) == Action::return_to_caller);
}

TEST_CASE("rate_limit: another credential, else a short wait, once, else fail over") {
  CHECK(act(Case(R::rate_limit).rotatable().after(1s)) == Action::rotate);
  CHECK(act(Case(R::rate_limit).after(3s)) == Action::retry);
  CHECK(wait(Case(R::rate_limit).after(3s)) == 3s);
  CHECK(act(Case(R::rate_limit).after(3001ms)) == Action::fail_over);
  CHECK(act(Case(R::rate_limit).after(3s).waited()) == Action::fail_over);
  CHECK(act(Case(R::rate_limit)) == Action::fail_over);
  CHECK(act(Case(R::rate_limit).last()) == Action::return_to_caller);
  CHECK(act(Case(R::rate_limit).after(2s).last()) == Action::retry);
  CHECK(act(Case(R::rate_limit).after(8s), Policy().with_patience(10s)) == Action::retry);
  CHECK(act(Case(R::rate_limit).rotatable(), Policy().with_recover({})) == Action::fail_over);
}

TEST_CASE("no capacity: fail over at once; on the last member backoff") {
  for (const auto reason : {R::upstream_rate_limit, R::overloaded, R::upstream_blocked}) {
    CAPTURE(to_string(reason));
    CHECK(act(Case(reason)) == Action::fail_over);
    CHECK(act(Case(reason).rotatable()) == Action::fail_over);  // the key is healthy
    CHECK(act(Case(reason).last()) == Action::retry);
    CHECK(act(Case(reason).last().retried(1)) == Action::retry);
    CHECK(act(Case(reason).last().retried(2)) == Action::return_to_caller);
  }
}

TEST_CASE("billing: rotate, else fail over") {
  CHECK(act(Case(R::billing).rotatable()) == Action::rotate);
  CHECK(act(Case(R::billing)) == Action::fail_over);
  CHECK(act(Case(R::billing).last()) == Action::return_to_caller);
  CHECK(act(Case(R::billing).rotatable(), Policy().with_recover({R::auth})) == Action::fail_over);
}

TEST_CASE("auth: refresh once, rotate, else fail over") {
  for (const auto reason : {R::auth, R::auth_permanent}) {
    CAPTURE(to_string(reason));
    CHECK(act(Case(reason).refreshable().rotatable()) == Action::refresh);
    CHECK(act(Case(reason).rotatable()) == Action::rotate);
    CHECK(act(Case(reason)) == Action::fail_over);
    CHECK(act(Case(reason).last()) == Action::return_to_caller);
    CHECK(act(Case(reason).refreshable(), Policy().with_recover({})) == Action::fail_over);
  }
}

TEST_CASE("what may not happen again: one retry while a member is left, max_retries on the last") {
  for (const auto reason :
       {R::server_error, R::malformed_response, R::incomplete_response, R::unknown}) {
    CAPTURE(to_string(reason));
    CHECK(act(Case(reason)) == Action::retry);
    CHECK(act(Case(reason).retried(1)) == Action::fail_over);
    CHECK(act(Case(reason), Policy().with_max_retries(0)) == Action::fail_over);
    CHECK(act(Case(reason).last().retried(1)) == Action::retry);
    CHECK(act(Case(reason).last().retried(2)) == Action::return_to_caller);
  }
}

TEST_CASE("what this member cannot do: fail over at once") {
  for (const auto reason : {R::model_not_found, R::model_entitlement, R::provider_policy_blocked,
                            R::ssl_cert_verification, R::long_context_tier, R::role_alternation,
                            R::context_overflow, R::payload_too_large}) {
    CAPTURE(to_string(reason));
    CHECK(act(Case(reason)) == Action::fail_over);
    CHECK(act(Case(reason).rotatable().refreshable().mendable()) == Action::fail_over);
    CHECK(act(Case(reason).last()) == Action::return_to_caller);
  }
}

TEST_CASE("what can be mended: once, if it can, else fail over") {
  for (const auto reason :
       {R::thinking_signature, R::invalid_encrypted_content, R::reasoning_mandatory,
        R::multimodal_tool_content_unsupported, R::llama_cpp_grammar_pattern,
        R::oauth_long_context_beta_forbidden, R::image_too_large, R::image_corrupt}) {
    CAPTURE(to_string(reason));
    CHECK(act(Case(reason).mendable()) == Action::mend);
    CHECK(act(Case(reason).mendable().last()) == Action::mend);
    CHECK(act(Case(reason).mendable().mended()) == Action::fail_over);
    CHECK(act(Case(reason)) == Action::fail_over);
    CHECK(act(Case(reason).last()) == Action::return_to_caller);
  }
}

TEST_CASE("what a refusal names is mended, up to four times, and draws on no budget") {
  const auto named = [](unsigned mends) {
    Case one(R::unsupported_request);
    one.mendable().broke();
    one.situation.named_mend = true;
    one.situation.named_mends = mends;
    return one;
  };
  CHECK(act(named(0)) == Action::mend);
  CHECK(act(named(3).last()) == Action::mend);
  CHECK(act(named(4)) == Action::fail_over);
  CHECK(act(named(4).last()) == Action::return_to_caller);
  CHECK(act(named(1).mended()) == Action::fail_over);
  CHECK(act(Case(R::unsupported_request)) == Action::fail_over);
  CHECK(act(Case(R::unsupported_request).last()) == Action::return_to_caller);
}

TEST_CASE("content_policy_blocked: on_content_policy decides; format_error: always to the caller") {
  CHECK(act(Case(R::content_policy_blocked)) == Action::return_to_caller);
  const auto around = Policy().with_on_content_policy(OnContentPolicy::fail_over);
  CHECK(act(Case(R::content_policy_blocked), around) == Action::fail_over);
  CHECK(act(Case(R::content_policy_blocked).last(), around) == Action::return_to_caller);
  CHECK(act(Case(R::format_error)) == Action::return_to_caller);
  CHECK(act(Case(R::format_error), around) == Action::return_to_caller);
}

TEST_CASE("a stop or a local fault is never retried and never fails over") {
  namespace errc = boost::system::errc;
  for (const error_code code :
       {error_code(StopReason::cancelled), error_code(StopReason::deadline),
        error_code(StopReason::lost), error_code(StopReason::shutdown), error_code(),
        error_code(LocalFault::descriptors), error_code(LocalFault::system_descriptors),
        error_code(LocalFault::memory), error_code(LocalFault::threads),
        error_code(LocalFault::space), errc::make_error_code(errc::too_many_files_open)}) {
    CAPTURE(code.message());
    Situation situation(code);
    situation.member_left = true;
    situation.can_rotate = true;
    CHECK(decide(Policy(), situation).action == Action::stop);
    CHECK(decide(patient, situation).action == Action::stop);
  }
}

TEST_CASE("after delivery nothing is retried: it returns to the caller or fails over") {
  for (const auto& row : all_reasons()) {
    CAPTURE(row.name);
    const bool callers = row.reason == R::format_error || row.reason == R::content_policy_blocked;
    Case delivered(row.reason);
    delivered.delivered().rotatable().refreshable().mendable().after(1s);
    CHECK(act(delivered) == (callers ? Action::return_to_caller : Action::fail_over));
    CHECK(act(delivered.last()) == Action::return_to_caller);
  }
}

TEST_CASE("an empty budget means fail over, for every retry of the same request") {
  for (const auto& c : {Case(R::server_error), Case(R::connection).took(1ms),
                        Case(R::rate_limit).after(1s), Case(R::thinking_signature).mendable()}) {
    CAPTURE(c.situation.code.message());
    CHECK(act(Case(c).broke()) == Action::fail_over);
    CHECK(act(Case(c).broke().last()) == Action::return_to_caller);
  }
  // Another credential, rotated to or refreshed, is no repetition.
  CHECK(act(Case(R::billing).rotatable().broke()) == Action::rotate);
  CHECK(act(Case(R::auth).refreshable().broke()) == Action::refresh);
}

TEST_CASE("waits: backoff with full jitter, what the provider asks for, and the deadline") {
  const auto policy = Policy().with_max_retries(20);
  CHECK(wait(Case(R::unknown).last().jitter(0)) == 0ns);
  CHECK(wait(Case(R::unknown).last().jitter(0.5)) == 250ms);
  CHECK(wait(Case(R::unknown).last().retried(3).jitter(0.5), policy) == 2s);
  CHECK(wait(Case(R::unknown).last().retried(15).jitter(0.5), policy) == 15s);  // the cap's half
  // Named times win over backoff; beyond `patience` they are not waited for while others could answer
  // (gajae-code #5396 slept 8259 s), and never beyond ten minutes.
  CHECK(wait(Case(R::server_error).after(2s)) == 2s);
  CHECK(act(Case(R::server_error).after(8259s)) == Action::fail_over);
  CHECK(act(Case(R::server_error).after(60s).last()) == Action::retry);
  CHECK(wait(Case(R::overloaded).after(600s).last()) == 600s);
  CHECK(act(Case(R::overloaded).after(601s).last()) == Action::return_to_caller);
  // A wait that leaves no time for the attempt after it is not begun.
  CHECK(act(Case(R::server_error).after(2s).remaining(3s)) == Action::retry);
  CHECK(act(Case(R::server_error).after(2s).remaining(2999ms)) == Action::fail_over);
  CHECK(act(Case(R::rate_limit).after(2s).remaining(2s).last()) == Action::return_to_caller);
}

TEST_CASE("each reason's row can be another one") {
  const auto policy = Policy()
                          .with_treatment(R::format_error, Treatment::fail_over)
                          .with_treatment(R::overloaded, Treatment::retry_once);
  CHECK(act(Case(R::format_error), policy) == Action::fail_over);
  CHECK(act(Case(R::overloaded), policy) == Action::retry);
  CHECK(act(Case(R::upstream_rate_limit), policy) == Action::fail_over);
}

TEST_CASE("every reason has a decision, and every decision an explanation") {
  std::set<std::string_view> actions;
  for (const auto& row : all_reasons()) {
    for (unsigned bits = 0; bits < 256; ++bits) {
      Situation situation(row.reason);
      situation.member_left = (bits & 1U) != 0;
      situation.can_rotate = (bits & 2U) != 0;
      situation.can_refresh = (bits & 4U) != 0;
      situation.mendable = (bits & 8U) != 0;
      situation.expired = (bits & 16U) != 0;
      situation.delivered = (bits & 32U) != 0;
      situation.budget = (bits & 64U) != 0;
      situation.retries = (bits & 128U) != 0 ? 100 : 0;
      situation.resent = (bits & 128U) != 0;
      for (const auto& policy : {Policy(), patient}) {
        const auto decision = decide(policy, situation);
        CAPTURE(row.name);
        CAPTURE(bits);
        REQUIRE_FALSE(decision.why.empty());
        REQUIRE(decision.action != Action::stop);
        REQUIRE((decision.action != Action::fail_over || situation.member_left));
        REQUIRE((decision.action != Action::rotate || situation.can_rotate));
        REQUIRE((decision.action != Action::retry || situation.retries == 0));
        REQUIRE((!situation.delivered || decision.action == Action::fail_over ||
                 decision.action == Action::return_to_caller));
        actions.insert(to_string(decision.action));
      }
    }
  }
  CHECK(actions.size() == 6);  // all but stop
}

TEST_CASE("eligible: which member could be next") {
  Need need;
  need.prompt_tokens = 60'000;
  need.min_attempt = 1s;
  Candidate member;
  CHECK(eligible(member, need) == Eligibility::yes);
  SUBCASE("tried") {
    member.tried = true;
    CHECK(eligible(member, need) == Eligibility::tried);
  }
  SUBCASE("in cooldown, or due for a probe") {
    member.standing = Standing::cooling;
    CHECK(eligible(member, need) == Eligibility::cooling);
    member.standing = Standing::probe_due;
    CHECK(eligible(member, need) == Eligibility::yes);
  }
  SUBCASE("windows: large enough for the prompt, larger than what proved too small, or not known") {
    member.context_window = 60'000;
    CHECK(eligible(member, need) == Eligibility::yes);
    member.context_window = 59'999;
    CHECK(eligible(member, need) == Eligibility::window_too_small);
    need.window_above = 200'000;
    member.context_window = 200'000;
    CHECK(eligible(member, need) == Eligibility::window_too_small);
    member.context_window = 200'001;
    CHECK(eligible(member, need) == Eligibility::yes);
    member.context_window.reset();
    CHECK(eligible(member, need) == Eligibility::yes);
  }
  SUBCASE("time") {
    need.remaining = 1s;
    CHECK(eligible(member, need) == Eligibility::yes);
    need.remaining = 999ms;
    CHECK(eligible(member, need) == Eligibility::no_time);
    need.min_attempt = 0s;
    need.remaining = 0s;
    CHECK(eligible(member, need) == Eligibility::no_time);
  }
}
