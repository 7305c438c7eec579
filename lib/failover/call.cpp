#include <algorithm>

#include "understudy/failover/attempt.hpp"
#include "understudy/failover/detail/call.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::detail {
namespace {

using namespace std::chrono_literals;

/// A member that is slow but well must not lose every hedge as a probe (failover.md 5.2).
Clock::duration grace(const Policy& policy, const MemberRecord& record) {
  return std::max(policy.probe_grace, record.usual_first_progress() * 3 / 2);
}

/// What a limit may take at most is also what a lease is good for; then somebody else may look.
Clock::duration longest_probe(const StallLimits& limits) {
  auto end = Clock::time_point();
  for (const auto after :
       {limits.connect.after, limits.write.after,
        std::max({limits.first_progress.after, limits.last_member.after, limits.attempt.after})}) {
    end = later(end, after);
  }
  return end.time_since_epoch();
}

}  // namespace

Call::Call(const Chain& chain, const Policy& policy, State& state, const CallOptions& options,
           std::source_location site)
    : chain_(chain),
      policy_(policy),
      state_(state),
      options_(options),
      site_(site),
      id_(state.next_call()),
      began_(Clock::now()),
      tried_(chain.size(), 0) {}

template <class Notify>
void Call::tell(Notify notify) const noexcept {
  if (options_.observer != nullptr) {
    try {
      notify(*options_.observer);
    } catch (...) {
      return;  // Observer, invariant 2
    }
  }
}

std::optional<Clock::duration> Call::remaining(Clock::time_point now) const {
  return policy_.deadline ? std::optional(*policy_.deadline - (now - began_)) : std::nullopt;
}

Clock::time_point Call::deadline() const {
  return policy_.deadline ? later(began_, *policy_.deadline) : Clock::time_point::max();
}

/// How much of the deadline must be left for another attempt. A quarter, so that `min_attempt` does not leave a call
/// whose deadline is not much longer, or shorter, with its first attempt alone.
Clock::duration Call::least_time() const {
  constexpr int parts = 4;
  if (report_.attempts.empty()) {
    return Clock::duration(1);
  }
  return policy_.deadline ? std::min(policy_.min_attempt, *policy_.deadline / parts)
                          : policy_.min_attempt;
}

Need Call::need(Clock::time_point now) const {
  Need need;
  need.prompt_tokens = options_.prompt_tokens;
  need.window_above = window_above_;
  need.remaining = remaining(now);
  need.min_attempt = least_time();
  // The prompt is an estimate. Where it fits nobody, it is for the providers to say so.
  const auto fits = [&](const Member& member) {
    return !member.context_window() || *member.context_window() >= need.prompt_tokens;
  };
  if (std::none_of(chain_.begin(), chain_.end(), fits)) {
    need.prompt_tokens = 0;
  }
  return need;
}

HealthKeys Call::keys(std::size_t member, std::optional<std::size_t> credential) const {
  const Member& m = chain_[member];
  HealthKeys keys;
  keys[Concern::member] = "member " + m.key();
  keys[Concern::endpoint] = "endpoint " + m.endpoint();
  if (credential || !m.credentials()) {
    // Whoever sends none, or one that we do not know, has the same one for all models of the provider.
    keys[Concern::credential] =
        HealthKeys::credential(credential ? m.credentials()->key(*credential) : m.provider());
    keys[Concern::credential_model] = keys[Concern::credential] + '\n' + m.model();
  }
  return keys;
}

HealthKeys Call::keys(const MemberRun& run) const {
  return keys(run.member, run.credential ? std::optional(run.credential->index) : std::nullopt);
}

Call::Prospect Call::prospect(std::size_t member, CallId viewer, Clock::time_point now) const {
  const Member& m = chain_[member];
  const auto& pool = m.credentials();
  Prospect p;
  p.candidate.tried = tried_[member] != 0;
  p.candidate.context_window = m.context_window();
  const auto order = pool ? pool->order(state_.random()) : std::vector<std::size_t>();
  Health& health = state_.health();
  if (health.all_well()) {
    p.credential = pool ? std::optional(order.front()) : std::nullopt;
    return p;
  }
  p.outlook = health.look(keys(member, std::nullopt).all(), viewer, now);
  p.whole_member = p.outlook.standing != Standing::healthy;
  if (pool) {
    std::optional<Health::Outlook> best;
    for (const auto index : order) {
      const auto names = keys(member, index);
      const std::array own{names[Concern::credential], names[Concern::credential_model]};
      const auto outlook = health.look(own, viewer, now);
      const bool better =
          !best || (outlook.standing == Standing::cooling && best->standing == Standing::cooling &&
                    outlook.until < best->until);
      if (outlook.standing != Standing::cooling || better) {
        best = outlook;
        p.credential = index;
      }
      if (outlook.standing != Standing::cooling) {
        break;
      }
    }
    p.outlook.add(*best);
  }
  p.candidate.standing = p.outlook.standing;
  return p;
}

