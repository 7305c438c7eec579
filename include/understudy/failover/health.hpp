/// Memory across calls: what has failed recently, and is in cooldown.
///
/// A failure marks what its reason concerns (`ReasonTraits::concern`): a credential, a credential for one model, an
/// endpoint, or a member. A marked item enters cooldown; after that, one call at a time may probe whether it works
/// again. Only evidence closes a mark, never the passage of time.
///
/// Invariants
/// 1. A cooldown lasts until the time that the provider named, of which at most `longest_cooldown` counts; else for a
///    time that grows with each failed probe (`cooldown`). Failures that began before the mark do not lengthen it: a
///    thousand calls that fail together have seen one failure. A named time is verified: where it is further away than
///    `named_probe_gap`, a probe is due that long after each failure, and a failed one does not lengthen the cooldown.
/// 2. At most one probe of a mark at a time, for any number of callers: an atomic lease. It ends when the probe
///    does, and expires if that never happens. If no member is healthy, a mark may be probed before its
///    cooldown is over, but not within `early_probe_gap` of its last failure.
/// 3. A mark that a call has set itself does not exclude the call's later members.
/// 4. A success closes the marks of what the attempt used, if it began after them or was their probe.
/// 5. A dead mark (a credential refused permanently) is never probed; it ends when the credential changes.
/// 6. Threads: any; the lock is held only briefly, never across a suspension.
///
/// `failover` (failover.hpp) uses this class; an application only reads it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/runtime/clock.hpp"
#include "understudy/runtime/notice.hpp"

namespace understudy {

/// The cooldown of a mark after this number of failed probes. Limits and billing: 60 s doubling to 4 h (hermes
/// #77607; 30 minutes at once were a thirtyfold regression for common 429s). Stalls: 15 s doubling to
/// 30 min. All others: 15 s, doubling to 5 min after five failed probes.
UNDERSTUDY_API Clock::duration cooldown(CooldownLadder ladder, unsigned failed_probes) noexcept;

/// A caller in a loop must not ask as fast as it fails while all members are down (hermes #24996 switched hundreds of
/// times a second).
inline constexpr Clock::duration early_probe_gap = std::chrono::seconds(1);

/// Only a dead mark stays in cooldown longer without a probe, regardless of what a provider requests.
inline constexpr Clock::duration longest_cooldown = std::chrono::hours(4);
inline constexpr Clock::duration named_probe_gap = std::chrono::minutes(5);

/// What one attempt uses, as the keys of its marks. Empty means none.
class HealthKeys {
 public:
  HealthKeys() {}
  /// The key of the mark for this concern; empty if there is none.
  const std::string& operator[](Concern concern) const { return keys_[index(concern)]; }
  /// As above, to be set.
  std::string& operator[](Concern concern) { return keys_[index(concern)]; }
  /// The keys of all concerns, the empty ones too.
  std::span<const std::string> all() const noexcept { return keys_; }

  /// Concern::credential of one by CredentialPool::key; where none is known, of the provider by its name.
  static std::string credential(const std::string& key) { return "credential " + key; }

 private:
  static std::size_t index(Concern concern) { return static_cast<std::size_t>(concern) - 1; }
  std::array<std::string, 4> keys_;
};

/// The identity of a call; a mark records the call that has set it.
enum class CallId : std::uint64_t {};

/// See the top of the file.
class UNDERSTUDY_API Health {
 public:
  /// What is known about one item.
  class UNDERSTUDY_API Outlook {
   public:
    /// The combined outlook of an item that depends on both: the worse state, and the later time of return.
    void add(const Outlook& other) noexcept;

    Standing standing = Standing::healthy;
    Clock::time_point until{};  ///< when a probe is due
    Clock::time_point
        early{};  ///< when a probe is allowed at the earliest, if no member is healthy
    Clock::time_point
        returns{};       ///< when it is expected to work again: the named time, else `until`
    bool named = false;  ///< the provider named a time that is in the future
    bool dead = false;
    bool probing = false;                             ///< another call's probe is under way
    FailoverReason reason = FailoverReason::unknown;  ///< of the mark that counts, if there is one
  };

