/// What providers have stated about the remaining quota of their credentials, so that a member that is about to run out
/// is passed over before it refuses a request.
///
/// Invariants
/// 1. Only a provider's own statement counts, and the latest one about a credential replaces the earlier ones. It counts
///    until the quota is expected to be back, and for at most `longest_statement`: then the member is asked again, and
///    its answer contains a new statement.
/// 2. A low quota changes the order in which members are asked. It never excludes a member.
/// 3. Bounded: at most `most_keys` credentials with `most_allowances` statements each. Beyond that, statements are not
///    kept.
/// 4. Threads: any.
///
///     const std::array left{Allowance("5h", 0.01, 40min)};      // 1 % of a window that ends in 40 minutes
///     attempt.allowed(left);
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// One quota of a credential, as a provider states it with an answer.
class UNDERSTUDY_API Allowance {
 public:
  /// How a spent quota comes back.
  enum class Refill : unsigned char {
    at_once,    ///< all of it at the end of its window
    gradually,  ///< continuously; `resets` is the time until it is full
  };

  /// `share_left` is limited to [0, 1].
  Allowance(std::string window_name, double share_left, Clock::duration resets_in) noexcept;

  /// It comes back continuously.
  Allowance& gradual() { return refill = Refill::gradually, *this; }
  /// It concerns one model, and not all that the credential can ask.
  Allowance& for_model() { return of_model = true, *this; }

  /// The time until `reserve` of it is left; zero if it is.
  Clock::duration low_for(double reserve) const noexcept;

  std::string window;  ///< the provider's name for it: "5h", "primary", "requests"
  double left;         ///< the share that is left
  Clock::duration resets;
  Refill refill = Refill::at_once;
  bool of_model = false;  ///< it applies to one model, not to everything that uses the credential
};

/// See the top of the file. Keys are those of Health (`HealthKeys`).
class UNDERSTUDY_API Quotas {
 public:
  static constexpr Clock::duration longest_statement = std::chrono::minutes(30);
  static constexpr std::size_t most_keys = 10'000;
  static constexpr std::size_t most_allowances = 8;

  /// One statement, for status output and metrics.
  class Report {
   public:
    std::string key;
    std::string window;
    double left = 1;
    Clock::duration resets{};  ///< from now
    bool low = false;
  };

  /// The provider states the quota of the credential under this key. It is low where less than the share `reserve` is
  /// left.
  void note(const std::string& key, std::span<const Allowance> allowances, double reserve,
            Clock::time_point now);

  /// Whether the quota under one of the keys is low.
  bool low(std::span<const std::string> keys, Clock::time_point now) const;

  /// Whether no quota is low; false may also mean that this is not certain. One atomic load.
  bool all_ample(Clock::time_point now) const noexcept {
    return now.time_since_epoch().count() >= low_until_.load(std::memory_order_acquire);
  }

  /// What is known, by key. Statements whose window has ended are left out.
  std::vector<Report> reports(Clock::time_point now) const;

 private:
  struct Stated {
    std::vector<Allowance> allowances;
    Clock::time_point at{};
    Clock::time_point low_until{};
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Stated> stated_;
  Clock::time_point next_sweep_ = Clock::time_point::min();
  std::atomic<Clock::rep> low_until_{Clock::time_point::min().time_since_epoch().count()};
};

}  // namespace understudy