/// Whether a member may take over from another one. A member whose provider has named a time that is still to come
/// may be due for a probe, but no attempt that may yet answer is given up for it.
bool Call::may_follow(std::size_t member, Clock::time_point now) const {
  if (tried_[member] != 0) {
    return false;
  }
  const auto p = prospect(member, id_, now);
  return !p.outlook.named && eligible(p.candidate, need(now)) == Eligibility::yes;
}

bool Call::member_left(Clock::time_point now) const {
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (may_follow(i, now)) {
      return true;
    }
  }
  return false;
}

std::size_t Call::members_left(Clock::time_point now) const {
  std::size_t left = 0;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    left += may_follow(i, now) ? 1 : 0;
  }
  return left;
}

void Call::skip(std::size_t member, Eligibility because, const Health::Outlook& outlook) {
  const auto same = [&](const SkippedMember& s) { return s.member.same_as(chain_[member]); };
  if (std::none_of(report_.skipped.begin(), report_.skipped.end(), same)) {
    report_.skipped.emplace_back(
        chain_[member], because,
        because == Eligibility::cooling ? std::optional(outlook.reason) : std::nullopt);
  }
}

Choice Call::choose(Leg leg, Clock::time_point now) {
  second_leg_ = second_leg_ || leg == Leg::second;
  if (over_) {
    return {};
  }
  const auto wanted = need(now);
  std::vector<std::pair<std::size_t, Prospect>> resting;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (tried_[i] != 0) {
      continue;
    }
    const auto p = prospect(i, id_, now);
    const auto fit = eligible(p.candidate, wanted);
    if (fit != Eligibility::yes) {
      skip(i, fit, p.outlook);
      if (fit == Eligibility::cooling) {
        resting.emplace_back(i, p);
      }
      continue;
    }
    if (p.candidate.standing == Standing::healthy) {
      return start(i, p, {}, leg, now);
    }
    // While a probe is under way already, another one would only cost time.
    if (leg == Leg::only) {
      if (auto probe = state_.health().probe(keys(i, p.credential).all(), id_, now,
                                             longest_probe(limits(i, now)))) {
        return start(i, p, std::move(probe), leg, now);
      }
    }
    resting.emplace_back(i, p);
  }
  return rest(std::move(resting), leg, now);
}

Choice Call::start(std::size_t member, const Prospect& p, Health::Probe probe, Leg leg,
                   Clock::time_point now) {
  Choice choice;
  auto& run = choice.run.emplace(member, state_.record(chain_[member]), leg, now);
  run.probe = std::move(probe);
  if (p.credential) {
    run.credential = chain_[member].credentials()->use(*p.credential);
  }
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (i == member || chain_[i].same_as(chain_[member])) {
      tried_[i] = 1;
    }
  }
  run.record->budget().deposit();
  if (last_member_) {
    tell([&](Observer& o) { o.member_changed(chain_[*last_member_], chain_[member]); });
  }
  last_member_ = member;
  if (leg == Leg::only && (policy_.hedge_after || (run.probe && p.whole_member)) &&
      member_left(now)) {
    choice.hedge_after = run.probe ? grace(policy_, *run.record) : *policy_.hedge_after;
    if (const auto left = remaining(now); left && run.probe) {
      choice.hedge_after =
          std::min(*choice.hedge_after, *left / 2);  // a probe must not cost the call
    }
  }
  return choice;
}