  /// The permission to probe the leased marks. Ends when destroyed.
  class UNDERSTUDY_API Probe {
   public:
    Probe() noexcept {}
    Probe(Probe&& other) noexcept;
    Probe& operator=(Probe&& other) noexcept;
    ~Probe() { release(); }
    /// Whether any mark is leased.
    explicit operator bool() const noexcept { return id_ != 0; }
    /// Ends the lease without a result, so that another call may probe.
    void release() noexcept;

   private:
    friend class Health;
    Health* health_ = nullptr;
    std::uint64_t id_ = 0;
  };

  /// One mark, for status output and metrics.
  class MarkReport {
   public:
    std::string key;
    FailoverReason reason = FailoverReason::unknown;
    Clock::duration cooldown{};  ///< from now until a probe is due; zero if it is due
    Clock::duration named{};     ///< from now until the time that the provider named; zero if none
    unsigned failed_probes = 0;
    bool probing = false;
    bool dead = false;
  };

  /// The combined outlook of these keys. Marks that `call` itself has set do not count.
  Outlook look(std::span<const std::string> keys, CallId call, Clock::time_point now) const;

  /// Leases every mark among `keys` for `longest`, or nothing if one is dead, leased, or not due (if
  /// `early`: has failed a moment ago). Without any mark it also leases nothing.
  Probe probe(std::span<const std::string> keys, CallId call, Clock::time_point now,
              Clock::duration longest, bool early = false);

  /// The probe continues with another attempt; its lease lasts for `longest` from now.
  void renew(const Probe& probe, Clock::time_point now, Clock::duration longest);

  /// An attempt that began at `began` failed. Marks what the reason concerns, if anything.
  void failed(const HealthKeys& keys, FailoverReason reason,
              std::optional<Clock::duration> retry_after, CallId call, Clock::time_point began,
              Clock::time_point now, Probe& probe);

  /// A probe has lost its hedge without progress: it has failed, for an unknown reason.
  void probe_lost(Probe& probe, CallId call, Clock::time_point now);

  /// An attempt that began at `began` has made progress.
  void succeeded(const HealthKeys& keys, Clock::time_point began, Probe& probe);

  /// The credential with that key was replaced: removes its marks.
  void credential_changed(const std::string& key);

  /// Whether there is no mark. One atomic load, the fast path while everything is healthy.
  bool all_well() const noexcept { return marked_.load(std::memory_order_acquire) == 0; }

  /// All marks at this time.
  std::vector<MarkReport> marks(Clock::time_point now) const;

  /// Changes when a probe ends or a mark closes.
  Notice& notice() noexcept { return notice_; }

 private:
  struct Mark {
    bool open = false;  // a mark closed by evidence remains while its probe is in progress
    FailoverReason reason = FailoverReason::unknown;
    CallId call{};
    Clock::time_point set_at{};
    Clock::time_point failed_at{};  // the last failure, by the call that marked or probed it
    Clock::time_point until{};      // when a probe is due
    Clock::time_point named_until = Clock::time_point::min();  // the time that the provider named
    bool dead = false;
    unsigned failed_probes = 0;
    std::uint64_t lease = 0;
    bool leased_early = false;
    Clock::time_point lease_until{};

    Clock::time_point early() const noexcept {
      return std::min(until, failed_at + early_probe_gap);
    }
    bool leased(Clock::time_point now) const noexcept { return lease != 0 && now < lease_until; }
    bool named(Clock::time_point now) const noexcept { return now < named_until; }
    Outlook outlook(Clock::time_point now) const noexcept;

    /// Resets the mark, except for a probe in progress.
    Mark reopened() const {
      Mark mark;
      mark.open = true;
      mark.lease = lease;
      mark.lease_until = lease_until;
      mark.leased_early = true;
      return mark;
    }
  };
  using Marks = std::unordered_map<std::string, Mark>;

  void fail_probe(std::uint64_t lease, CallId call, Clock::time_point now);
  void release(std::uint64_t lease);
  void end_lease(std::uint64_t lease);
  void sweep();

  mutable std::mutex mutex_;
  Marks marks_;
  std::atomic<std::size_t> marked_{0};
  std::uint64_t last_lease_ = 0;
  Notice notice_;
};

}  // namespace understudy
