/// A callback at a given time, which may be destroyed at any time, also from within the callback.
#pragma once

#include <memory>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// Invariants
/// 1. `fire(object, due)` is called on the executor, never before its time, and not after `clear()` or
///    the destructor, although Asio may hand out an expiry that was queued before (architecture.md 8.2).
/// 2. Only setting it allocates, and Asio recycles that memory.
class UNDERSTUDY_API Alarm {
 public:
  using Fire = void (*)(void* object, Clock::time_point due);

  Alarm(const asio::any_io_executor& executor, Fire fire, void* object)
      : timer_(executor), fire_(fire), object_(object) {}
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Calls back once at `due`, replacing any earlier setting. `time_point::max()` means never.
  void set(Clock::time_point due);
  void clear();

  /// The time of the next call, or max() if there is none.
  Clock::time_point due() const noexcept { return due_; }

 private:
  struct Block;
  template <class T>
  class BlockAllocator;
  struct Handler;

  void woke();

  Timer timer_;
  Fire fire_;
  void* object_;
  Clock::time_point due_ = Clock::time_point::max();
  std::shared_ptr<Block> block_;
};

}  // namespace understudy::detail
