/// One call of `failover`: what it has tried, and what it does next. Everything but the awaiting.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <source_location>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/observer.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/runtime/stall_state.hpp"

namespace understudy {

/// What a caller may say about one call.
class CallOptions {
 public:
  CallOptions() noexcept {}

  /// The size of the prompt, for limits and windows. An estimate is fine: characters / 4.
  CallOptions& with_prompt(std::uint64_t tokens) { return prompt_tokens = tokens, *this; }
  /// Is told what happens; must outlive the call.
  CallOptions& with_observer(Observer& o) { return observer = &o, *this; }
  /// Attempts run inside this scope and report its cause when the cancel came from there.
  CallOptions& with_parent(Scope& scope) { return parent = &scope, *this; }

  std::uint64_t prompt_tokens = 0;
  Observer* observer = nullptr;
  Scope* parent = nullptr;
};

namespace detail {

/// Which part of a call asks: the whole, or the second leg of a hedge.
enum class Leg : unsigned char { only, second };

/// A member being asked, over all its attempts.
class MemberRun {
 public:
  MemberRun(std::size_t i, MemberRecord& r, Leg l, Clock::time_point now)
      : member(i), record(&r), leg(l), chosen_at(now) {}

  std::size_t member;  // its place in the chain
  MemberRecord* record;
  Leg leg;
  std::optional<Clock::time_point> chosen_at;  // for the first attempt, which begins at once
  Health::Probe probe;
  std::optional<CredentialUse> credential;
  std::vector<std::size_t> credentials_tried;
  unsigned retries = 0;
  bool waited = false;
  bool refreshed = false;
  bool resent = false;  // for a stale connection
  ReasonSet mended;
};

/// What comes next: ask a member (hedged or not), wait, or nothing.
class Choice {
 public:
  std::optional<MemberRun> run;
  std::optional<Clock::duration> hedge_after;
  std::optional<Clock::time_point> wait_until;
  std::uint64_t seen = 0;  // Health's notice, for the wait
};

/// See the top of the file. One executor.
class UNDERSTUDY_API Call {
 public:
  Call(const Chain& chain, const Policy& policy, State& state, const CallOptions& options,
       std::source_location site);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Choice choose(Leg leg, Clock::time_point now = Clock::now());
  Clock::time_point began() const noexcept { return began_; }
  asio::awaitable<void> wait(const Choice& choice);
  asio::awaitable<Result<void>> refresh(MemberRun& run);

  /// What to do about a failure of `run` after `took`; notes it in health, budget and run. `delivered`: the
  /// caller has got some of the answer.
  Decision settle(MemberRun& run, const Failure& failure, Clock::duration took,
                  bool delivered = false);

  /// The answer broke off after its attempt had ended well. Notes it in health and report, as an attempt's
  /// failure is, and says what to do: fail over, return or stop.
  Decision answer_broke(const Failure& failure);
  /// May another member take over from the one whose answer it is?
  Takeover answer_takeover() const { return takeover(*answer_); }
  /// It has been read to its end.
  void answer_ended();
  /// What the answer has cost so far at least.
  void answer_spent(std::uint64_t tokens) noexcept;

  /// The call's failure, with every attempt's in it.
  Failure failure() const;
  CallReport finish(const error_code& code);
  const CallReport& report() const noexcept { return report_; }

  Scope* parent() const noexcept { return options_.parent; }
  /// Why what nobody waits for any more was given up.
  Cause given_up() const;
  const std::source_location& site() const noexcept { return site_; }

 private:
  friend class understudy::Attempt;

  /// What is known of a member before it is asked.
  struct Prospect {
    Candidate candidate;
    Health::Outlook outlook;
    std::optional<std::size_t> credential;
    bool whole_member = false;  // it is the member or its endpoint that is due for a probe
  };

  Prospect prospect(std::size_t member, CallId viewer, Clock::time_point now) const;
  Health::Outlook returns_first(Clock::time_point now) const;
  bool fails_anywhere(const error_code& code) const;
  Need need(Clock::time_point now) const;
  Clock::time_point deadline() const;
  Clock::duration least_time() const;
  std::optional<Clock::duration> remaining(Clock::time_point now) const;
  bool may_follow(std::size_t member, Clock::time_point now) const;
  bool member_left(Clock::time_point now) const;
  std::size_t members_left(Clock::time_point now) const;
  Choice start(std::size_t member, const Prospect& prospect, Health::Probe probe, Leg leg,
               Clock::time_point now);
  Choice rest(std::vector<std::pair<std::size_t, Prospect>> resting, Leg leg,
              Clock::time_point now);
  void skip(std::size_t member, Eligibility because, const Health::Outlook& outlook);
  HealthKeys keys(std::size_t member, std::optional<std::size_t> credential) const;
  HealthKeys keys(const MemberRun& run) const;
  std::optional<std::size_t> next_credential(const MemberRun& run, Clock::time_point now) const;
  void look_after(MemberRun& run);
  Failure as_reason(const Failure& failure) const;
  void book(MemberRun& run, const Decision& decision, const Failure& failure, Clock::duration took);
  void apply(MemberRun& run, const Decision& decision, const Failure& failure);

  StallLimits limits(std::size_t place, Clock::time_point now) const;
  Takeover takeover(const MemberRun& run) const;
  std::size_t attempt_began(const MemberRun& run, Clock::time_point now);
  void answered(MemberRun& run, Clock::time_point began, Clock::time_point now);
  void unwound(MemberRun& run);

  template <class Notify>
  void tell(Notify notify) const noexcept;

  const Chain& chain_;
  const Policy& policy_;
  State& state_;
  CallOptions options_;
  std::source_location site_;
  CallId id_;
  Clock::time_point began_;
  boost::container::small_vector<char, 16> tried_;
  std::vector<Failure> failures_;
  CallReport report_;
  std::uint64_t window_above_ = 0;
  std::optional<Clock::time_point> patience_ends_;
  std::optional<std::size_t> last_member_;
  std::optional<Clock::time_point> answered_at_;
  std::optional<MemberRun> answer_;  // whose answer it is
  std::size_t answer_attempt_ = 0;
  Clock::time_point answer_began_;
  std::optional<Failure> stopped_;
  bool over_ = false;  // a failure has ended the call, members left or not
  bool second_leg_ = false;
};

}  // namespace detail
}  // namespace understudy
