/// Lets coroutines on any executor wait for a change.
///
/// Invariants
/// 1. No change is missed between a check and the wait: a wait for a change since a version that is no longer current
///    ends at once.
/// 2. Each waiter is woken by a post to its own executor; its coroutine is never accessed from another thread.
///
///     auto seen = notice.version();
///     while (!found()) {                               // checks a condition that another thread may change
///       if (!co_await notice.wait(seen, Clock::now() + 30s)) {
///         break;                                       // no change in 30 s
///       }
///       seen = notice.version();
///     }
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// See the top of the file. Threads: any. Must outlive its waiters.
class UNDERSTUDY_API Notice {
 public:
  Notice() = default;
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;

  /// Increases with each change.
  std::uint64_t version() const;

  /// Notes a change, and wakes all waiters.
  void notify();

  /// Completes with true when there was a change since the version `seen`, with false at `until` or when the
  /// caller is cancelled.
  asio::awaitable<bool> wait(std::uint64_t seen, Clock::time_point until);

 private:
  struct Waiter;
  class Registration;

  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace understudy
