/// How a coroutine enters and leaves a scope. Included by scope.hpp.
#pragma once

#include <boost/asio/post.hpp>

#include "understudy/runtime/scope.hpp"

namespace understudy::detail {

/// A scope in the frame of the coroutine that waits for it.
class ScopeEntry {
 public:
  ScopeEntry(const asio::any_io_executor& executor, Scope* parent, std::source_location site)
      : scope(executor, parent, site) {}

  /// Suspends the caller, calls `start`, and resumes when no child of the scope is alive. The
  /// caller's cancellation reaches the scope from the start.
  template <class Start>
  auto run(Start& start) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [this, &start](auto handler) {
          if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.assign([this](asio::cancellation_type) { scope.cancelled_from_outside(); });
          }
          scope.waiter_.emplace(std::move(handler));
          ++scope.live_;  // the scope must not end while it starts
          start();
          --scope.live_;
          scope.resume_if_done(true);
        },
        asio::deferred);
  }

  /// The caller was cancelled before it entered the scope (and does not have that thrown).
  void cancelled_before(asio::cancellation_state state) {
    if (state.cancelled() != asio::cancellation_type::none) {
      scope.cancelled_from_outside();
    }
  }

  /// The end of with_scope: throws the errors in the order that with_scope documents.
  void rethrow(bool throw_if_cancelled, const std::exception_ptr& body_error) const {
    rethrow_errors(throw_if_cancelled);
    if (body_error && scope.own_) {
      throw boost::system::system_error(scope.cause_.code);
    }
    if (body_error) {
      std::rethrow_exception(body_error);
    }
  }

  /// The end of race, likewise.
  void rethrow_race(bool throw_if_cancelled) const {
    const auto& winner = *scope.winner_;
    if (winner.error && !(scope.outside_ && winner.aborted)) {
      std::rethrow_exception(winner.error);
    }
    rethrow_errors(throw_if_cancelled);
    if (winner.error) {
      std::rethrow_exception(winner.error);
    }
  }

  const Child* winner() const noexcept { return scope.winner_; }

  Scope scope;

 private:
  void rethrow_errors(bool throw_if_cancelled) const {
    if (!scope.errors_.empty()) {
      std::rethrow_exception(scope.errors_.front());
    }
    if (scope.outside_ && throw_if_cancelled) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
};

/// If a body has a member `started()`, it is called when the body has been started and has not ended at once.
template <class Body>
asio::awaitable<awaited_t<Body>> run_scope(Scope* parent, Body body, std::source_location site) {
  using T = awaited_t<Body>;
  const auto executor = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  ScopeEntry entry(executor, parent, site);
  entry.cancelled_before(co_await asio::this_coro::cancellation_state);
  Task<T> task(entry.scope, Child::Kind::body, site);
  auto start = [&] {
    task.start_direct(body);
    if constexpr (requires { body.started(); }) {
      if (!task.settled()) {
        body.started();
      }
    }
  };
  co_await entry.run(start);
  entry.rethrow(throws, task.error);
  if constexpr (!std::is_void_v<T>) {
    co_return std::move(*task.value);
  }
}

}  // namespace understudy::detail

namespace understudy {

template <class F>
void Remote::post(F f) const {
  asio::post(executor_, [state = state_, f = std::move(f)]() mutable {
    if (state->scope != nullptr) {
      f(*state->scope);
    }
  });
}

template <class F>
void Scope::spawn_shielded(Clock::duration limit, F f, std::source_location site) {
  auto cut_off = [limit, f = std::move(f), site]() mutable {
    return with_scope(
        [limit, &f](Scope& scope) {
          scope.deadline(limit);
          return detail::call(f, scope);
        },
        site);
  };
  spawn_child(std::move(cut_off), true, site);
}

template <class Body>
auto with_scope(Body body, std::source_location site) -> asio::awaitable<detail::awaited_t<Body>> {
  return detail::run_scope(nullptr, std::move(body), site);
}

template <class Body>
auto with_scope(Scope& parent, Body body, std::source_location site)
    -> asio::awaitable<detail::awaited_t<Body>> {
  return detail::run_scope(&parent, std::move(body), site);
}

}  // namespace understudy
