#include "understudy/failover/failover_call.hpp"

#include <algorithm>

namespace understudy {

FailoverCall::FailoverCall(const Chain& chain, const Policy& policy, State& state,
                           const CallOptions& options, std::source_location site)
    : call_(chain, policy, state, options, site) {}

void FailoverCall::answer_spent(std::uint64_t tokens) noexcept {
  call_.record.attempt(call_.answer->attempt).tokens_spent = tokens;
}

void FailoverCall::answer_flawed(std::uint64_t undecodable, bool inferred_finish) noexcept {
  auto& report = call_.record.attempt(call_.answer->attempt);
  report.undecodable = undecodable;
  report.inferred_finish = inferred_finish;
}

Takeover FailoverCall::answer_takeover() const {
  return call_.selection.takeover(call_.answer->run, Clock::now());
}

Decision FailoverCall::answer_broke(const Failure& failure) {
  auto& answer = *call_.answer;
  const auto now = Clock::now();
  const auto took = now - answer.began;
  auto known = failure;
  answer.run.redact(known);  // first: what follows may keep a part of its words
  known = detail::with_reason(known, call_.context.policy.error_reasons,
                              call_.context.deadline_passed(now));
  const auto decision = call_.settlement.failed(answer.run, known, took, true);
  answer.run.slot.reset();
  auto& report = call_.record.attempt(answer.attempt);
  report.failure = known;
  report.took = took;
  report.decision = decision;
  report.tokens_spent = std::max(report.tokens_spent, known.tokens_spent());
  call_.record.answer_lost();
  call_.context.notify([&](Observer& o) { o.answer_broke(report); });
  return decision;
}

void FailoverCall::answer_stands(std::string_view why) {
  auto& report = call_.record.attempt(call_.answer->attempt);
  report.decision = Decision(Action::return_to_caller, why);
  report.inferred_finish = true;
  call_.record.answered(Clock::now());
}

void FailoverCall::answer_ended() {
  const auto now = Clock::now();
  call_.record.answered(now);
  call_.record.attempt(call_.answer->attempt).took = now - call_.answer->began;
  call_.answer->run.slot.reset();
}

}  // namespace understudy
