#include "understudy/failover/detail/settlement.hpp"

#include <algorithm>

#include "understudy/runtime/local_fault.hpp"

namespace understudy::detail {

Failure with_reason(const Failure& failure, const ErrorReasons& others, bool deadline_passed) {
  const auto& code = failure.code();
  const bool deadline = code == StopReason::deadline;
  const bool aborted =
      code.category() != stop_category() && code == boost::system::errc::operation_canceled;
  if ((deadline || aborted) && deadline_passed) {
    return deadline ? failure : Failure(StopReason::deadline, failure.message());
  }
  const bool stopped = aborted || code.category() == stop_category();
  const auto stated = stopped ? std::nullopt : others.find(code);
  const auto reason = stated                ? stated
                      : deadline || aborted ? std::optional(FailoverReason::timeout)
                                            : reason_for(code);
  const auto local = stated ? std::nullopt : local_fault_of(code);
  if (local ? code == *local : !reason || code == *reason) {
    return failure;
  }
  std::string words = failure.message();
  if (words.empty()) {
    words = deadline  ? "a deadline inside the attempt was reached"
            : aborted ? "cancelled by neither this call nor its caller"
                      : code.message();
  }
  const auto known = local ? error_code(*local) : error_code(*reason);
  return Failure(known, words).with_tokens_spent(failure.tokens_spent());
}

bool ends_call(const Policy& policy, const error_code& code) noexcept {
  const auto reason = reason_of(code);
  const auto treatment = reason ? policy.treatment(*reason) : Treatment::return_to_caller;
  return treatment == Treatment::return_to_caller ||
         (treatment == Treatment::content_policy &&
          policy.on_content_policy == OnContentPolicy::stop);
}

Decision Settlement::failed(MemberRun& run, const Failure& failure, Clock::duration took,
                            bool delivered) {
  failures_.push_back(failure);
  return settle(run, failure, took, delivered);
}

Decision Settlement::not_refreshed(MemberRun& run, const Failure& failure) {
  return settle(run, failure, Clock::duration::zero(), false);
}

Failure Settlement::no_slot(const MemberRun& run) {
  no_slot_ = Failure(FailoverReason::rate_limit,
                     "not asked: all calls that `max_concurrent` allows for a credential of " +
                         context_.chain[run.member].provider() + " were under way");
  return *no_slot_;
}

asio::awaitable<Result<void>> Settlement::refresh(MemberRun& run) {
  const auto& pool = context_.chain[run.member].credentials();
  auto refreshed = co_await pool->refresh(*run.credential, context_.deadline());
  if (refreshed) {
    context_.health().credential_changed(health_keys(context_, run)[Concern::credential]);
    run.credential = pool->use(run.credential->index);
    selection_.lease_probe(run, Clock::now());
    co_return refreshed;
  }
  // Whatever the cause, it is the credential that cannot be used.
  const auto reason = reason_for(refreshed.error().code());
  if (reason && traits(*reason).concern != Concern::credential) {
    co_return Failure(FailoverReason::auth, refreshed.error().message());
  }
  co_return refreshed;
}

Decision Settlement::settle(MemberRun& run, const Failure& failure, Clock::duration took,
                            bool delivered) {
  const auto reason = reason_of(failure.code());
  const Member& member = context_.chain[run.member];
  const auto treated_as = [&](Treatment treatment) {
    return reason && context_.policy.treatment(*reason) == treatment;
  };
  if (treated_as(Treatment::larger_window)) {
    selection_.require_window_above(
        member.context_window().value_or(context_.options.prompt_tokens));
  }
  auto policy = context_.policy;
  policy.backoff = member.backoff().value_or(policy.backoff);
  policy.min_attempt = selection_.least_time();
  if (delivered && reason) {
    selection_.resume_after(run.member, *reason);
  }
  auto facts = situation(run, failure, took, delivered);
  auto decision = decide(policy, facts);
  if (decision.action == Action::retry && !treated_as(Treatment::resend)) {
    if (run.returned) {
      decision = {Action::fail_over, "a member that is asked again is not retried"};
    } else if (facts.member_left && run.probe) {
      decision = {Action::fail_over, "a probe is not retried while another member is left"};
    } else if (facts.member_left && selection_.resuming()) {
      decision = {Action::fail_over, "an answer that broke is resumed by whichever member is next"};
    }
  }
  // What was added to the request, so that the answer is resumed, may be what this member refuses.
  if (decision.action == Action::return_to_caller && selection_.resuming() && !delivered &&
      treated_as(Treatment::return_to_caller) && facts.member_left) {
    decision = {Action::fail_over, "the request to resume was refused: whichever member is next"};
  }
  const bool draws =
      decision.action == Action::retry || (decision.action == Action::mend && !facts.named_mend);
  if (draws && !run.record->budget().withdraw()) {
    facts.budget = false;
    decision = decide(policy, facts);
  }
  mark(run, decision, failure, took);
  apply(run, decision, failure);
  return decision;
}

Situation Settlement::situation(const MemberRun& run, const Failure& failure, Clock::duration took,
                                bool delivered) const {
  const auto now = Clock::now();
  const auto reason = reason_of(failure.code());
  const auto& pool = context_.chain[run.member].credentials();
  Situation s(failure.code());
  s.expired = failure.evidence().clock != LimitClock::none;
  s.share_spent = failure.evidence().origin == LimitOrigin::share_of_deadline;
  s.delivered = delivered;
  s.mendable = failure.mendable() && selection_.attempts_left();
  s.named_mend = !failure.mend_name().empty();
  s.named_mends = static_cast<unsigned>(run.named_mends.size());
  s.mended = s.named_mend ? std::find(run.named_mends.begin(), run.named_mends.end(),
                                      failure.mend_name()) != run.named_mends.end()
                          : reason && run.mended.contains(*reason);
  s.callers_credential = pool && pool->is_of_caller();
  s.took = took;
  s.retry_after = failure.retry_after();
  s.retries = run.retries;
  s.resent = run.resent;
  s.waited = run.waited;
  s.can_rotate = next_credential(context_, run, now).has_value();
  s.can_refresh = run.credential && !run.refreshed && pool->can_refresh(run.credential->index);
  s.member_left = selection_.member_left(run, now);
  s.budget = run.record->budget().available();
  s.remaining = context_.remaining(now);
  s.jitter = context_.state.random();
  return s;
}

/// Notes the failure in Health, if the decision leaves behind what it concerns.
void Settlement::mark(MemberRun& run, const Decision& decision, const Failure& failure,
                      Clock::duration took) {
  const auto reason = reason_of(failure.code());
  // A call that found no free connection within our own limit says nothing of the endpoint.
  if (!reason || failure.evidence().phase == Phase::pool_wait) {
    run.probe.release();
    return;
  }
  const auto concern = traits(*reason).concern;
  const bool about_credential =
      concern == Concern::credential || concern == Concern::credential_model;
  switch (decision.action) {
    case Action::retry:
    case Action::refresh:
    case Action::mend: return;
    case Action::rotate:
      if (!about_credential) {
        return;
      }
      break;
    case Action::fail_over:
    case Action::return_to_caller:
    case Action::stop: break;
  }
  // A credential that was refreshed meanwhile is another one.
  if (about_credential && run.credential &&
      !context_.chain[run.member].credentials()->current(*run.credential)) {
    run.probe.release();
    return;
  }
  // What a provider says about one model is not true of all that requests may choose.
  const bool about_model =
      *reason == FailoverReason::model_not_found || *reason == FailoverReason::model_entitlement;
  if (about_model && context_.chain[run.member].passes_model()) {
    run.probe.release();
    return;
  }
  const auto now = Clock::now();
  context_.health().failed(health_keys(context_, run), *reason, failure.retry_after(), context_.id,
                           now - took, now, run.probe);
  if (concern != Concern::nothing) {
    selection_.marked(run.member, *reason);
  }
}

/// Notes in the run, or in the selection, what the decision uses up.
void Settlement::apply(MemberRun& run, const Decision& decision, const Failure& failure) {
  const auto& code = failure.code();
  switch (decision.action) {
    case Action::retry:
      if (context_.policy.treatment(*reason_of(code)) == Treatment::resend) {
        run.resent = true;
        break;
      }
      ++run.retries;
      run.waited = run.waited || code == Treatment::limit;
      break;
    case Action::rotate: {
      const auto now = Clock::now();
      const auto next = next_credential(context_, run, now);
      run.credentials_tried.push_back(run.credential->index);
      run.slot.reset();
      run.credential = context_.chain[run.member].credentials()->use(*next);
      run.refreshed = false;
      selection_.lease_probe(run, now);
      break;
    }
    case Action::refresh: run.refreshed = true; break;
    case Action::mend:
      if (failure.mend_name().empty()) {
        run.mended.insert(*reason_of(code));
      } else {
        run.named_mends.push_back(failure.mend_name());
      }
      break;
    case Action::fail_over: break;
    case Action::return_to_caller:
      // That no member is left is for the selection to say: one in cooldown may be asked after all.
      if (ends_call(context_.policy, code) || refuses_caller(run, code)) {
        selection_.end();
      }
      break;
    case Action::stop:
      selection_.end();
      stopped_ = failure;  // no attempt's, if it came while a credential was refreshed
      break;
  }
}

/// Whether the caller's own credential was refused, which no other member can answer for.
bool Settlement::refuses_caller(const MemberRun& run, const error_code& code) const {
  const auto& pool = context_.chain[run.member].credentials();
  const auto reason = reason_of(code);
  return reason && pool && pool->is_of_caller() &&
         context_.policy.treatment(*reason) == Treatment::refresh;
}

Failure Settlement::last_failure(Clock::time_point now) const {
  if (stopped_) {
    return *stopped_;
  }
  if (!failures_.empty()) {
    return failures_.back();
  }
  if (no_slot_) {
    return *no_slot_;
  }
  if (context_.chain.empty()) {
    return Failure(FailoverReason::model_not_found, "the chain has no member");
  }
  if (const auto left = context_.remaining(now); left && *left < selection_.least_time()) {
    return Failure(StopReason::deadline);
  }
  if (const auto first = selection_.returns_first(now); first.standing != Standing::healthy) {
    return Failure(first.reason, "every member is in cooldown");
  }
  return Failure(FailoverReason::context_overflow, "no member has a window that is large enough");
}

Failure Settlement::failure(Clock::time_point now) const {
  Failure last = last_failure(now);
  if (!selection_.ended()) {
    const auto first = selection_.returns_first(now);
    last.with_retry_after(first.returns > now && !first.dead ? std::optional(first.returns - now)
                                                             : std::nullopt);
  } else if (last.retry_after() > longest_cooldown) {
    last.with_retry_after(longest_cooldown);
  }
  return last.with_attempts(failures_);
}

}  // namespace understudy::detail
