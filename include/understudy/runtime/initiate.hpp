/// Starts a coroutine for any completion token of Asio: a callback, `use_future`, `deferred`, `use_awaitable`, and what
/// other libraries add to them.
///
/// Invariants
/// 1. The handler is called exactly once, by its associated executor, never from within the initiating function; or it is
///    destroyed with the executor's context.
/// 2. The handler's cancellation slot reaches the coroutine, whenever and on whatever thread it is emitted: the request
///    is dispatched to the coroutine's executor. (Boost 1.81's `co_spawn` loses the handler if it is cancelled before
///    the coroutine has begun.)
/// 3. Both executors have work until the handler has been called.
///
///     std::future<int> level = initiate(executor, [&] { return measure(tank); }, asio::use_future);
///     initiate(executor, [&] { return measure(tank); },
///              [](std::exception_ptr error, int level) { if (!error) { std::cout << level; } });
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "understudy/runtime/clock.hpp"
#include "understudy/runtime/detail/child.hpp"

namespace understudy {

namespace detail {

/// How an operation's coroutine is cancelled.
///
/// Invariant: nothing is emitted before the coroutine has begun; an earlier request is emitted then.
class OperationStop {
 public:
  void request(asio::cancellation_type type) { begun_ ? signal_.emit(type) : void(early_ = type); }
  void begun() {
    begun_ = true;
    if (early_ != asio::cancellation_type::none) {
      signal_.emit(early_);
    }
  }
  auto slot() noexcept { return signal_.slot(); }

 private:
  asio::cancellation_signal signal_;
  asio::cancellation_type early_ = asio::cancellation_type::none;
  bool begun_ = false;
};

/// The end of the coroutine, for co_spawn. It has no executor: with one, Boost 1.81 leaves a dangling cancellation state.
template <class Done>
class OperationEnd {
 public:
  using cancellation_slot_type = asio::cancellation_slot;

  OperationEnd(std::shared_ptr<OperationStop> stop, Done done)
      : stop_(std::move(stop)), done_(std::move(done)) {}

  cancellation_slot_type get_cancellation_slot() const noexcept { return stop_->slot(); }
  void operator()(const std::exception_ptr& error) { done_(error); }

 private:
  std::shared_ptr<OperationStop> stop_;
  Done done_;
};

template <class T>
struct OperationResult {
  using Signature = void(std::exception_ptr, T);
};
template <>
struct OperationResult<void> {
  using Signature = void(std::exception_ptr);
};

/// The coroutine of an operation: what the factory returns, between what Boost 1.81 needs for its cancellation.
template <class T, class Factory>
asio::awaitable<void> run_operation(std::shared_ptr<OperationStop> stop, Factory factory,
                                    std::shared_ptr<std::optional<unvoid_t<T>>> result) {
  stop->begun();
  std::exception_ptr thrown;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await factory();
    } else {
      T value = co_await factory();
      result->emplace(std::move(value));
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

template <class Handler>
void forward_cancellation(Handler& handler, const asio::any_io_executor& executor,
                          const std::shared_ptr<OperationStop>& stop) {
  auto slot = asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected()) {
    slot.assign([executor, weak = std::weak_ptr(stop)](asio::cancellation_type type) {
      asio::dispatch(executor, [weak, type] {
        if (const auto alive = weak.lock()) {
          alive->request(type);
        }
      });
    });
  }
}

/// Calls the handler by its executor, and not before the initiating function has returned.
template <class Handler, class... Results>
void complete(Handler handler, const asio::any_io_executor& executor, Results... results) {
  auto slot = asio::get_associated_cancellation_slot(handler);
  const auto its_executor = asio::get_associated_executor(handler, executor);
  asio::post(its_executor,
             [handler = std::move(handler), slot, ... results = std::move(results)]() mutable {
               if (slot.is_connected()) {
                 slot.clear();
               }
               std::move(handler)(std::move(results)...);
             });
}

}  // namespace detail

/// Starts `factory()`, which returns an asio::awaitable<T>, on `executor`, with the completion signature
/// void(std::exception_ptr, T), or void(std::exception_ptr) for void. `factory` is moved, and called on the executor. T
/// must be default-constructible: a handler that gets an exception gets a T as well. Cancellation: by the handler's slot, on
/// any thread. Threads: any, if the executor's context allows that.
template <class Factory, class Token>
auto initiate(const asio::any_io_executor& executor, Factory factory, Token&& token) {
  using T = typename std::invoke_result_t<Factory&>::value_type;
  auto start = [](auto handler, const asio::any_io_executor& on, Factory make) {
    const auto stop = std::make_shared<detail::OperationStop>();
    detail::forward_cancellation(handler, on, stop);
    auto work = asio::make_work_guard(asio::get_associated_executor(handler, on));
    auto result = std::make_shared<std::optional<detail::unvoid_t<T>>>();
    auto done = [on, result, work = std::move(work),
                 handler = std::move(handler)](const std::exception_ptr& error) mutable {
      if constexpr (std::is_void_v<T>) {
        detail::complete(std::move(handler), on, error);
      } else {
        detail::complete(std::move(handler), on, error, *result ? T(std::move(**result)) : T());
      }
    };
    asio::co_spawn(on, detail::run_operation<T>(stop, std::move(make), result),
                   detail::OperationEnd(stop, std::move(done)));
  };
  return asio::async_initiate<Token, typename detail::OperationResult<T>::Signature>(
      std::move(start), token, executor, std::move(factory));
}

}  // namespace understudy
