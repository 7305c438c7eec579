/// How a scope starts its children: `co_spawn` without the defects of Boost 1.81 and g++ 12.2.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {
class Scope;
}

namespace understudy::detail {

template <class T>
inline constexpr bool is_awaitable = false;
template <class T>
inline constexpr bool is_awaitable<asio::awaitable<T>> = true;

/// The accepted forms of a child: a callable with or without `Scope&` that returns an awaitable, or an
/// awaitable.
template <class F>
concept Contender = is_awaitable<F> || std::is_invocable_v<F&> || std::is_invocable_v<F&, Scope&>;

template <Contender F>
decltype(auto) call(F& f, Scope& scope) {
  if constexpr (std::is_invocable_v<F&, Scope&>) {
    return f(scope);
  } else if constexpr (std::is_invocable_v<F&>) {
    return f();
  } else {
    return F(std::move(f));
  }
}

/// The T of the asio::awaitable<T> that a call of F returns.
template <Contender F>
using awaited_t = typename decltype(call(std::declval<F&>(), std::declval<Scope&>()))::value_type;

template <class T>
using unvoid_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
inline constexpr bool is_result = false;
template <class T, class E>
inline constexpr bool is_result<boost::system::result<T, E>> = true;

/// Whether this exception is how cancelled Asio code unwinds, including `||` and `&&` of awaitables.
UNDERSTUDY_API bool is_abort(const std::exception_ptr& error) noexcept;

/// The executor of a scope, for code where Scope is an incomplete type.
UNDERSTUDY_API const asio::any_io_executor& executor_of(const Scope& scope) noexcept;

using ChildHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A child, as its scope sees it: it can be cancelled, and reports its end.
///
/// Invariants
/// 1. Linked in its scope, and counted there, from spawn() until its coroutine is destroyed.
/// 2. Never cancelled before its first suspension or the first line of our wrapper coroutine: Boost 1.81 would lose the
///    completion handler (fixed in 1.85, asio 2a6674ea). An earlier cancel is delivered at that point.
/// 3. Its completion handler has no executor, so that the cancellation is emitted inline (with an executor, 1.81 leaves
///    a dangling reference; fixed in 1.83, asio beded7e3).
class UNDERSTUDY_API Child : public ChildHook {
 public:
  enum class Kind : unsigned char {
    body,   ///< the body of with_scope
    child,  ///< spawned
    racer,  ///< when it settles, the others are cancelled
  };

  Child(Scope& scope, Kind kind, std::source_location site) noexcept;
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Scope& scope() const noexcept { return *scope_; }
  Kind kind() const noexcept { return kind_; }
  const std::source_location& site() const noexcept { return site_; }

  /// Emits `all`, now or as soon as invariant 2 allows; later calls do nothing.
  void cancel();

  /// Whether its callable has ended. Its completion may still be pending.
  bool settled() const noexcept { return settled_; }

  std::exception_ptr error;    // the exception that it threw
  bool aborted = false;        // the exception is how cancelled Asio code unwinds
  bool failed_result = false;  // it returned a boost::system::result with an error
  bool shielded = false;       // not cancelled by its scope's cancel
  bool owned = false;          // to be deleted at its end

  /// Runs `f`, discards its return value, and treats an error result as a failure.
  template <class F>
  static asio::awaitable<void> run_and_drop(Child& child, F f);

  template <class Function, class Done>
  void spawn(Function&& function, Done done) {
    link();
    asio::co_spawn(executor_of(*scope_), std::forward<Function>(function), std::move(done));
    spawned();
  }

 protected:
  /// Called first in the child's coroutine if that is our wrapper, which ends with throw_if_cancelled(false) (the fix
  /// of 1.85, applied manually): cancelling is safe from here on.
  void begin();

  /// For a coroutine without our wrapper. True: the executor runs it inline, within spawn().
  bool begin_inline() noexcept;

  void settle();

  /// Called in a catch clause: keeps the current exception, without a second throw to inspect its code.
  void caught(const error_code& code) {
    error = std::current_exception();
    aborted = code == asio::error::operation_aborted;
  }
  void caught() {
    error = std::current_exception();
    aborted = is_abort(error);
  }

 private:
  friend class Completion;
  friend struct InlineSlot;

  enum class Stage : unsigned char { idle, starting, begun, running };

  void link();
  void spawned();
  void completed();  // its coroutine ended
  void abandoned();  // its coroutine was destroyed: the executor is going away
  void emit();

  static constexpr std::size_t slot_capacity = 48;

