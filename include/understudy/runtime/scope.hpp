/// A nursery (structured concurrency) for plain Asio coroutines, whose cancellation carries a cause.
///
/// Invariants
/// 1. `with_scope` is the only entry point, and it does not complete before the body and every child have ended, also
///    if one of them throws or the caller is cancelled. No coroutine is detached.
/// 2. The first cause wins and never changes. A scope without its own cause reports its parent's.
/// 3. The first child that throws, or returns a `boost::system::result` with an error, cancels the
///    others (`StopReason::sibling_failed`). Errors are never lost: the first is rethrown, later ones
///    are kept up to `max_errors`.
/// 4. A scope translates only its own cancel: if the body unwinds because of it, `with_scope` throws a system_error
///    with the cause's code. A caller's cancel passes through as `operation_aborted`, even if the scope's came first.
/// 5. Everything runs on the caller's executor, and all members except those of `remote()` must be used there. That
///    executor must not run two handlers concurrently (use a strand, or an io_context with one thread).
/// 6. Destroying the io_context destroys all scopes and children cleanly. If a child's coroutine is destroyed while the
///    executor is still running, the program terminates with a message that names where the child was spawned.
///
///     auto answer = co_await with_scope([&](Scope& scope) -> asio::awaitable<std::string> {
///       scope.spawn([&] { return beat_the_drum(); });   // ends with the scope
///       scope.deadline(30s);                            // else: system_error(StopReason::deadline)
///       auto text = co_await read_all(socket);
///       scope.cancel(StopReason::cancelled);            // the drum stops; the body continues to its end
///       co_return text;
///     });
///
/// With g++ 12, pass only lambdas that capture `[&]`, or name the lambda first and move it in: g++ 12 destroys other
/// lambdas twice in an expression with `co_await` (gcc bug 99576 and related).
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/runtime/cause.hpp"
#include "understudy/runtime/clock.hpp"
#include "understudy/runtime/detail/alarm.hpp"
#include "understudy/runtime/detail/child.hpp"
#include "understudy/runtime/detail/waiter.hpp"

namespace understudy {

namespace detail {
class ScopeEntry;

/// Describes where the scope was entered and which of its children are alive, for human readers.
UNDERSTUDY_API std::string describe(const Scope& scope);
}  // namespace detail

/// Reaches a scope from another thread, or from an object that may outlive it. Copyable; has no effect once
/// the scope has ended, but the context of its executor must still exist.
class Remote {
 public:
  /// Posts the cancel to the scope's executor and returns at once. Threads: any.
  UNDERSTUDY_API void cancel(const Cause& cause) const;

  /// Posts `f(scope)` to the scope's executor and returns at once. Threads: any. `f` is destroyed without being called
  /// if the scope has ended by then.
  template <class F>
  void post(F f) const;

  /// Whether both refer to the same scope.
  friend bool operator==(const Remote& a, const Remote& b) noexcept { return a.state_ == b.state_; }

 private:
  friend class Scope;
  struct State {
    Scope* scope;  // accessed on the executor only
  };
  Remote(asio::any_io_executor executor, std::shared_ptr<State> state)
      : executor_(std::move(executor)), state_(std::move(state)) {}

  asio::any_io_executor executor_;
  std::shared_ptr<State> state_;
};

/// The argument of the body. See the top of the file.
class UNDERSTUDY_API Scope {
 public:
  static constexpr std::size_t max_errors = 8;

  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// Starts `f()` or `f(Scope&)`, which returns an asio::awaitable, as a child; `f` may be move-only and
  /// is kept until the child ends. The child runs at once up to its first suspension. Its return value is
  /// discarded. On a cancelled scope `f` is not called.
  template <class F>
  void spawn(F f, std::source_location site = std::source_location::current()) {
    if (!cancelled()) {
      spawn_child(std::move(f), false, site);
    }
  }

  /// Starts a child that is shielded from cancellation by this scope and by a caller, for cleanup that must complete;
  /// also from a catch handler, and on a cancelled scope. After `limit` it is cancelled with StopReason::deadline,
  /// which is then handled as any other error.
  template <class F>
  void spawn_shielded(Clock::duration limit, F f,
                      std::source_location site = std::source_location::current());

  /// Cancels the body and all children except shielded ones, with Asio's cancellation_type::all. Resources that they
  /// use (a connection) are unusable afterwards. The first cause wins; later calls do nothing.
  void cancel(const Cause& cause);

