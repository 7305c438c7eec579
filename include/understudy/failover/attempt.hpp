/// The argument of a callable for one attempt: the member to ask and the credential to send, and the functions that
/// note what is received, so that a stall is detected.
///
/// Invariants
/// 1. Each attempt has its own scope and clocks: a stall in one attempt cannot affect the next.
/// 2. Stall limits count from `enter` and while `waiting`. Until the first of them is called the attempt as a whole
///    has one limit, `Policy::attempt`, so an awaitable that does not use this class is limited too.
/// 3. Noting is cheap: one clock read per socket read, one store per event.
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
#include <span>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/quota.hpp"
#include "understudy/runtime/stall_timer.hpp"

namespace understudy {

namespace detail {
class Call;
class MemberRun;
}  // namespace detail

/// See the top of the file. Lives as long as the attempt. Threads: its executor.
class UNDERSTUDY_API Attempt {
 public:
  Attempt(detail::Call& call, detail::MemberRun& run);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  /// The member that is asked.
  const Member& member() const noexcept;
  /// The credential to send, or null if the member has none.
  const CredentialUse* credential() const noexcept;
  /// The reasons for which the request must be mended before it is sent: those of this member's earlier failures that
  /// can be mended.
  const ReasonSet& mends() const noexcept;
  /// The same for mends that a failure named (`Failure::with_mend`).
  const std::vector<std::string>& named_mends() const noexcept;
  /// Whether the request must be sent on a new connection, because a reused one was stale.
  bool wants_fresh_connection() const noexcept;
  /// The time until the call's deadline, if it has one.
  std::optional<Clock::duration> remaining() const;
  /// The limits that the attempt began with (detail/attempt_limits.hpp).
  const StallLimits& limits() const noexcept { return stall_->state().limits(); }
  /// The attempt's scope: what is spawned in it ends with the attempt.
  Scope& scope() noexcept { return *scope_; }

  /// The attempt enters `phase`, whose limit counts from now.
  void enter(Phase phase);
  /// A connect, write or read is pending from now on. Call it before each.
  void waiting() { stall_->waiting(); }
  /// The pending operation returned bytes.
  void heard(std::uint64_t bytes) noexcept { stall_->heard(bytes); }
  /// The bytes contained a heartbeat, which is not progress.
  void heartbeat();
  /// The bytes contained content. The first progress closes the marks that Health has on the member.
  void progressed() {
    if (!progressed_) {
      first_progress(Clock::now());
    }
    stall_->progressed();
  }
  /// No operation is pending.
  void paused() { stall_->paused(); }
  /// Sets a function that returns whether the pending operation could complete at once. It is called before an expiry
  /// that was detected late takes effect.
  void ready_by(std::function<bool()> ready) { ready_ = std::move(ready); }
  /// Whether another member may take over now. For callers that keep reading under their own StallTimer.
  Takeover takeover() const;
  /// Notes how many tokens the attempt has cost so far, at least.
  void spent(std::uint64_t tokens) noexcept;
  /// Notes how many parts of the answer could not be decoded so far, and whether its finish was inferred.
  void flawed(std::uint64_t undecodable, bool inferred_finish) noexcept;
  /// Whether the attempt should fail with `unsupported_request` rather than lose tools or messages: the policy says so,
  /// and another member may take over now.
  bool skips_losses() const;
  /// Whether a refusal to answer should be a failure, so that another member is asked: the policy says so, and one may
  /// take over now. Otherwise a refusal is an answer.
  bool moves_on_refused() const;
  /// Notes what the member does not get of the request.
  void lost(std::vector<RequestLoss> losses) noexcept;
  /// Notes the member's own id of the request, empty if it has none, and what a client is told of the headers of its
  /// answer.
  void answered_with(std::string request_id,
                     std::vector<std::pair<std::string, std::string>> headers) noexcept;
  /// Notes what the member states about the remaining quota of the credential; nothing if it states nothing.
  void allowed(std::span<const Allowance> allowances);
  /// Notes how many pieces of its reasoning the member gets back.
  void restored(std::size_t pieces) noexcept;
  /// Notes how many pieces of earlier reasoning the member reports not to have used.
  void ignored(std::size_t pieces) noexcept;

  // The functions below are called by FailoverCall alone.

  /// Begins the attempt in this scope.
  void begin(Scope& scope);
  /// The attempt is running, and did not end at once.
  void started();
  /// The attempt has answered.
  void succeeded();
  /// The attempt has failed with this. If a limit of its own has expired, that is reported instead.
  Decision failed(Failure failure);
  /// The refresh that was decided after the attempt had failed has failed too.
  Decision not_refreshed(const Failure& failure);
  /// The failure that an error code thrown by the attempt stands for.
  Failure failure_of(const error_code& thrown) const;
  /// The same for exceptions of Asio's `||` and `&&`: the first one counts. Nothing if that one is a bug.
  std::optional<Failure> failure_of(const asio::multiple_exceptions& thrown) const;
  /// The same for any other exception, by `Policy::error_reasons`. Nothing: it is a bug.
  std::optional<Failure> failure_of(const std::exception_ptr& thrown) const;

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
