#include "understudy/failover/attempt.hpp"

#include <algorithm>
#include <iterator>

#include "understudy/failover/detail/call.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy {
namespace {

AttemptReport report_of(const detail::CallContext& context, const detail::MemberRun& run,
                        Clock::time_point began) {
  const auto kind = run.probe                        ? AttemptKind::probe
                    : run.leg == detail::Leg::second ? AttemptKind::hedge
                                                     : AttemptKind::plain;
  AttemptReport report(context.chain[run.member], kind, began - context.began);
  if (run.credential) {
    report.credential = run.credential->label;
  }
  return report;
}

}  // namespace

Attempt::Attempt(detail::Call& call, detail::MemberRun& run)
    : call_(call),
      run_(run),
      began_(run.chosen_at ? *run.chosen_at : Clock::now()),
      phase_since_(began_) {
  run.chosen_at.reset();
  if (run.probe && run.retries > 0) {
    call_.selection.renew_probe(run, began_);
  }
  index_ = call_.record.attempt_began(report_of(call_.context, run, began_));
}

Attempt::~Attempt() {
  if (open_) {
    abandon(Clock::now());
  }
}

void Attempt::begin(Scope& scope) {
  scope_ = &scope;
  stall_.emplace(scope, call_.selection.limits(run_.member, began_),
                 StallHooks()
                     .on_expired([this](const Cause& cause) { expired_ = cause; })
                     .with_ready([this] { return ready_ && ready_(); })
                     .with_takeover([this] { return takeover(); }),
                 began_);
  if (started_) {
    stall_->start(began_);
  }
}

void Attempt::started() {
  started_ = true;
  if (stall_) {  // else the executor has queued it, and it begins later
    stall_->start(began_);
  }
}

const Member& Attempt::member() const noexcept { return call_.context.chain[run_.member]; }

const CredentialUse* Attempt::credential() const noexcept {
  return run_.credential ? &*run_.credential : nullptr;
}

const ReasonSet& Attempt::mends() const noexcept { return run_.mended; }
const std::vector<std::string>& Attempt::named_mends() const noexcept { return run_.named_mends; }

bool Attempt::wants_fresh_connection() const noexcept { return run_.resent; }

std::optional<Clock::duration> Attempt::remaining() const {
  return call_.context.remaining(Clock::now());
}

AttemptReport& Attempt::report() noexcept { return call_.record.attempt(index_); }

void Attempt::enter(Phase phase) {
  const auto now = Clock::now();
  leave_phase(now);
  phase_ = phase;
  stall_->enter(phase, now);
  call_.context.notify([&](Observer& o) { o.phase_entered(report(), phase); });
}

void Attempt::heartbeat() {
  stall_->heartbeat();
  call_.context.notify([&](Observer& o) { o.heartbeat_heard(report()); });
}

Takeover Attempt::takeover() const { return call_.selection.takeover(run_, Clock::now()); }

void Attempt::leave_phase(Clock::time_point now) {
  if (phase_ != Phase::none) {
    report().in_phase[static_cast<std::size_t>(phase_)] += now - phase_since_;
  }
  phase_since_ = now;
}

void Attempt::first_progress(Clock::time_point now) {
  progressed_ = true;
  leave_phase(now);
  if (phase_ == Phase::first_progress) {
    phase_ = Phase::progress;
  }
  report().first_progress = now - began_;
  run_.record->note_first_progress(now - began_);
  if (auto& health = call_.context.health(); run_.probe || !health.all_well()) {
    health.succeeded(detail::health_keys(call_.context, run_), began_, run_.probe);
  }
  call_.context.notify([&](Observer& o) { o.attempt_progressed(report()); });
}

void Attempt::spent(std::uint64_t tokens) noexcept { report().tokens_spent = tokens; }

void Attempt::flawed(std::uint64_t undecodable, bool inferred_finish) noexcept {
  report().undecodable = undecodable;
  report().inferred_finish = inferred_finish;
}

bool Attempt::skips_losses() const {
  return call_.context.policy.on_loss == OnLoss::skip && takeover().possible;
}

bool Attempt::moves_on_refused() const {
  return call_.context.policy.on_content_policy == OnContentPolicy::fail_over &&
         takeover().possible;
}