  /// Cancels with StopReason::deadline at that time; a second call replaces the first.
  void deadline(Clock::time_point time);
  /// As above, with a time from now.
  void deadline(Clock::duration from_now);

  /// Whether a cause is set. What is awaited in the scope from now on is cancelled.
  bool cancelled() const noexcept { return static_cast<bool>(cause_.code); }

  /// This scope's cause, else its parent's, else a cause with code zero. A caller's cancel in plain Asio
  /// is reported as StopReason::cancelled.
  const Cause& cause() const noexcept { return cause_; }

  /// Waits until every child has ended; for the body alone. A cancel does not cut it short, as the
  /// children end by it too.
  auto join() {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [this](auto handler) { this->wait_for_children(std::move(handler)); }, asio::deferred);
  }

  /// The errors of children (and the body) so far, in order, at most max_errors.
  std::span<const std::exception_ptr> errors() const noexcept { return errors_; }

  /// A handle that other threads may use. After the scope has ended it does nothing.
  Remote remote();

  /// The executor that the scope's children run on.
  const asio::any_io_executor& get_executor() const noexcept { return executor_; }

 private:
  friend class detail::Child;
  friend class detail::ScopeEntry;
  friend class Remote;
  friend UNDERSTUDY_API std::string detail::describe(const Scope& scope);

  using Children =
      boost::intrusive::list<detail::Child, boost::intrusive::constant_time_size<false>>;

  Scope(asio::any_io_executor executor, Scope* parent, std::source_location site);
  ~Scope();

  template <class F>
  void spawn_child(F f, bool shielded, std::source_location site) {
    auto child = std::make_unique<detail::Child>(*this, detail::Child::Kind::child, site);
    child->owned = true;
    child->shielded = shielded;
    auto& started = *child.release();  // from here on, its completion deletes it
    started.spawn(detail::Child::run_and_drop(started, std::move(f)), detail::Completion(started));
  }

  template <class Handler>
  void wait_for_children(Handler handler) {
    joiner_.emplace(std::move(handler));
    if (only_body_left()) {
      joiner_.resume_by(executor_);
    }
  }

  void cancelled_from_outside();
  void deadline_reached(Clock::time_point due);
  void emit_to_all();
  void started(detail::Child& child);
  void settled(detail::Child& child);
  void ended(detail::Child& child);
  void abandoned(detail::Child& child);
  void forget(detail::Child& child);
  void fail(std::exception_ptr error);
  void resume_if_done(bool from_queue);
  bool only_body_left() const noexcept { return live_ == body_live_; }

  asio::any_io_executor executor_;
  Scope* parent_;
  Cause cause_;
  bool outside_ = false;   // the caller was cancelled
  bool own_ = false;       // cause_ was set by cancel()
  bool emitting_ = false;  // the scope must not end within the loop that cancels its children
  std::size_t live_ = 0;
  std::size_t body_live_ = 0;
  Children children_;
  detail::Waiter waiter_;  // with_scope or race, waiting for all
  detail::Waiter joiner_;  // the body, waiting for its children
  detail::Child* winner_ = nullptr;
  std::vector<std::exception_ptr> errors_;
  std::optional<detail::Alarm> deadline_;
  Clock::time_point deadline_set_{};
  std::shared_ptr<Remote::State> remote_;
  detail::TimeSource* source_;
  std::source_location site_;
};

/// Runs `body(scope)`, which returns asio::awaitable<T>, in a new scope.
///
/// Completes when the body and all children have ended. Result, first that applies:
///  1. the first error of a child or the body that is not caused by unwinding: rethrown;
///  2. the caller was cancelled, and has that thrown (this_coro::throw_if_cancelled, Asio's default):
///     system_error(operation_aborted);
///  3. the body unwound because this scope was cancelled: system_error(cause().code);
///  4. the value that the body returned.
/// Cancellation: the caller's (terminal) cancels this scope, at any time.
template <class Body>
auto with_scope(Body body, std::source_location site = std::source_location::current())
    -> asio::awaitable<detail::awaited_t<Body>>;

/// The same inside `parent`, whose cause this scope reports when the cancel came from there.
template <class Body>
auto with_scope(Scope& parent, Body body,
                std::source_location site = std::source_location::current())
    -> asio::awaitable<detail::awaited_t<Body>>;

}  // namespace understudy

#include "understudy/runtime/detail/scope_entry.hpp"
