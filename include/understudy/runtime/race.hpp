/// Runs several contenders; the first to settle, with a value or an error, wins. The others are cancelled and joined.
///
/// (Asio's `||` waits for the first *success*: it reports a reset connection as a late timeout.)
///
/// Invariants
/// 1. Exactly one contender wins: the first whose coroutine ends. Its value or exception is the race's.
/// 2. Contenders start left to right; one that settles at once wins, and those after it never start.
/// 3. Losers are cancelled with StopReason::lost and have ended when `race` completes.
/// 4. No result is lost silently: a loser's value goes to `on_discard` or is destroyed; a loser's own exception
///    (anything but its unwinding) is rethrown.
/// 5. The rules of scopes for threads and executors apply (scope.hpp). A race costs a coroutine for each contender: use
///    it for calls, not for tokens; use StallTimer for those.
///
///     auto first = co_await race(ask(mirror_a), ask(mirror_b));
///     std::cout << first.index();                  // a std::variant; void is std::monostate
#pragma once

#include <tuple>
#include <utility>
#include <variant>

#include "understudy/runtime/scope.hpp"

namespace understudy {

/// Receives the values of losing contenders: called as f(value) once for each, in the contenders' order,
/// after all have ended. It must not throw.
template <class F>
class OnDiscard {
 public:
  explicit OnDiscard(F function) : f(std::move(function)) {}
  F f;
};

/// Makes the first argument of race(): `f` gets each result that came too late.
template <class F>
OnDiscard<F> on_discard(F f) {
  return OnDiscard<F>(std::move(f));
}

namespace detail {

struct DestroyDiscarded {
  void operator()(const auto&) const noexcept {}
};

template <class... Fs>
using RaceResult = std::variant<unvoid_t<awaited_t<Fs>>...>;

struct RacerPlace {
  Scope& scope;
  std::source_location site;
};

template <class T>
struct Racer : Task<T> {
  explicit Racer(const RacerPlace& place) : Task<T>(place.scope, Child::Kind::racer, place.site) {}
};

template <class Discard, std::size_t... I, class... Fs>
asio::awaitable<RaceResult<Fs...>> run_race(Scope* parent, std::source_location site,
                                            Discard discard, std::index_sequence<I...>,
                                            Fs... contenders) {
  const auto executor = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  ScopeEntry entry(executor, parent, site);
  entry.cancelled_before(co_await asio::this_coro::cancellation_state);

  const RacerPlace place{entry.scope, site};
  std::tuple<Racer<awaited_t<Fs>>...> racers{((void)I, place)...};
  auto start = [&] {
    // The first starts in any case, so that there is a winner; a later one only into an open race.
    ((I == 0 || !entry.scope.cancelled() ? std::get<I>(racers).start(contenders) : void()), ...);
  };
  co_await entry.run(start);

  const auto* winner = entry.winner();
  std::optional<RaceResult<Fs...>> result;
  const auto collect = [&]<std::size_t J>(std::integral_constant<std::size_t, J>, auto& racer) {
    if (!racer.value) {
      return;
    }
    if (&racer == winner) {
      result.emplace(std::in_place_index<J>, std::move(*racer.value));
    } else {
      discard(std::move(*racer.value));
    }
  };
  (collect(std::integral_constant<std::size_t, I>(), std::get<I>(racers)), ...);
  try {
    entry.rethrow_race(throws);
  } catch (...) {
    if (result) {
      std::visit([&](auto& value) { discard(std::move(value)); }, *result);
    }
    throw;
  }
  co_return std::move(*result);
}

}  // namespace detail

/// Runs the contenders, each an asio::awaitable or a callable `f()` or `f(Scope&)` that returns one; the
/// Scope is the race's. Completes when all have ended; returns the winner's index and value.
///
/// Errors, the first that applies: the winner's exception; the first own exception of a loser; the caller's
/// cancel (system_error(operation_aborted), if the caller has it thrown). A value that is not returned
/// because of the last two is discarded like a loser's.
/// Cancellation: the caller's (terminal) cancels all contenders.
template <detail::Contender... Fs>
asio::awaitable<detail::RaceResult<Fs...>> race(Fs... contenders) {
  return detail::run_race(nullptr, std::source_location::current(), detail::DestroyDiscarded(),
                          std::index_sequence_for<Fs...>(), std::move(contenders)...);
}

/// As above; `discard` gets the results of contenders that succeeded after the winner.
template <class Discard, detail::Contender... Fs>
asio::awaitable<detail::RaceResult<Fs...>> race(OnDiscard<Discard> discard, Fs... contenders) {
  return detail::run_race(nullptr, std::source_location::current(), std::move(discard.f),
                          std::index_sequence_for<Fs...>(), std::move(contenders)...);
}

/// The same inside `parent`, whose cause the contenders' scope reports when the cancel came from there.
template <detail::Contender... Fs>
asio::awaitable<detail::RaceResult<Fs...>> race(Scope& parent, Fs... contenders) {
  return detail::run_race(&parent, std::source_location::current(), detail::DestroyDiscarded(),
                          std::index_sequence_for<Fs...>(), std::move(contenders)...);
}

/// As above, in a scope that exists.
template <class Discard, detail::Contender... Fs>
asio::awaitable<detail::RaceResult<Fs...>> race(Scope& parent, OnDiscard<Discard> discard,
                                                Fs... contenders) {
  return detail::run_race(&parent, std::source_location::current(), std::move(discard.f),
                          std::index_sequence_for<Fs...>(), std::move(contenders)...);
}

}  // namespace understudy
