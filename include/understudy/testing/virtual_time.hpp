/// Virtual time: while one exists, this thread's `Clock` and `Timer`s run on it.
///
/// Time stands still while there is anything to do, and then jumps to the next expiry. Kernel I/O and
/// other threads are invisible to it, so whatever runs under it uses in-memory streams.
///
/// Invariants
/// 1. Deterministic: timers fire in the order of their expiry, equal ones in the order in which their
///    waits began; all that share an instant are fired before any of their handlers runs.
/// 2. Nothing sleeps: neither epoll nor a real timer ever decides when something happens.
/// 3. What can never wake is said, not waited for: `Stuck` names the scopes and children alive.
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

/// Thrown by VirtualTime::run when nothing can ever wake what it runs.
class Stuck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// See the top of the file. One for a thread at a time; contexts that use it end before it.
class UNDERSTUDY_API VirtualTime final : private detail::TimeSource {
 public:
  /// Far longer than any limit of the library; what runs longer is taken for an endless loop.
  static constexpr Clock::duration longest_run = std::chrono::hours(24 * 30);

  VirtualTime();
  ~VirtualTime();
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  /// How long it has been running, in its own time.
  Clock::duration elapsed() const noexcept { return now_ - Clock::time_point{}; }

  /// How often time has jumped: a step count that tests can assert.
  std::uint64_t jumps() const noexcept { return jumps_; }

  /// Runs the context until it has nothing left to do. Throws Stuck, and what handlers throw.
  void run(asio::io_context& context);

  /// Runs everything that is due within `duration`; then exactly that much time has passed.
  void run_for(asio::io_context& context, Clock::duration duration);

  /// Runs a coroutine to its end and returns what it returns or throws what it throws. Other work of
  /// the context runs along, and stays where it is then. T must be default-constructible.
  template <class T>
  T run(asio::io_context& context, asio::awaitable<T> coroutine) {
    struct Outcome {
      bool settled = false;
      std::exception_ptr error;
      std::optional<detail::unvoid_t<T>> value;
    };
    const auto outcome = std::make_shared<Outcome>();  // outlives us if we get stuck
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
  /// Goes to the next expiry if it is not after `latest`, and fires all timers of that instant.
  bool jump(Clock::time_point latest);
  std::string why_stuck() const;

  Clock::time_point now_{};
  std::uint64_t jumps_ = 0;
  std::uint64_t sequence_ = 0;
  std::map<Key, std::weak_ptr<detail::VirtualWait>> waits_;
  std::vector<const void*> scopes_;
};

}  // namespace understudy::testing
