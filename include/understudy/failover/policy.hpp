/// Decides what to do after a failure: the central decision of the library, as a pure function.
///
/// Invariants
/// 1. Pure: equal situations give equal decisions. It uses no clock, no lock and no randomness.
/// 2. A stop is never retried and never fails over. Nor is a LocalFault: every other member would fail for the same
///    lack of local resources.
/// 3. Each reason has one treatment (reason.hpp), each treatment one rule in `decide`, and each decision a
///    sentence that explains it.
/// 4. A retry of the same request to the same member draws on the retry budget, regardless of the reason. A retry with
///    another credential, rotated or refreshed, does not: it is bounded by the number of credentials. (Otherwise a
///    token that expires during a thousand calls would make most of them fail.)
///    An empty budget alone never fails a call for a stale connection: if no other member is left, the request is sent
///    again anyway. That is bounded without a budget, since each stale connection has carried a complete answer before;
///    in an outage there are none.
/// 5. Only `eligible` determines which member could be next. All code that selects a member calls it.
///
///     Situation now(FailoverReason::timeout);
///     now.member_left = true;
///     const auto decision = decide(Policy(), now);
///     assert(decision.action == Action::fail_over);
///     assert(decision.why == "a stall fails over at once");
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/failover/backoff.hpp"
#include "understudy/failover/error_reasons.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/runtime/stall_limits.hpp"

namespace understudy {

/// Whether a request that a provider's content filter refuses ends the call, or the next member is asked.
enum class OnContentPolicy : unsigned char { stop, fail_over };

/// What happens if a member would not get all of the request.
enum class OnLoss : unsigned char {
  report,  ///< it is asked, and the report says what it did not get
  skip,    ///< it is passed over for the loss of tools or messages, while another member is left
};

/// The user's settings. Keys and defaults are those of the configuration (examples/understudy.toml).
class UNDERSTUDY_API Policy {
 public:
  Policy() noexcept;

  Policy& with_eager_on_timeout(bool on) { return eager_on_timeout = on, *this; }
  Policy& with_on_loss(OnLoss what) { return on_loss = what, *this; }
  Policy& with_on_content_policy(OnContentPolicy what) { return on_content_policy = what, *this; }
  Policy& with_max_retries(unsigned n) { return max_retries = n, *this; }
  Policy& with_patience(Clock::duration d) { return patience = d, *this; }
  Policy& with_wait_out(Clock::duration d) { return wait_out = d, *this; }
  Policy& with_deadline(Clock::duration d) { return deadline = d, *this; }
  Policy& with_min_attempt(Clock::duration d) { return min_attempt = d, *this; }
  Policy& with_attempt(Clock::duration d) { return attempt = d, *this; }
  Policy& with_hedge_after(Clock::duration d) { return hedge_after = d, *this; }
  Policy& with_probe_grace(Clock::duration d) { return probe_grace = d, *this; }
  Policy& with_backoff(const BackoffSettings& b) { return backoff = b, *this; }
  Policy& with_recover(ReasonSet reasons) { return recover = reasons, *this; }
  Policy& with_quota_reserve(double share) { return quota_reserve = share, *this; }
  /// What the errors of other libraries mean (error_reasons.hpp).
  Policy& with_error_reasons(ErrorReasons r) { return error_reasons = std::move(r), *this; }
  Policy& with_stall(const StallSettings& s) { return stall = s, *this; }
  /// Replaces the table's row for one reason.
  Policy& with_treatment(FailoverReason reason, Treatment treatment);

  /// How a reason is treated: the table's row, or what replaces it.
  Treatment treatment(FailoverReason reason) const noexcept;

  bool eager_on_timeout = true;  ///< false: a stall is retried as often as other failures
  OnContentPolicy on_content_policy = OnContentPolicy::stop;
  OnLoss on_loss = OnLoss::report;
  unsigned max_retries = 2;
  Clock::duration patience =
      std::chrono::seconds(3);  ///< how long a call waits while other members could answer
  /// How long a call waits when every member has failed for a cause that may pass. It then asks the one that returns
  /// first again, at growing intervals. None: `Client` does not wait; `understudy serve` waits for 30 s.
  std::optional<Clock::duration> wait_out;
  std::optional<Clock::duration> deadline;  ///< for the whole call
  /// An attempt is started only if this much of the deadline is left, or a quarter of the deadline where that is
  /// less. The first attempt of a call is started if any time is left.
  Clock::duration min_attempt = std::chrono::seconds(1);
  /// How long an attempt may take that calls neither `Attempt::enter` nor `Attempt::waiting`, such as a plain
  /// awaitable; the first such call lifts this limit. Its expiry is a `timeout`. Default: an explicit
  /// `first_progress` (the member's own before the policy's), else `whole_answer`, and at most the attempt's share of
  /// the deadline. Like all limits on progress it becomes `last_member` where no other member can take over.
  std::optional<Clock::duration> attempt;
  std::optional<Clock::duration> hedge_after;
  ErrorReasons error_reasons;
  Clock::duration probe_grace = std::chrono::seconds(2);  ///< how long a probe may delay its caller
  BackoffSettings backoff;
  ReasonSet recover{FailoverReason::rate_limit, FailoverReason::billing, FailoverReason::auth,
                    FailoverReason::auth_permanent};  ///< for which another credential may help
  /// A credential of whose quota less than this share is left, as the provider states it, is passed over while another
  /// one, or another member, is healthy. 0: never.
  double quota_reserve = 0.02;
  StallSettings stall;

