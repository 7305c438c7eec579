/// Which members a call may ask again: to resume an answer of which a part was delivered, or to wait out an outage.
///
/// Invariants
/// 1. Before the first token no member is asked again, unless `Policy::wait_out` is set (failover.md 4.3).
/// 2. A member may be asked again if its failure left a mark that time can close. A refusal of this very request is
///    final for the call.
/// 3. The member whose answer broke may be asked once more after each break: at once if the connection was cut, or if
///    the answer could not be decoded; after all others if it stalled, or said that it has failed.
/// 4. After the first break, a call makes at most 2 attempts a member, and 2 more.
/// 5. The intervals between attempts that wait out an outage double.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <optional>

#include "understudy/export.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// See the top of the file. One executor.
class UNDERSTUDY_API SecondRound {
 public:
  explicit SecondRound(std::size_t members) : members_(members), states_(members, State::fresh) {}

  /// The call asks this member.
  void asked(std::size_t member, Clock::time_point now);
  /// The member has failed, and Health has marked it for this reason.
  void marked(std::size_t member, FailoverReason reason) noexcept;
  /// The answer of this member broke after a part of it was delivered. `attempts`: of the whole call so far.
  void broke(std::size_t member, FailoverReason reason, std::size_t attempts) noexcept;

  bool fresh(std::size_t member) const noexcept { return states_[member] == State::fresh; }
  bool may_return(std::size_t member) const noexcept { return states_[member] == State::marked; }
  /// Whether the call looks for a member that resumes its answer, or has found one.
  bool resuming() const noexcept { return attempts_before_.has_value(); }
  /// Whether the call may make another attempt, of which it has made so many.
  bool attempts_left(std::size_t attempts) const noexcept;
  /// The member whose answer broke, if it has not been asked since.
  std::optional<std::size_t> itself() const noexcept { return itself_; }
  bool itself_at_once() const noexcept { return itself_ && at_once_; }
  /// When a member in cooldown may be asked again at the earliest, and when one whose mark another call has closed.
  Clock::time_point next_return() const noexcept { return next_return_; }
  Clock::time_point next_well() const noexcept { return next_well_; }

 private:
  enum class State : unsigned char { fresh, asked, marked };

  std::size_t members_;
  boost::container::small_vector<State, 16> states_;
  std::optional<std::size_t> attempts_before_;  // the first break
  std::optional<std::size_t> itself_;
  bool at_once_ = false;
  Clock::duration gap_{};
  Clock::time_point next_return_{};
  Clock::time_point next_well_{};
};

}  // namespace understudy::detail
