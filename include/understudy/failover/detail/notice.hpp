/// Lets coroutines of any executor wait until something has changed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// Invariants
/// 1. Nothing is missed between a look and the wait: a wait for what has changed since that version
///    ends at once.
/// 2. Each waiter is woken by a post to its own executor; nothing of it is touched elsewhere.
class UNDERSTUDY_API Notice {
 public:
  Notice() = default;
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;

  std::uint64_t version() const;

  /// Something has changed. Any thread.
  void notify();

  /// Completes with true when something has changed since `seen`, or with false at `until`, or when the
  /// caller is cancelled.
  asio::awaitable<bool> wait(std::uint64_t seen, Clock::time_point until);

 private:
  struct Waiter;
  class Registration;

  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace understudy::detail