/// Nobody is well. One caller looks at once whether the one that comes back first is, unless the provider
/// has named a time and no probe is due; the rest wait for the verdict as long as `patience` lasts.
Choice Call::rest(std::vector<std::pair<std::size_t, Prospect>> resting, Leg leg,
                  Clock::time_point now) {
  std::sort(resting.begin(), resting.end(), [](const auto& a, const auto& b) {
    return a.second.outlook.until < b.second.outlook.until;
  });
  patience_ends_ = patience_ends_.value_or(later(now, policy_.patience));
  const auto time_left = remaining(now);
  const auto latest = time_left ? std::min(*patience_ends_, later(now, *time_left - least_time()))
                                : *patience_ends_;
  Choice choice;
  choice.seen = state_.health().notice().version();
  std::optional<Clock::time_point> worth_waiting;
  for (const auto& [member, p] : resting) {
    const auto& outlook = p.outlook;
    if (outlook.dead) {
      continue;
    }
    if (!outlook.named || outlook.until <= now) {
      if (auto probe = state_.health().probe(keys(member, p.credential).all(), id_, now,
                                             longest_probe(limits(member, now)), true)) {
        return start(member, p, std::move(probe), leg, now);
      }
    }
    const auto until = outlook.named         ? outlook.returns
                       : outlook.early > now ? std::min(outlook.early, latest)
                                             : latest;
    if (until <= latest) {
      worth_waiting = std::min(worth_waiting.value_or(until), until);
    }
  }
  if (worth_waiting && now < latest) {
    choice.wait_until = worth_waiting;
  }
  return choice;
}

asio::awaitable<void> Call::wait(const Choice& choice) {
  co_await state_.health().notice().wait(choice.seen, *choice.wait_until);
}

asio::awaitable<Result<void>> Call::refresh(MemberRun& run) {
  const auto& pool = chain_[run.member].credentials();
  auto refreshed = co_await pool->refresh(*run.credential, deadline());
  if (refreshed) {
    state_.health().credential_changed(keys(run)[Concern::credential]);
    run.credential = pool->use(run.credential->index);
    look_after(run);
    co_return refreshed;
  }
  // Whatever ails whoever refreshes it, it is the credential that cannot be used.
  const auto reason = reason_for(refreshed.error().code());
  if (reason && traits(*reason).concern != Concern::credential) {
    co_return Failure(FailoverReason::auth, refreshed.error().message());
  }
  co_return refreshed;
}

/// Leases what is marked of what the run uses now, in place of what it leased before.
void Call::look_after(MemberRun& run) {
  const auto now = Clock::now();
  run.probe.release();
  run.probe =
      state_.health().probe(keys(run).all(), id_, now, longest_probe(limits(run.member, now)));
}

std::optional<std::size_t> Call::next_credential(const MemberRun& run,
                                                 Clock::time_point now) const {
  if (!run.credential) {
    return std::nullopt;
  }
  const auto& pool = chain_[run.member].credentials();
  for (const auto index : pool->order(state_.random())) {
    const bool tried = index == run.credential->index ||
                       std::find(run.credentials_tried.begin(), run.credentials_tried.end(),
                                 index) != run.credentials_tried.end();
    const auto names = keys(run.member, index);
    const std::array own{names[Concern::credential], names[Concern::credential_model]};
    if (!tried && state_.health().look(own, id_, now).standing != Standing::cooling) {
      return index;
    }
  }
  return std::nullopt;
}

Decision Call::settle(MemberRun& run, const Failure& failure, Clock::duration took,
                      bool delivered) {
  const auto now = Clock::now();
  const auto reason = reason_of(failure.code());
  if (reason && policy_.treatment(*reason) == Treatment::larger_window) {
    window_above_ = std::max(window_above_,
                             chain_[run.member].context_window().value_or(options_.prompt_tokens));
  }
  const auto& pool = chain_[run.member].credentials();
  auto policy = policy_;
  policy.backoff = chain_[run.member].backoff().value_or(policy.backoff);
  policy.min_attempt = least_time();
  Situation situation(failure.code());
  situation.expired = failure.evidence().clock != LimitClock::none;
  situation.share_spent = failure.evidence().origin == LimitOrigin::share_of_deadline;
  situation.delivered = delivered;
  situation.mendable = failure.mendable();
  situation.mended = reason && run.mended.contains(*reason);
  situation.took = took;
  situation.retry_after = failure.retry_after();
  situation.retries = run.retries;
  situation.resent = run.resent;
  situation.waited = run.waited;
  situation.can_rotate = next_credential(run, now).has_value();
  situation.can_refresh =
      run.credential && !run.refreshed && pool->can_refresh(run.credential->index);
  situation.member_left = member_left(now) || (second_leg_ && run.leg == Leg::only);
  situation.budget = run.record->budget().available();
  situation.remaining = remaining(now);
  situation.jitter = state_.random();

  auto decision = decide(policy, situation);
  const bool stale = reason && policy_.treatment(*reason) == Treatment::resend;
  if (decision.action == Action::retry && run.probe && situation.member_left && !stale) {
    decision = {Action::fail_over, "a probe is not retried while another member is left"};
  }
  const bool draws = decision.action == Action::retry || decision.action == Action::mend;
  if (draws && !run.record->budget().withdraw()) {
    situation.budget = false;
    decision = decide(policy, situation);
  }
  book(run, decision, failure, took);
  apply(run, decision, failure);
  return decision;
}

