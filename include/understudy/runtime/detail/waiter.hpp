/// One suspended coroutine, stored in place. (`any_completion_handler` would allocate, and takes over
/// the cancellation slot that the scope needs for itself.)
#pragma once

#include <boost/asio/post.hpp>
#include <cstddef>
#include <new>
#include <utility>

#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// Invariants
/// 1. Holds at most one completion handler with signature void().
/// 2. The handler is moved out before it is invoked or destroyed, because either may destroy the waiter.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { drop(); }

  template <class Handler>
  void emplace(Handler handler) {
    static_assert(sizeof(Handler) <= capacity && alignof(Handler) <= alignof(std::max_align_t));
    ::new (static_cast<void*>(storage_)) Handler(std::move(handler));
    act_ = [](Waiter& waiter, const asio::any_io_executor* post_to, bool invoke) {
      auto& stored = *std::launder(reinterpret_cast<Handler*>(waiter.storage_));
      Handler handler_out(std::move(stored));
      stored.~Handler();  // NOLINT(bugprone-use-after-move): only destroying it remains
      waiter.act_ = nullptr;
      if (post_to != nullptr) {
        asio::post(*post_to, std::move(handler_out));
      } else if (invoke) {
        std::move(handler_out)();
      }
    };
  }

  explicit operator bool() const noexcept { return act_ != nullptr; }

  /// Resumes the coroutine from within this call.
  void resume() { act_(*this, nullptr, true); }

  /// Resumes the coroutine from the executor's queue.
  void resume_by(const asio::any_io_executor& executor) { act_(*this, &executor, true); }

  /// Destroys the handler and with it the coroutine, which Asio unwinds through the executor.
  void drop() {
    if (act_ != nullptr) {
      act_(*this, nullptr, false);
    }
  }

 private:
  static constexpr std::size_t capacity = 64;

  alignas(std::max_align_t) std::byte storage_[capacity];
  void (*act_)(Waiter&, const asio::any_io_executor*, bool) = nullptr;
};

}  // namespace understudy::detail
