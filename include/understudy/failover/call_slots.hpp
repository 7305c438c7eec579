/// Limits how many calls use a credential at the same time, for plans that allow only a few. Further calls wait for their
/// turn, and move on to another member when they have waited for too long.
///
/// Invariants
/// 1. Without a limit nothing is counted and nothing waits.
/// 2. Calls that wait for the same credential get it in the order in which they came.
/// 3. A slot is held until it is destroyed: by a streamed answer until it has ended.
/// 4. Bounded: at most `CallLimit::queued` calls wait for a credential; others get no slot at once.
/// 5. Threads: any. A waiter is woken by a post to its own executor, which must not run two handlers at once (a strand, or
///    a context with one thread).
///
///     slots->limit(CallLimit(3));
///     if (auto slot = co_await slots->wait(credential, Clock::now() + 30s)) {
///       co_await ask(credential);
///     }
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// How many calls may use one credential at the same time.
class CallLimit {
 public:
  explicit CallLimit(std::size_t at_the_same_time) noexcept : concurrent(at_the_same_time) {}

  CallLimit& with_queued(std::size_t calls) { return queued = calls, *this; }
  CallLimit& with_queue_time(Clock::duration longest) { return queue_time = longest, *this; }

  std::size_t concurrent;                                 ///< at least 1
  std::size_t queued = 100;                               ///< how many calls may wait for it
  Clock::duration queue_time = std::chrono::seconds(30);  ///< how long a call waits, at most
};

/// See the top of the file. Its slots keep it alive.
class UNDERSTUDY_API CallSlots : public std::enable_shared_from_this<CallSlots> {
 public:
  explicit CallSlots(std::size_t credentials) : queues_(credentials) {}
  CallSlots(const CallSlots&) = delete;
  CallSlots& operator=(const CallSlots&) = delete;

  /// The right to use a credential. Ends when destroyed, which lets the next call have it.
  class UNDERSTUDY_API Slot {
   public:
    Slot(Slot&& other) noexcept;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot();

   private:
    friend class CallSlots;
    Slot(std::shared_ptr<CallSlots> from, std::size_t of) noexcept;

    std::shared_ptr<CallSlots> slots_;
    std::size_t credential_;
  };

  /// How many calls have a slot of one credential, and how many wait for one.
  struct Load {
    std::size_t in_use = 0;
    std::size_t queued = 0;
  };

  /// Replaces the limit; calls that it allows stop waiting. Calls that began without a limit are not counted.
  void limit(const std::optional<CallLimit>& to);
  /// The limit; nothing if there is none.
  std::optional<CallLimit> limit() const;
  /// Whether there is a limit. One atomic load.
  bool limited() const noexcept { return limited_.load(std::memory_order_acquire); }

  /// Whether a call would have to wait for the credential.
  bool full(std::size_t credential) const;
  /// What uses the credential now. Calls that began without a limit are not counted.
  Load load(std::size_t credential) const;

  /// Completes with the credential's slot, at once if one is free; or with nothing if too many calls wait already, at
  /// `until`, or when the caller is cancelled. Requires a limit, else it completes with nothing.
  asio::awaitable<std::optional<Slot>> wait(std::size_t credential, Clock::time_point until);

 private:
  struct Waiter;
  class Turn;
  using Waiters = std::list<std::shared_ptr<Waiter>>;
  struct Queue {
    std::size_t in_use = 0;
    Waiters waiters;
  };

  Waiters grant(Queue& queue);
  void release(std::size_t credential) noexcept;

  mutable std::mutex mutex_;
  std::optional<CallLimit> limit_;
  std::atomic<bool> limited_{false};
  std::vector<Queue> queues_;
};

}  // namespace understudy