void Call::book(MemberRun& run, const Decision& decision, const Failure& failure,
                Clock::duration took) {
  const auto reason = reason_of(failure.code());
  // A call that found no free connection within our own bound says nothing of the endpoint.
  if (!reason || failure.evidence().phase == Phase::pool_wait) {
    run.probe.release();
    return;
  }
  const auto concern = traits(*reason).concern;
  const bool about_credential =
      concern == Concern::credential || concern == Concern::credential_model;
  // Only what is left behind is marked; and a credential that was refreshed meanwhile is another one.
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
  if (about_credential && run.credential &&
      !chain_[run.member].credentials()->current(*run.credential)) {
    run.probe.release();
    return;
  }
  const auto now = Clock::now();
  state_.health().failed(keys(run), *reason, failure.retry_after(), id_, now - took, now,
                         run.probe);
}

void Call::apply(MemberRun& run, const Decision& decision, const Failure& failure) {
  switch (decision.action) {
    case Action::retry:
      if (policy_.treatment(*reason_of(failure.code())) == Treatment::resend) {
        run.resent = true;
        break;
      }
      ++run.retries;
      run.waited = run.waited || failure.code() == Treatment::limit;
      break;
    case Action::rotate: {
      const auto next = next_credential(run, Clock::now());
      run.credentials_tried.push_back(run.credential->index);
      run.credential = chain_[run.member].credentials()->use(*next);
      run.refreshed = false;
      look_after(run);
      break;
    }
    case Action::refresh: run.refreshed = true; break;
    case Action::mend: run.mended.insert(*reason_of(failure.code())); break;
    case Action::fail_over: break;
    case Action::return_to_caller:
    case Action::stop:
      // That no member is left is for `choose` to say: one that cools down may be asked after all.
      over_ = over_ || decision.action == Action::stop || fails_anywhere(failure.code());
      if (decision.action == Action::stop) {
        stopped_ = failure;  // no attempt's, if it came while a credential was refreshed
      }
      break;
  }
}

/// Whether no other member is to be asked, whoever is left.
bool Call::fails_anywhere(const error_code& code) const {
  const auto reason = reason_of(code);
  const auto treatment = reason ? policy_.treatment(*reason) : Treatment::return_to_caller;
  return treatment == Treatment::return_to_caller ||
         (treatment == Treatment::content_policy &&
          policy_.on_content_policy == OnContentPolicy::stop);
}

Failure Call::failure() const {
  const auto now = Clock::now();
  Failure last;
  if (stopped_) {
    last = *stopped_;
  } else if (!failures_.empty()) {
    last = failures_.back();
  } else if (chain_.empty()) {
    last = Failure(FailoverReason::model_not_found, "the chain has no member");
  } else if (const auto left = remaining(now); left && *left < least_time()) {
    last = Failure(StopReason::deadline);
  } else if (const auto first = returns_first(now); first.standing != Standing::healthy) {
    last = Failure(first.reason, "every member is in cooldown");
  } else {
    last = Failure(FailoverReason::context_overflow, "no member has a window that is large enough");
  }
  if (!over_) {
    const auto first = returns_first(now);
    last.with_retry_after(first.returns > now && !first.dead ? std::optional(first.returns - now)
                                                             : std::nullopt);
  } else if (last.retry_after() > longest_rest) {
    last.with_retry_after(longest_rest);
  }
  return last.with_attempts(failures_);
}

