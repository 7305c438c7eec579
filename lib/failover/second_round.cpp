#include "understudy/failover/detail/second_round.hpp"

#include "understudy/failover/health.hpp"

namespace understudy::detail {
namespace {

/// Whether what has failed for this reason may answer the same request later, although nothing is done about it. An
/// answer that could not be decoded is not an outage: the next one is likely to be the same.
bool passes(FailoverReason reason) noexcept {
  switch (traits(reason).treatment) {
    case Treatment::stall:
    case Treatment::connection:
    case Treatment::resend:
    case Treatment::limit:
    case Treatment::busy: return true;
    case Treatment::retry_once: return reason == FailoverReason::server_error;
    case Treatment::rotate:
    case Treatment::refresh:
    case Treatment::another_way:
    case Treatment::fail_over:
    case Treatment::larger_window:
    case Treatment::mend:
    case Treatment::content_policy:
    case Treatment::return_to_caller: return false;
  }
  return false;
}

/// Whether an answer that broke for this reason says nothing against asking the same member at once.
bool cut(FailoverReason reason) noexcept {
  const auto treatment = traits(reason).treatment;
  return treatment == Treatment::connection || treatment == Treatment::resend ||
         reason == FailoverReason::malformed_response ||
         reason == FailoverReason::incomplete_response;
}

}  // namespace

void SecondRound::asked(std::size_t member, Clock::time_point now) {
  if (may_return(member)) {
    gap_ = gap_ == Clock::duration::zero() ? 2 * early_probe_gap : 2 * gap_;
    next_return_ = now + gap_;
    next_well_ = now + early_probe_gap;
  }
  states_[member] = State::asked;
  if (itself_ == member) {
    itself_.reset();
  }
}

void SecondRound::marked(std::size_t member, FailoverReason reason) noexcept {
  if (passes(reason)) {
    states_[member] = State::marked;
  }
}

void SecondRound::broke(std::size_t member, FailoverReason reason, std::size_t attempts) noexcept {
  attempts_before_ = attempts_before_.value_or(attempts);
  itself_ = member;
  at_once_ = cut(reason);
  gap_ = {};
  next_return_ = {};
  next_well_ = {};
}

bool SecondRound::attempts_left(std::size_t attempts) const noexcept {
  return !attempts_before_ || attempts - *attempts_before_ < 2 * members_ + 2;
}

}  // namespace understudy::detail
