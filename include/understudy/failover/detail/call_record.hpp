/// The record of one call so far: its report, whose events are passed to the observer.
#pragma once

#include <optional>

#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/detail/call_context.hpp"
#include "understudy/failover/health.hpp"

namespace understudy::detail {

/// See the top of the file. One executor.
class UNDERSTUDY_API CallRecord {
 public:
  explicit CallRecord(const CallContext& context) : context_(context) {
    report_.session = context.options.session;
    report_.session_why = context.options.session_why;
  }
  CallRecord(const CallRecord&) = delete;
  CallRecord& operator=(const CallRecord&) = delete;

  /// Adds an attempt, and returns its index.
  std::size_t attempt_began(AttemptReport attempt);
  AttemptReport& attempt(std::size_t index) noexcept { return report_.attempts[index]; }
  bool attempted() const noexcept { return !report_.attempts.empty(); }

  /// A member was passed over. Only the first time is kept.
  void skipped(std::size_t member, Eligibility because, const Health::Outlook& outlook);

  /// The call has its answer, or the answer has ended.
  void answered(Clock::time_point now) noexcept { answered_at_ = now; }
  void answer_lost() noexcept { answered_at_.reset(); }
  bool has_answer() const noexcept { return answered_at_.has_value(); }

  const CallReport& report() const noexcept { return report_; }
  /// The call has ended with this code, zero for success. Called once; the record is empty afterwards.
  CallReport finish(const error_code& code);

 private:
  const CallContext& context_;
  CallReport report_;
  std::optional<Clock::time_point> answered_at_;
};

}  // namespace understudy::detail
