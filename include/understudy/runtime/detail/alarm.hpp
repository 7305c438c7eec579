/// A callback at a time, which may be destroyed at any moment, from within the callback too.
#pragma once

#include <memory>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// Invariants
/// 1. `fire(object, due)` is called on the executor, never before its time, and not after `clear()` or
///    the destructor, although Asio may hand out an expiry that was queued before (architecture.md 8.2).
/// 2. Setting it is the only thing that allocates, and that is recycled by Asio.
class UNDERSTUDY_API Alarm {
 public:
  using Fire = void (*)(void* object, Clock::time_point due);

  Alarm(const asio::any_io_executor& executor, Fire fire, void* object)
      : timer_(executor), fire_(fire), object_(object) {}
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Calls back once at `due`, in place of any earlier setting. `time_point::max()` means never.
  void set(Clock::time_point due);
  void clear();

  /// When it will call, or max() if it will not.
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
