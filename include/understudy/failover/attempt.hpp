/// What a callable is given for one attempt: which member to ask and with which credential, and where to note what is
/// heard, so that a stall is noticed.
///
/// Invariants
/// 1. Its scope and its clocks are its own: a stall in one attempt cannot touch the next.
/// 2. Stall limits count from `enter` and while `waiting`. Until the first of them is called the attempt as a whole
///    has one limit, `Policy::attempt`, so an awaitable that does not use this class is limited too.
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
  /// What the request must be mended for before it is sent: the reasons of this member's earlier failures that can be
  /// mended.
  const ReasonSet& mends() const noexcept;
  /// Whether the request must be sent on a new connection, because a kept one was stale.
  bool wants_fresh_connection() const noexcept;
  /// Until the call's deadline, if it has one.
  std::optional<Clock::duration> remaining() const;
  const StallLimits& limits() const noexcept { return stall_->state().limits(); }
  Scope& scope() noexcept { return *scope_; }

  /// The attempt goes on to `phase`, whose limit counts from here.
  void enter(Phase phase);
  /// A connect, write or read is pending from now on. Call it before each.
  void waiting() { stall_->waiting(); }
  /// The pending operation brought bytes.
  void heard(std::uint64_t bytes) noexcept { stall_->heard(bytes); }
  /// The bytes held a heartbeat, which is not progress.
  void heartbeat();
  /// The bytes held content. The first progress closes the marks that Health has on the member.
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
  /// Whether another member may take over now. For callers that keep reading under their own StallTimer.
  Takeover takeover() const;
  /// What the attempt has cost so far, at least.
  void spent(std::uint64_t tokens) noexcept;

  // The functions below are called by FailoverCall alone.

  /// The attempt begins in this scope.
  void begin(Scope& scope);
  /// The attempt runs, and has not ended at once.
  void started();
  /// The attempt has answered.
  void succeeded();
  /// The attempt has failed with this. If a limit of its own has expired, that is reported instead.
  Decision failed(Failure failure);
  /// The refresh that was decided after the attempt had failed has failed too.
  Decision not_refreshed(const Failure& failure);
  /// The failure that an error code thrown by the attempt stands for.
  Failure failure_of(const error_code& thrown) const;
  /// The same for what Asio's `||` and `&&` throw: the first exception counts. Nothing if that one is a bug.
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
