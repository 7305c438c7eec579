/// Virtual time: while a VirtualTime exists, this thread's `Clock` and `Timer`s use it.
///
/// Time does not advance while any handler is ready; then it jumps to the next expiry. Kernel I/O and other threads are
/// invisible to it, so code that runs in virtual time must use in-memory streams.
///
/// Invariants
/// 1. Deterministic: timers fire in the order of their expiry, and timers with equal expiry in the order in which their
///    waits began; all timers of one instant fire before any of their handlers runs.
/// 2. Nothing sleeps: neither epoll nor a real timer determines when a handler runs.
/// 3. If nothing can ever wake the code, `run` throws `Stuck`, which names the live scopes and children.
///
///     VirtualTime time;
///     asio::io_context context;
///     auto answer = time.run(context, ask_with_a_limit_of_three_minutes());
///     CHECK(time.elapsed() == 180s);
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"
#include "understudy/runtime/detail/child.hpp"

namespace understudy::testing {

/// Thrown by VirtualTime::run when no event can wake the code that it runs.
class Stuck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// See the top of the file. At most one per thread at a time; contexts that use it must be destroyed before it.
class UNDERSTUDY_API VirtualTime final : private detail::TimeSource {
 public:
  /// Far longer than any limit of the library; a longer run is treated as an endless loop.
  static constexpr Clock::duration longest_run = std::chrono::hours(24 * 30);

  VirtualTime();
  ~VirtualTime();
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  /// The virtual time since construction.
  Clock::duration elapsed() const noexcept { return now_ - Clock::time_point{}; }

  /// The number of jumps so far, which tests can assert.
  std::uint64_t jumps() const noexcept { return jumps_; }

  /// Runs the context until it has no work left. Throws Stuck, and the exceptions of handlers.
  void run(asio::io_context& context);

  /// Runs everything that is due within `duration`, and advances time by exactly `duration`.
  void run_for(asio::io_context& context, Clock::duration duration);

  /// Runs a coroutine to its end, and returns its value or throws its exception. Other work of the context runs
  /// meanwhile, and stays pending when the coroutine ends. T must be default-constructible.
  template <class T>
  T run(asio::io_context& context, asio::awaitable<T> coroutine) {
    struct Outcome {
      bool settled = false;
      std::exception_ptr error;
      std::optional<detail::unvoid_t<T>> value;
    };
    const auto outcome = std::make_shared<Outcome>();  // outlives this function if it throws Stuck
    asio::co_spawn(context, std::move(coroutine),
                   [outcome](std::exception_ptr error, auto&&... result) {
                     outcome->settled = true;
                     outcome->error = std::move(error);
                     outcome->value.emplace(std::forward<decltype(result)>(result)...);
                   });
    run_until(context, [&] { return outcome->settled; });
    if (outcome->error) {
      std::rethrow_exception(outcome->error);
    }
    if constexpr (!std::is_void_v<T>) {
      return std::move(*outcome->value);
    }
  }

 private:
  struct Key {
    Clock::time_point expiry;
    std::uint64_t sequence;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  Clock::time_point now() const noexcept override { return now_; }
  void schedule(Clock::time_point expiry, std::weak_ptr<detail::VirtualWait> wait) override;
  void scope_entered(const void* scope) override { scopes_.push_back(scope); }
  void scope_left(const void* scope) noexcept override { std::erase(scopes_, scope); }

  template <class Done>
  void run_until(asio::io_context& context, Done done) {
    const auto start = now_;
    while (true) {
      poll(context);
      if (done()) {
        return;
      }
      if (!jump(std::min(longest_run, Clock::time_point::max() - start) + start)) {
        throw Stuck(why_stuck());
      }
    }
  }

  void poll(asio::io_context& context);
  /// Advances to the next expiry if it is not after `latest`, and fires all timers of that instant.
  bool jump(Clock::time_point latest);
  std::string why_stuck() const;

  Clock::time_point now_{};
  std::uint64_t jumps_ = 0;
  std::uint64_t sequence_ = 0;
  std::map<Key, std::weak_ptr<detail::VirtualWait>> waits_;
  std::vector<const void*> scopes_;
};

}  // namespace understudy::testing