void Attempt::answered_with(std::string request_id,
                            std::vector<std::pair<std::string, std::string>> headers) noexcept {
  report().request_id = std::move(request_id);
  report().headers = std::move(headers);
}

void Attempt::allowed(std::span<const Allowance> allowances) {
  if (allowances.empty()) {
    return;
  }
  const auto& context = call_.context;
  const auto keys = detail::health_keys(context, run_);
  const auto note = [&](Concern concern, bool of_model) {
    std::vector<Allowance> those;
    std::copy_if(allowances.begin(), allowances.end(), std::back_inserter(those),
                 [&](const Allowance& one) { return one.of_model == of_model; });
    context.state.quotas().note(keys[concern], those, context.policy.quota_reserve, Clock::now());
  };
  note(Concern::credential, false);
  note(Concern::credential_model, true);
}

void Attempt::restored(std::size_t pieces) noexcept { report().restored = pieces; }

void Attempt::ignored(std::size_t pieces) noexcept { report().ignored = pieces; }

void Attempt::lost(std::vector<RequestLoss> losses) noexcept {
  report().losses = std::move(losses);
}

void Attempt::succeeded() {
  const auto now = Clock::now();
  if (!progressed_) {
    first_progress(now);
  }
  call_.record.answered(now);
  close(Failure(), now);
  call_.answer.emplace(std::move(run_), index_, began_);
}

Failure Attempt::failure_of(const error_code& thrown) const {
  return expired_ ? Failure(*expired_)
                  : detail::with_reason(Failure(thrown), call_.context.policy.error_reasons,
                                        call_.context.deadline_passed(Clock::now()));
}

std::optional<Failure> Attempt::failure_of(const asio::multiple_exceptions& thrown) const {
  try {
    std::rethrow_exception(thrown.first_exception());
  } catch (const FailoverError& first) {
    return first.failure();
  } catch (const boost::system::system_error& first) {
    return failure_of(first.code());
  } catch (const std::bad_alloc&) {
    return Failure(LocalFault::memory);
  } catch (...) {
    return failure_of(thrown.first_exception());
  }
}

std::optional<Failure> Attempt::failure_of(const std::exception_ptr& thrown) const {
  auto known = call_.context.policy.error_reasons.find(thrown);
  return known && expired_ ? Failure(*expired_) : known;
}

Decision Attempt::failed(Failure failure) {
  const auto now = Clock::now();
  run_.redact(failure);  // first: what follows may keep a part of its words
  if (expired_) {
    // What broke because the timer closed it has nothing to add.
    const bool aborted = failure.code() == asio::error::operation_aborted;
    failure = Failure(*expired_, aborted ? std::string_view() : failure.message())
                  .with_tokens_spent(failure.tokens_spent());
  } else {
    failure = detail::with_reason(failure, call_.context.policy.error_reasons,
                                  call_.context.deadline_passed(now));
  }
  const auto decision = call_.settlement.failed(run_, failure, now - began_);
  report().decision = decision;
  close(failure, now);
  return decision;
}

Decision Attempt::not_refreshed(const Failure& failure) {
  const auto decision = call_.settlement.not_refreshed(run_, failure);
  report().decision = decision;
  return decision;
}

/// It neither answered nor failed: another one answered, or the caller went away. A probe that loses its hedge
/// without progress has failed; one whose caller went away has not.
void Attempt::abandon(Clock::time_point now) {
  const bool lost = call_.record.has_answer();
  close(Failure(lost ? Cause(StopReason::lost) : call_.context.abandoned()), now);
  if (lost && run_.probe) {
    call_.context.health().probe_lost(run_.probe, call_.context.id, now);
  } else {
    run_.probe.release();
  }
}

void Attempt::close(const Failure& failure, Clock::time_point now) {
  open_ = false;
  if (stall_) {
    stall_.reset();
  }
  leave_phase(now);
  auto& done = report();
  done.took = now - began_;
  done.ended = true;
  done.failure = failure;
  done.tokens_spent = std::max(done.tokens_spent, failure.tokens_spent());
  call_.context.notify([&](Observer& o) { o.attempt_ended(done); });
}

}  // namespace understudy
