/// Settlement: what a failure means for its call, for the member that failed, and for the calls to come.
///
/// Invariants
/// 1. Only `decide` (policy.hpp) decides what to do, from a Situation that is assembled here; except that a probe
///    is not retried while another member is left.
/// 2. Each failure is settled once: decided, then recorded in Health, the retry budget and the run.
/// 3. Health only records a failure that the call moves on from: a retry, a refresh and a mend leave no mark.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/detail/call_context.hpp"
#include "understudy/failover/detail/member_run.hpp"
#include "understudy/failover/detail/selection.hpp"
#include "understudy/failover/failure.hpp"

namespace understudy::detail {

/// The failure with a reason in place of a code that failover does not know. For what neither the caller nor a limit
/// of the call has stopped: if it was cancelled all the same, a time limit of the member's own side did that.
/// `deadline_passed`: the call's deadline has come, and stands for such a limit.
UNDERSTUDY_API Failure with_reason(const Failure& failure, const ErrorReasons& others,
                                   bool deadline_passed);

/// Whether no other member is to be asked after this, even if one is left.
UNDERSTUDY_API bool ends_call(const Policy& policy, const error_code& code) noexcept;

/// See the top of the file. One executor.
class UNDERSTUDY_API Settlement {
 public:
  Settlement(const CallContext& context, Selection& selection) noexcept
      : context_(context), selection_(selection) {}
  Settlement(const Settlement&) = delete;
  Settlement& operator=(const Settlement&) = delete;

  /// An attempt of the run, or an answer of it that was `delivered` in part, has failed after `took`.
  Decision failed(MemberRun& run, const Failure& failure, Clock::duration took,
                  bool delivered = false);
  /// The refresh that was decided has failed. No failure of an attempt.
  Decision not_refreshed(MemberRun& run, const Failure& failure);

  /// The run's member was not asked: its credentials stayed in use. No failure of an attempt.
  Failure no_slot(const MemberRun& run);

  /// Refreshes the run's credential. Completes when the run has the new one. Errors: `auth` or `auth_permanent`,
  /// StopReason::deadline at the call's deadline.
  asio::awaitable<Result<void>> refresh(MemberRun& run);

  /// The failure of the whole call, with every attempt's in it.
  Failure failure(Clock::time_point now = Clock::now()) const;

 private:
  Decision settle(MemberRun& run, const Failure& failure, Clock::duration took, bool delivered);
  Situation situation(const MemberRun& run, const Failure& failure, Clock::duration took,
                      bool delivered) const;
  void mark(MemberRun& run, const Decision& decision, const Failure& failure, Clock::duration took);
  bool refuses_caller(const MemberRun& run, const error_code& code) const;
  void apply(MemberRun& run, const Decision& decision, const Failure& failure);
  Failure last_failure(Clock::time_point now) const;

  const CallContext& context_;
  Selection& selection_;
  std::vector<Failure> failures_;   // of attempts and answers, in order
  std::optional<Failure> no_slot_;  // the last member that was not asked for that
  std::optional<Failure> stopped_;  // the stop by which the local side ended the call
};

}  // namespace understudy::detail