  Scope* scope_;
  std::source_location site_;
  Kind kind_;
  Stage stage_ = Stage::idle;
  bool in_spawn_ = false;
  bool completed_in_spawn_ = false;
  bool settled_ = false;
  bool cancelled_ = false;
  void (*emit_)(void*) = nullptr;
  void (*destroy_slot_)(void*) = nullptr;
  alignas(std::max_align_t) std::byte slot_[slot_capacity];
};

/// A cancellation slot that stores its handler in the child, and so does not allocate.
struct InlineSlot {
  Child* child;

  bool is_connected() const noexcept { return true; }

  template <class Handler, class... Args>
  Handler& emplace(Args&&... args) {
    static_assert(sizeof(Handler) <= Child::slot_capacity);
    auto* handler = ::new (static_cast<void*>(child->slot_)) Handler(std::forward<Args>(args)...);
    child->emit_ = [](void* h) { (*static_cast<Handler*>(h))(asio::cancellation_type::all); };
    child->destroy_slot_ = [](void* h) { static_cast<Handler*>(h)->~Handler(); };
    return *handler;
  }

  friend bool operator==(InlineSlot, InlineSlot) noexcept = default;
};

/// The completion handler of a child's co_spawn: calls back exactly once, even if destroyed without being called.
class Completion {
 public:
  using cancellation_slot_type = InlineSlot;

  explicit Completion(Child& child) noexcept : child_(&child) {}
  Completion(Completion&& other) noexcept : child_(std::exchange(other.child_, nullptr)) {}
  Completion& operator=(Completion&&) = delete;
  ~Completion() {
    if (child_ != nullptr) {
      child_->abandoned();
    }
  }

  InlineSlot get_cancellation_slot() const noexcept { return {child_}; }

  void operator()(const std::exception_ptr&) { complete(); }

 protected:
  Child& child() const noexcept { return *child_; }
  void complete() { std::exchange(child_, nullptr)->completed(); }

 private:
  Child* child_;
};

template <class F>
asio::awaitable<void> Child::run_and_drop(Child& child, F f) {
  using T = awaited_t<F>;
  child.begin();
  try {
    if constexpr (is_result<T>) {
      auto result = co_await call(f, child.scope());
      if (result.has_error()) {
        child.failed_result = true;
        result.value();  // throws the exception of this error type
      }
    } else {
      co_await call(f, child.scope());
    }
  } catch (const boost::system::system_error& thrown) {
    child.caught(thrown.code());
  } catch (...) {
    child.caught();
  }
  child.settle();
  co_await asio::this_coro::throw_if_cancelled(false);  // Child, invariant 2
}

/// A child whose return value is kept, with the storage for it.
template <class T>
class Task : public Child {
 public:
  using Child::Child;

  std::optional<unvoid_t<T>> value;

  /// Runs `f` inside a wrapper coroutine, which detects when `f` settles.
  template <class F>
  void start(F& f) {
    spawn(run(f), Completion(*this));
  }

  /// The same without that coroutine, for a T that co_spawn can default-construct: one frame less.
  template <class F>
  void start_direct(F& f) {
    if constexpr (std::is_void_v<T> || std::is_default_constructible_v<T>) {
      spawn(Direct<F>{this, &f}, ValueCompletion(*this));
    } else {
      start(f);
    }
  }

 private:
  template <class F>
  asio::awaitable<void> run(F& f) {
    begin();
    try {
      if constexpr (std::is_void_v<T>) {
        co_await call(f, scope());
        keep();
      } else {
        keep(co_await call(f, scope()));
      }
    } catch (const boost::system::system_error& thrown) {
      caught(thrown.code());
    } catch (...) {
      caught();
    }
    settle();
    co_await asio::this_coro::throw_if_cancelled(false);  // Child, invariant 2
  }

  template <class... U>
  void keep(U&&... result) {
    value.emplace(std::forward<U>(result)...);
    if constexpr (is_result<T>) {
      failed_result = value->has_error();
    }
  }

  template <class F>
  struct Direct {
    Task* task;
    F* f;

    asio::awaitable<T> operator()() {
      return task->begin_inline() ? call(*f, task->scope()) : queued();
    }

    /// For an executor that queues even when called from within itself.
    asio::awaitable<T> queued() {
      co_await task->run(*f);
      co_await asio::this_coro::throw_if_cancelled(false);
      if (task->error) {
        std::rethrow_exception(task->error);
      }
      if constexpr (!std::is_void_v<T>) {
        co_return std::move(*task->value);
      }
    }
  };

  class ValueCompletion : public Completion {
   public:
    using Completion::Completion;

    template <class... U>
    void operator()(const std::exception_ptr& thrown, U&&... result) {
      auto& task = static_cast<Task&>(this->child());
      if (thrown) {
        task.error = thrown;
        task.aborted = is_abort(thrown);
      } else {
        task.keep(std::forward<U>(result)...);
      }
      task.settle();
      this->complete();
    }
  };
};

}  // namespace understudy::detail