/// With a reason in place of any other code. Asked where neither the caller has stopped us nor a limit of ours has
/// expired: what was cancelled all the same was cancelled by a time limit of the member's own side.
Failure Call::as_reason(const Failure& failure) const {
  const auto& code = failure.code();
  const bool deadline = code == StopReason::deadline;
  const bool aborted =
      code.category() != stop_category() && code == boost::system::errc::operation_canceled;
  const auto left = remaining(Clock::now());
  if ((deadline || aborted) && left && *left <= Clock::duration::zero()) {
    return deadline ? failure : Failure(StopReason::deadline, failure.message());  // the call's own
  }
  const auto reason =
      deadline || aborted ? std::optional(FailoverReason::timeout) : reason_for(code);
  const auto local = local_fault_of(code);
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

Decision Call::answer_broke(const Failure& failure) {
  const auto now = Clock::now();
  const auto took = now - answer_began_;
  auto known = as_reason(failure);
  if (answer_->credential) {
    known.without(answer_->credential->secret);
  }
  failures_.push_back(known);
  const auto decision = settle(*answer_, known, took, true);
  auto& report = report_.attempts[answer_attempt_];
  report.failure = known;
  report.took = took;
  report.decision = decision;
  report.tokens_spent = std::max(report.tokens_spent, known.tokens_spent());
  answered_at_.reset();
  tell([&](Observer& o) { o.answer_broke(report); });
  return decision;
}

void Call::answer_ended() {
  answered_at_ = Clock::now();
  report_.attempts[answer_attempt_].took = *answered_at_ - answer_began_;
}

void Call::answer_spent(std::uint64_t tokens) noexcept {
  report_.attempts[answer_attempt_].tokens_spent = tokens;
}

/// What everybody else would see of the member that is well first.
Health::Outlook Call::returns_first(Clock::time_point now) const {
  std::optional<Health::Outlook> first;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    const auto outlook = prospect(i, CallId{}, now).outlook;
    if (!first || outlook.returns < first->returns) {
      first = outlook;
    }
  }
  return first.value_or(Health::Outlook());
}

Cause Call::given_up() const {
  const auto* const parent = options_.parent;
  return parent != nullptr && parent->cancelled() ? parent->cause() : Cause(StopReason::cancelled);
}

CallReport Call::finish(const error_code& code) {
  report_.took = answered_at_.value_or(code ? Clock::now() : began_) - began_;
  report_.code = code;
  tell([&](Observer& o) { o.call_ended(report_); });
  return std::move(report_);
}

StallLimits Call::limits(std::size_t place, Clock::time_point now) const {
  const Member& member = chain_[place];
  const auto settings = member.stall().or_else(policy_.stall);
  auto limits = stall_limits(
      settings,
      StallFacts().with_prompt(options_.prompt_tokens).with_floor(member.reasoning_floor()),
      StallCodes(FailoverReason::connection, FailoverReason::timeout));
  if (policy_.attempt) {
    limits.attempt = Limit(*policy_.attempt, FailoverReason::timeout, LimitOrigin::user);
  }
  const auto left = remaining(now);
  if (!left) {
    return limits;
  }
  limits.deadline = deadline();
  const auto sharers = members_left(now) + (tried_[place] != 0 ? 1 : 0);
  if (sharers > 1) {
    const auto after = share_of_deadline(*left, sharers, policy_.min_attempt);
    const Limit share(after.value_or(policy_.min_attempt), FailoverReason::timeout,
                      LimitOrigin::share_of_deadline);
    // An explicit limit lifts the share where it holds itself: `stale` does not for an attempt that notes nothing.
    if (limits.attempt.origin != LimitOrigin::user && share.after < limits.attempt.after) {
      limits.attempt = share;
    }
    if (!settings.first_progress && !settings.stale) {
      limits.share = share;
    }
  }
  return limits;
}

Takeover Call::takeover(const MemberRun& run) const {
  const auto now = Clock::now();
  const bool other_leg = second_leg_ && run.leg == Leg::only;
  const bool other_credential =
      policy_.recover.contains(FailoverReason::timeout) && next_credential(run, now).has_value();
  if (other_leg || other_credential || member_left(now)) {
    return Takeover::yes();
  }
  std::optional<Clock::time_point> soonest;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    const auto p = prospect(i, id_, now);
    if (eligible(p.candidate, need(now)) == Eligibility::cooling && !p.outlook.dead) {
      soonest = std::min(soonest.value_or(p.outlook.until), p.outlook.until);
    }
  }
  return Takeover::no(soonest);
}

std::size_t Call::attempt_began(const MemberRun& run, Clock::time_point now) {
  const auto kind = run.probe                ? AttemptKind::probe
                    : run.leg == Leg::second ? AttemptKind::hedge
                                             : AttemptKind::plain;
  auto& report = report_.attempts.emplace_back(chain_[run.member], kind, now - began_);
  if (run.credential) {
    report.credential = run.credential->label;
  }
  if (run.probe && run.retries > 0) {
    state_.health().renew(run.probe, now, longest_probe(limits(run.member, now)));
  }
  tell([&](Observer& o) { o.attempt_began(report); });
  return report_.attempts.size() - 1;
}