 private:
  std::array<Treatment, reason_count> treatments_;
};

/// What follows a failure.
enum class Action : unsigned char {
  retry,             ///< the same request, the same member, after a wait
  rotate,            ///< the same member with another credential
  refresh,           ///< the same member after its credential was refreshed
  mend,              ///< the same member with a mended request
  fail_over,         ///< the next eligible member
  return_to_caller,  ///< no member could do better, or none is left
  stop,              ///< the local side stopped the call
};

/// The name of the action, as in reports.
UNDERSTUDY_API std::string_view to_string(Action action) noexcept;

/// A decision, and the sentence that explains it.
class Decision {
 public:
  constexpr Decision(Action a, std::string_view sentence, Clock::duration wait = {}) noexcept
      : action(a), after(wait), why(sentence) {}

  Action action;
  Clock::duration after;  ///< for retry: the wait before it
  std::string_view why;   ///< has static lifetime
};

/// Everything that a decision depends on.
class Situation {
 public:
  explicit Situation(const error_code& what) noexcept : code(what) {}

  error_code code;                             ///< of the failure
  bool expired = false;                        ///< the failure is the expiry of a local limit
  bool share_spent = false;                    ///< of the limit that is a share of the deadline
  bool delivered = false;                      ///< the caller has received part of the answer
  bool mendable = false;                       ///< the request can be mended for this reason
  bool mended = false;                         ///< it was already mended for this reason or name
  bool named_mend = false;                     ///< the failure names what is to be mended
  unsigned named_mends = 0;                    ///< of this request for this member, in this call
  Clock::duration took{};                      ///< how long the attempt lasted
  std::optional<Clock::duration> retry_after;  ///< the wait that the provider asks for

  unsigned retries = 0;      ///< of the same request to this member, in this call
  bool resent = false;       ///< the same for a stale connection, not counted in `retries`
  bool waited = false;       ///< for a rate limit of this member, in this call
  bool can_rotate = false;   ///< the member has another credential that is available
  bool can_refresh = false;  ///< the credential can be refreshed, and was not in this call
  bool callers_credential =
      false;  ///< the credential is the caller's own (CredentialPool::of_caller)
  bool member_left =
      false;           ///< another member is eligible; for an answer that broke: any may resume it
  bool budget = true;  ///< the retry budget is not empty
  std::optional<Clock::duration> remaining;  ///< until the call's deadline
  double jitter = 0.5;                       ///< in [0, 1)
};

/// The most mends by name for a member in one call. They leave the retry budget alone: the provider has done no work.
inline constexpr unsigned most_named_mends = 4;

/// The longest wait within a call, regardless of what the provider asks for (Anthropic's buckets refill in
/// up to 171 s, hermes #26293).
inline constexpr Clock::duration longest_wait = std::chrono::seconds(600);

/// See the top of the file, and the table of failover.md 1.2, of which each row is a case here.
UNDERSTUDY_API Decision decide(const Policy& policy, const Situation& situation) noexcept;

/// The state of a member according to Health (health.hpp).
enum class Standing : unsigned char {
  healthy,
  probe_due,  ///< it has failed, its cooldown is over, and no call probes it now
  cooling,    ///< it has failed, and is in cooldown or is being probed
};

/// A member as `eligible` sees it.
class Candidate {
 public:
  bool tried = false;  ///< in this call
  Standing standing = Standing::healthy;
  std::optional<std::uint64_t> context_window;
};

/// The call as `eligible` sees it.
class Need {
 public:
  std::uint64_t prompt_tokens = 0;  ///< 0: not known
  std::uint64_t window_above = 0;   ///< the largest window that has proved too small
  std::optional<Clock::duration> remaining;
  Clock::duration min_attempt{};
};

/// Whether a member may be asked, or why not.
enum class Eligibility : unsigned char {
  yes,
  tried,
  cooling,
  window_too_small,
  no_time,
  low_quota,  ///< eligible, but another member was asked first (Quotas)
  in_use,  ///< eligible, but its credentials stayed in use for as long as the call waited (CredentialLimit)
};

/// The name of it, as in reports.
UNDERSTUDY_API std::string_view to_string(Eligibility eligibility) noexcept;

/// Whether a member may be next: also `yes` for a member that is due for a probe.
UNDERSTUDY_API Eligibility eligible(const Candidate& candidate, const Need& need) noexcept;

}  // namespace understudy
