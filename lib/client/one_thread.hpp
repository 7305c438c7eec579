/// Notices that two threads use one object at the same time.
///
/// Invariants
/// 1. A second OneThread on the same flag ends the process, with a message that says what to do instead.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace understudy::detail {

/// A stretch of a call without a suspension: two of them at the same time are a Client on two threads, which would be
/// damaged silently.
class OneThread {
 public:
  explicit OneThread(std::atomic<bool>& busy) noexcept : busy_(busy) {
    if (busy_.exchange(true, std::memory_order_acq_rel)) {
      std::fputs(
          "understudy: a Client is used by two threads at the same time. Give each io_context its "
          "own, or use SharedClient (client/shared_client.hpp)\n",
          stderr);
      std::abort();
    }
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { busy_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool>& busy_;
};

}  // namespace understudy::detail