void Call::answered(MemberRun& run, Clock::time_point began, Clock::time_point now) {
  run.record->note_first_progress(now - began);
  if (run.probe || !state_.health().all_well()) {
    state_.health().succeeded(keys(run), began, run.probe);
  }
}

void Call::unwound(MemberRun& run) {
  // A probe that loses its hedge without progress has failed; one whose caller went away has not.
  if (answered_at_ && run.probe) {
    state_.health().probe_lost(run.probe, id_, Clock::now());
  } else {
    run.probe.release();
  }
}

}  // namespace understudy::detail

namespace understudy {

Attempt::Attempt(detail::Call& call, detail::MemberRun& run)
    : call_(call),
      run_(run),
      began_(run.chosen_at ? *run.chosen_at : Clock::now()),
      phase_since_(began_) {
  run.chosen_at.reset();
  index_ = call_.attempt_began(run_, began_);
}

Attempt::~Attempt() {
  if (open_) {
    close(Failure(call_.answered_at_ ? Cause(StopReason::lost) : call_.given_up()), Clock::now());
    call_.unwound(run_);
  }
}

void Attempt::begin(Scope& scope) {
  scope_ = &scope;
  stall_.emplace(scope, call_.limits(run_.member, began_),
                 StallHooks()
                     .on_expired([this](const Cause& cause) { expired_ = cause; })
                     .with_ready([this] { return ready_ && ready_(); })
                     .with_takeover([this] { return call_.takeover(run_); }),
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

const Member& Attempt::member() const noexcept { return call_.chain_[run_.member]; }

const CredentialUse* Attempt::credential() const noexcept {
  return run_.credential ? &*run_.credential : nullptr;
}

const ReasonSet& Attempt::mends() const noexcept { return run_.mended; }

bool Attempt::wants_fresh_connection() const noexcept { return run_.resent; }

std::optional<Clock::duration> Attempt::remaining() const { return call_.remaining(Clock::now()); }

AttemptReport& Attempt::report() noexcept { return call_.report_.attempts[index_]; }

void Attempt::enter(Phase phase) {
  const auto now = Clock::now();
  leave_phase(now);
  phase_ = phase;
  stall_->enter(phase, now);
  call_.tell([&](Observer& o) { o.phase_entered(report(), phase); });
}

void Attempt::heartbeat() {
  stall_->heartbeat();
  call_.tell([&](Observer& o) { o.heartbeat_heard(report()); });
}

Takeover Attempt::takeover() const { return call_.takeover(run_); }

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
  call_.answered(run_, began_, now);
  call_.tell([&](Observer& o) { o.attempt_progressed(report()); });
}

void Attempt::spent(std::uint64_t tokens) noexcept { report().tokens_spent = tokens; }

void Attempt::succeeded() {
  const auto now = Clock::now();
  if (!progressed_) {
    first_progress(now);
  }
  call_.answered_at_ = now;
  close(Failure(), now);
  call_.answer_.emplace(std::move(run_));
  call_.answer_attempt_ = index_;
  call_.answer_began_ = began_;
}

Failure Attempt::failure_of(const error_code& thrown) const {
  return expired_ ? Failure(*expired_) : call_.as_reason(Failure(thrown));
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
    return std::nullopt;
  }
}

Decision Attempt::failed(Failure failure) {
  if (expired_) {
    // What broke because the timer closed it has nothing to add.
    const bool aborted = failure.code() == asio::error::operation_aborted;
    failure = Failure(*expired_, aborted ? std::string_view() : failure.message())
                  .with_tokens_spent(failure.tokens_spent());
  } else {
    failure = call_.as_reason(failure);
  }
  if (run_.credential) {
    failure.without(run_.credential->secret);
  }
  const auto now = Clock::now();
  const auto took = now - began_;
  call_.failures_.push_back(failure);
  const auto decision = call_.settle(run_, failure, took);
  report().decision = decision;
  close(failure, now);
  return decision;
}

Decision Attempt::not_refreshed(const Failure& failure) {
  const auto decision = call_.settle(run_, failure, Clock::duration::zero());
  report().decision = decision;
  return decision;
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
  call_.tell([&](Observer& o) { o.attempt_ended(done); });
}

}  // namespace understudy
