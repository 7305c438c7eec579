/// Selection: which member of the chain a call asks next, and what could still be asked.
///
/// Invariants
/// 1. Only `eligible` (policy.hpp) decides whether a member could be next.
/// 2. No member is chosen twice in a call, also not under another name, unless a second round allows it
///    (second_round.hpp).
/// 3. A healthy member goes first, in the chain's order, and one that is due for a probe at its place in it; members
///    whose quota is low go last. If no member is healthy, the one that returns first is probed early, or awaited as
///    long as `Policy::patience` or `wait_out` lasts.
/// 4. An answer of which a part was delivered is resumed by healthy members first, then by its own if it was cut off,
///    then by members in cooldown as probes, and last by its own if it stalled.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/detail/call_context.hpp"
#include "understudy/failover/detail/call_record.hpp"
#include "understudy/failover/detail/member_run.hpp"
#include "understudy/failover/detail/prospect.hpp"
#include "understudy/failover/detail/second_round.hpp"
#include "understudy/runtime/stall_state.hpp"

namespace understudy::detail {

/// What comes next: ask a member, alone or with a hedge; or wait; or, with neither `run` nor `wait_until`, nothing.
class Choice {
 public:
  std::optional<MemberRun> run;
  std::optional<Clock::duration> hedge_after;
  std::optional<Clock::time_point> wait_until;
  std::uint64_t seen = 0;  // the version of Health's notice, for the wait
};

/// See the top of the file. One executor.
class UNDERSTUDY_API Selection {
 public:
  Selection(const CallContext& context, CallRecord& record);
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;

  /// The next member for this leg, which counts as tried from now on.
  Choice choose(Leg leg, Clock::time_point now = Clock::now());
  /// Completes when the choice's wait is over: health has changed, or its time has come.
  asio::awaitable<void> wait(const Choice& choice) const;

  /// Whether the run has to get a slot (`admit`) before its next attempt: its credential is limited.
  bool must_queue(const MemberRun& run) const noexcept;
  /// Gets the run a slot of its credential. Completes with true when it has one; with false if it got none for as long
  /// as the limit lets a call wait, or as is left of the deadline, or if the caller has stopped the call.
  asio::awaitable<bool> admit(MemberRun& run);

  /// No member is chosen from now on, even if some are left.
  void end() noexcept { ended_ = true; }
  bool ended() const noexcept { return ended_; }
  /// A window of this number of tokens has proved too small.
  void require_window_above(std::uint64_t tokens) noexcept;
  /// The member has failed, and Health has marked it.
  void marked(std::size_t member, FailoverReason reason) noexcept {
    second_round_.marked(member, reason);
  }
  /// The answer of this member broke after a part of it was delivered: from now on the call looks for a member that
  /// resumes it.
  void resume_after(std::size_t member, FailoverReason reason) noexcept;
  bool resuming() const noexcept { return second_round_.resuming(); }
  /// Whether the bound on attempts allows another one.
  bool attempts_left() const noexcept;

  /// Whether another member may answer in place of the run's: one that may still be chosen, or the one that the
  /// other leg of its hedge asks. For an answer that is to be resumed, also the run's own, and one that may return.
  bool member_left(const MemberRun& run, Clock::time_point now) const;
  /// The answer to a stall: whether another member or another credential may take over from the run, and if not,
  /// when the first cooldown ends.
  Takeover takeover(const MemberRun& run, Clock::time_point now) const;
  /// The outlook of the member that returns first, as any other call sees it.
  Health::Outlook returns_first(Clock::time_point now) const;

  /// How much of the deadline must be left for another attempt. A quarter of the deadline at most, so that
  /// `min_attempt` does not leave a call whose deadline is not much longer, or shorter, with its first attempt alone.
  Clock::duration least_time() const;
  /// The limits of an attempt at this member that begins now.
  StallLimits limits(std::size_t member, Clock::time_point now) const;
  /// Leases the marks of the run's member and credential, replacing its earlier lease.
  void lease_probe(MemberRun& run, Clock::time_point now) const;
  /// The run's probe continues with another attempt.
  void renew_probe(const MemberRun& run, Clock::time_point now) const;

 private:
  /// A member in cooldown.
  class Cooling {
   public:
    Cooling(std::size_t i, const Prospect& p, CallId v, Clock::time_point when)
        : member(i), prospect(p), viewer(v), not_before(when) {}

    std::size_t member;
    Prospect prospect;
    CallId viewer;
    Clock::time_point not_before;  // of a probe
  };

  Need need(Clock::time_point now) const;
  Prospect prospect(std::size_t member, Clock::time_point now) const;
  CallId viewer(std::size_t member) const noexcept;
  bool asks_again(std::size_t member) const noexcept;
  bool suits(const Prospect& prospect, Clock::time_point now) const;
  bool may_follow(std::size_t member, Clock::time_point now) const;
  bool any_left(Clock::time_point now) const;
  std::size_t count_left(Clock::time_point now) const;
  Health::Probe probe(const Cooling& one, Clock::time_point now, bool early) const;
  Choice ask(std::size_t member, const Prospect& prospect, Health::Probe probe, Leg leg,
             Clock::time_point now);
  Choice ask_itself(Clock::time_point now);
  std::optional<Choice> ask_fresh(std::vector<Cooling>& cooling, Leg leg, Clock::time_point now);
  std::optional<Choice> ask_again(std::vector<Cooling>& cooling, Clock::time_point now);
  Choice probe_early_or_wait(std::vector<Cooling> cooling, Leg leg, Clock::time_point now);
  Clock::time_point wait_ends(Clock::time_point now);
  std::optional<Clock::duration> hedge_after(const MemberRun& run, const Prospect& prospect,
                                             Clock::time_point now) const;

  const CallContext& context_;
  CallRecord& record_;
  SecondRound second_round_;
  std::optional<std::size_t> last_member_;
  std::optional<Clock::time_point> waits_since_;
  std::uint64_t window_above_ = 0;
  bool second_leg_ = false;
  bool ended_ = false;
};

}  // namespace understudy::detail
