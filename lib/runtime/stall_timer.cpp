#include "understudy/runtime/stall_timer.hpp"

namespace understudy {
StallTimer::StallTimer(const asio::any_io_executor& executor, const StallLimits& limits,
                       StallHooks hooks, Clock::time_point now)
    : state_(limits, now),
      hooks_(std::move(hooks)),
      alarm_(
          executor,
          [](void* timer, Clock::time_point due) { static_cast<StallTimer*>(timer)->woke(due); },
          this) {}

StallTimer::StallTimer(Scope& scope, const StallLimits& limits, StallHooks hooks,
                       Clock::time_point now)
    : StallTimer(scope.get_executor(), limits, std::move(hooks), now) {
  scope_ = &scope;
}

void StallTimer::enter(Phase phase, Clock::time_point now) {
  state_.enter(phase, now);
  arm(now);
}

void StallTimer::heartbeat() {
  const auto now = Clock::now();
  if (state_.heartbeat(now)) {
    arm(now);
  }
}

void StallTimer::arm(Clock::time_point now) {
  // Later limits find the timer asleep to an earlier one: it looks, and sleeps on.
  if (const auto due = state_.next_due(now); due < alarm_.due()) {
    alarm_.set(due);
  }
}

void StallTimer::woke(Clock::time_point due) {
  ++wakeups_;
  const auto now = Clock::now();
  auto verdict = state_.check(now, due);
  while (true) {
    switch (verdict.step) {
      case StallState::Step::sleep: alarm_.set(verdict.until); return;
      case StallState::Step::confirm: state_.confirmed(hooks_.ready && hooks_.ready(), now); break;
      case StallState::Step::ask:
        state_.answered(hooks_.takeover ? hooks_.takeover() : Takeover::yes(), now);
        break;
      case StallState::Step::expired: {
        // Either may destroy this timer, and what the hook holds with it.
        const auto expired = std::move(hooks_.expired);
        auto* const scope = scope_;
        if (expired) {
          expired(verdict.cause);
        }
        if (scope != nullptr) {
          scope->cancel(verdict.cause);
        }
        return;
      }
    }
    verdict = state_.check(now, now);
  }
}

}  // namespace understudy
