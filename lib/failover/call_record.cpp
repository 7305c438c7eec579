#include "understudy/failover/detail/call_record.hpp"

#include <algorithm>

namespace understudy::detail {

std::size_t CallRecord::attempt_began(AttemptReport attempt) {
  const auto& report = report_.attempts.emplace_back(std::move(attempt));
  context_.notify([&](Observer& o) { o.attempt_began(report); });
  return report_.attempts.size() - 1;
}

void CallRecord::skipped(std::size_t member, Eligibility because, const Health::Outlook& outlook) {
  const Member& one = context_.chain[member];
  const auto same = [&](const SkippedMember& s) { return s.member.same_as(one); };
  if (std::none_of(report_.skipped.begin(), report_.skipped.end(), same)) {
    report_.skipped.emplace_back(
        one, because,
        because == Eligibility::cooling ? std::optional(outlook.reason) : std::nullopt);
  }
}

CallReport CallRecord::finish(const error_code& code) {
  const auto ended = answered_at_.value_or(code ? Clock::now() : context_.began);
  report_.took = ended - context_.began;
  report_.code = code;
  context_.notify([&](Observer& o) { o.call_ended(report_); });
  return std::move(report_);
}

}  // namespace understudy::detail
