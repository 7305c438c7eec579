/// Runs coroutines for the benchmarks, each under the same conditions.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "harness.hpp"

namespace bench {

/// Runs a coroutine that may be cancelled, as every real one may: its slot is connected.
inline void drive(boost::asio::awaitable<void> coroutine) {
  boost::asio::io_context context(1);
  boost::asio::cancellation_signal signal;
  // A program has other timers, all due earlier than a stall limit. Without one, arming and cancelling
  // the limit would reprogram the kernel's timer each time, which flatters whoever arms less.
  boost::asio::steady_timer busy(context, std::chrono::seconds(30));
  busy.async_wait([](boost::system::error_code) {});
  boost::asio::co_spawn(
      context, std::move(coroutine),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) {
        busy.cancel();
        if (error) {
          std::rethrow_exception(error);
        }
      }));
  context.run();
}

template <class F>
Way way(std::string name, F once, std::uint64_t operations = 20'000) {
  return {std::move(name),
          [once](std::uint64_t n) {
            const auto loop = [](F f, std::uint64_t times) -> boost::asio::awaitable<void> {
              const auto executor = co_await boost::asio::this_coro::executor;
              for (std::uint64_t i = 0; i < times; ++i) {
                co_await f(executor);
              }
            };
            drive(loop(once, n));
          },
          operations,
          {}};
}

}  // namespace bench
