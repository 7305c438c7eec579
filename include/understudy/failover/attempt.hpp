/// What a call is given for one attempt: whom to ask and with which credential, and where to note what is
/// heard, so that a stall is noticed.
///
/// Invariants
/// 1. Its scope and its clocks are its own: a stall in one attempt cannot touch the next.
/// 2. Stall limits count from `enter` and while `waiting`. Until the first of them is called the attempt as a whole
///    has one limit, `Policy::attempt`: an awaitable that knows nothing of this class needs to do nothing.
/// 3. Noting is cheap: per socket read one look at the clock, per event one store.
///
///     auto call = [&](Attempt& attempt) -> asio::awaitable<Result<Answer>> {
///       attempt.enter(Phase::first_progress);
///       while (true) {
///         attempt.waiting();
///         const auto bytes = co_await socket.async_read_some(buffer, asio::deferred);
///         attempt.heard(bytes);
///         is_token(buffer) ? attempt.progressed() : attempt.heartbeat();
///         ...
///       }
///     };
#pragma once

#include <boost/asio/multiple_exceptions.hpp>
#include <functional>
#include <optional>

#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/runtime/stall_timer.hpp"

namespace understudy {

namespace detail {
class Call;
class MemberRun;
}  // namespace detail

/// See the top of the file. Lives as long as the attempt; used on its executor.
class UNDERSTUDY_API Attempt {
 public:
  Attempt(detail::Call& call, detail::MemberRun& run);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const Member& member() const noexcept;
  /// What to send, or null if the member has none.
  const CredentialUse* credential() const noexcept;
  /// What the request is to be mended for before it is sent: the failures of this member so far that said
  /// how.
  const ReasonSet& mends() const noexcept;
  /// Whether the request is not to be sent on a connection that was kept: one was stale.
  bool wants_fresh_connection() const noexcept;
  /// Until the call's deadline, if it has one.
  std::optional<Clock::duration> remaining() const;
  const StallLimits& limits() const noexcept { return stall_->state().limits(); }
  Scope& scope() noexcept { return *scope_; }

  /// The attempt goes on to `phase`, whose limit counts from here.
  void enter(Phase phase);
  /// A connect, write or read is pending from now on. Call it before each.
  void waiting() { stall_->waiting(); }
  /// It brought bytes.
  void heard(std::uint64_t bytes) noexcept { stall_->heard(bytes); }
  /// They held a heartbeat, which is no progress.
  void heartbeat();
  /// They held content. The first closes what health has against the member.
  void progressed() {
    if (!progressed_) {
      first_progress(Clock::now());
    }
    stall_->progressed();
  }
  /// Nothing is pending.
  void paused() { stall_->paused(); }
  /// Could what is pending complete at once? Asked before a limit that was seen late is acted upon.
  void ready_by(std::function<bool()> ready) { ready_ = std::move(ready); }
  /// May another member take over now? For who reads on by a timer of his own.
  Takeover takeover() const;
  /// What the attempt has cost so far at least.
  void spent(std::uint64_t tokens) noexcept;

  /// For the combinator: the attempt begins in this scope.
  void begin(Scope& scope);
  /// It runs, and has not ended at once.
  void started();
  /// It answered.
  void succeeded();
  /// It failed with this; what was expired by our own timer is reported as that.
  Decision failed(Failure failure);
  /// It failed, and so did the refresh that was decided then.
  Decision not_refreshed(const Failure& failure);
  /// What an error code thrown out of the attempt stands for.
  Failure failure_of(const error_code& thrown) const;
  /// The same for what Asio's `||` and `&&` throw: what failed first counts. Nothing if that is a bug.
  std::optional<Failure> failure_of(const asio::multiple_exceptions& thrown) const;

 private:
  void first_progress(Clock::time_point now);
  void abandon(Clock::time_point now);
  void close(const Failure& failure, Clock::time_point now);
  void leave_phase(Clock::time_point now);
  AttemptReport& report() noexcept;

  detail::Call& call_;
  detail::MemberRun& run_;
  std::size_t index_;
  Clock::time_point began_;
  Clock::time_point phase_since_;
  Phase phase_ = Phase::none;
  bool progressed_ = false;
  bool open_ = true;
  bool started_ = false;
  std::optional<Cause> expired_;
  std::function<bool()> ready_;
  Scope* scope_ = nullptr;
  std::optional<StallTimer> stall_;
};

}  // namespace understudy
