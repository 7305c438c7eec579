#include "understudy/runtime/scope.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "understudy/runtime/live_children.hpp"
#include "understudy/testing/virtual_time.hpp"
#include "world.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using boost::system::system_error;
using runtime_test::World;
using testing::VirtualTime;

namespace {

/// The code of the system_error that `coroutine` ends with; fails the test if it does not throw one.
template <class T>
error_code code_thrown_by(World& world, awaitable<T> coroutine) {
  try {
    world.run(std::move(coroutine));
  } catch (const system_error& error) {
    return error.code();
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

/// Runs `coroutine` and cancels it from outside, as plain Asio does, after `delay`.
template <class T>
struct Stoppable {
  explicit Stoppable(World& w) : world(w) {}

  void start(awaitable<T> coroutine) {
    asio::co_spawn(
        world.context, std::move(coroutine),
        asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr e, auto&&...) {
          ended = true;
          error = std::move(e);
        }));
  }
  void stop() { signal.emit(asio::cancellation_type::all); }
  error_code code() const {
    try {
      if (error) {
        std::rethrow_exception(error);
      }
    } catch (const system_error& thrown) {
      return thrown.code();
    }
    return {};
  }

  World& world;
  asio::cancellation_signal signal;
  bool ended = false;
  std::exception_ptr error;
};

class NoDefault {
 public:
  explicit NoDefault(int v) : value(v) {}
  int value;
};

}  // namespace

TEST_CASE("with_scope returns what its body returns") {
  World world;
  CHECK(world.run(with_scope([](Scope&) -> awaitable<int> { co_return 7; })) == 7);
  CHECK(*world.run(with_scope([]() -> awaitable<std::unique_ptr<int>> {
    co_await sleep_for(1s);
    co_return std::make_unique<int>(8);
  })) == 8);
  int seen = 0;
  const auto others = [&]() -> awaitable<void> {
    auto no_default = co_await with_scope([]() -> awaitable<NoDefault> {
      co_await sleep_for(1s);
      co_return NoDefault(9);
    });
    seen = no_default.value;
    co_await with_scope([&](Scope&) -> awaitable<void> {
      ++seen;
      co_return;
    });
  };
  world.run(others());
  CHECK(seen == 10);
}

TEST_CASE("Law 1: with_scope ends after the body and every child have ended") {
  World world;
  int ended = 0;
  const auto child = [&ended](Clock::duration delay) {
    return [&ended, delay]() -> awaitable<void> {
      co_await sleep_for(delay);
      ++ended;
    };
  };
  SUBCASE("the body returns first: its children are waited for") {
    world.run(with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn(child(3s));
      scope.spawn(child(5s));
      co_return;
    }));
    CHECK(ended == 2);
    CHECK(world.time.elapsed() == 5s);
  }
  SUBCASE("the body throws: its children are cancelled and waited for") {
    std::string order;
    auto body = [&](Scope& scope) -> awaitable<void> {
      scope.spawn([&order]() -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        Timer timer(co_await asio::this_coro::executor);
        timer.expires_after(1h);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        order += "cancelled ";
        timer.expires_after(2s);  // our own time to clean up: a latched cancel does not reach it
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        order += "ended ";
      });
      co_await sleep_for(1s);
      throw std::runtime_error("body");
    };
    CHECK_THROWS_WITH(world.run(with_scope(body)), "body");
    CHECK(order == "cancelled ended ");
    CHECK(world.time.elapsed() == 3s);
  }
  SUBCASE("children spawn children") {
    world.run(with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn([&](Scope& inner) -> awaitable<void> {
        co_await sleep_for(1s);
        inner.spawn(child(4s));
      });
      co_return;
    }));
    CHECK(ended == 1);
    CHECK(world.time.elapsed() == 5s);
  }
  CHECK(live_children().value_or(0) == 0);
}

TEST_CASE("children that settle before their first suspension") {
  World world;
  const auto thrower = []() -> awaitable<void> {
    throw std::runtime_error("at once");
    co_return;
  };
  SUBCASE("they finish") {
    int calls = 0;
    world.run(with_scope([&](Scope& scope) -> awaitable<void> {
      for (int i = 0; i < 10; ++i) {
        scope.spawn([&]() -> awaitable<void> {
          ++calls;
          co_return;
        });
      }
      CHECK(calls == 10);  // they run at once
      co_return;
    }));
    CHECK(calls == 10);
  }
  SUBCASE("they fail") {
    CHECK_THROWS_WITH(world.run(with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn(thrower);
      co_await sleep_for(1h);
    })),
                      "at once");
    CHECK(world.time.elapsed() == 0s);
  }
  SUBCASE("the body fails") { CHECK_THROWS_WITH(world.run(with_scope(thrower)), "at once"); }
  SUBCASE("a callable that throws instead of returning an awaitable") {
    const auto not_even = []() -> awaitable<void> { throw std::runtime_error("not even"); };
    CHECK_THROWS_WITH(world.run(with_scope(not_even)), "not even");
    CHECK_THROWS_WITH(world.run(with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn(not_even);
      co_return;
    })),
                      "not even");
  }
}

TEST_CASE("Fact 2 (B2): a child cancelled before its first suspension still completes") {
  // Boost 1.81 loses the completion handler here, and a scope that trusted it would hang.
  World world;
  SUBCASE("the child cancels its own scope and returns at once") {
    const auto code = code_thrown_by(world, with_scope([](Scope& scope) -> awaitable<void> {
                                       scope.spawn([](Scope& own) -> awaitable<void> {
                                         own.cancel(StopReason::shutdown);
                                         co_return;
                                       });
                                       co_await sleep_for(1h);
                                     }));
    CHECK(code == StopReason::shutdown);
  }
  SUBCASE("the child cancels its own scope and then suspends") {
    bool aborted = false;
    const auto code = code_thrown_by(world, with_scope([&](Scope& scope) -> awaitable<void> {
                                       scope.spawn([&](Scope& own) -> awaitable<void> {
                                         own.cancel(StopReason::shutdown);
                                         try {
                                           co_await sleep_for(1h);
                                         } catch (const system_error&) {
                                           aborted = true;
                                           throw;
                                         }
                                       });
                                       co_await sleep_for(1h);
                                     }));
    CHECK(aborted);
    CHECK(code == StopReason::shutdown);
  }
  SUBCASE("the body cancels its own scope and returns at once") {
    CHECK(world.run(with_scope([](Scope& scope) -> awaitable<int> {
      scope.cancel(StopReason::shutdown);
      co_return 5;
    })) == 5);
  }
  SUBCASE("the body cancels its own scope and then suspends") {
    const auto code = code_thrown_by(world, with_scope([](Scope& scope) -> awaitable<void> {
                                       scope.cancel(StopReason::shutdown);
                                       co_await sleep_for(1h);
                                     }));
    CHECK(code == StopReason::shutdown);
  }
  SUBCASE("an earlier child's failure cancels the ones that start while it unwinds") {
    int started = 0;
    CHECK_THROWS_WITH(world.run(with_scope([&](Scope& scope) -> awaitable<void> {
      for (int i = 0; i < 5; ++i) {
        scope.spawn([&started, i](Scope& own) -> awaitable<void> {
          ++started;
          if (i == 1) {
            own.cancel(StopReason::shutdown);
            throw std::runtime_error("second");
          }
          co_await sleep_for(1h);
        });
      }
      co_return;
    })),
                      "second");
    CHECK(started == 2);  // on a cancelled scope spawn does not call
  }
  CHECK(world.time.elapsed() == 0s);
}

TEST_CASE("Law 2: the first cause wins and never changes") {
  World world;
  world.run(with_scope([&](Scope& scope) -> awaitable<void> {
    CHECK(!scope.cancelled());
    CHECK(!scope.cause().code);
    scope.cancel(StopReason::shutdown);
    scope.cancel(StopReason::lost);
    scope.deadline(0s);
    CHECK(scope.cancelled());
    CHECK(scope.cause().code == StopReason::shutdown);
    co_return;
  }));
}

TEST_CASE("Law 2: a scope without a cause of its own reports its parent's") {
  World world;
  error_code explicit_parent;
  error_code plain;
  error_code grandchild;
  const auto outer = [&](Scope& parent) -> awaitable<void> {
    parent.spawn([&]() -> awaitable<void> {
      co_await with_scope(parent, [&](Scope& scope) -> awaitable<void> {
        scope.spawn([&]() -> awaitable<void> {
          co_await with_scope(scope, [&](Scope& inner) -> awaitable<void> {
            co_await asio::this_coro::throw_if_cancelled(false);
            Timer timer(inner.get_executor());
            timer.expires_after(1h);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
            grandchild = inner.cause().code;
          });
        });
        co_await asio::this_coro::throw_if_cancelled(false);
        Timer timer(scope.get_executor());
        timer.expires_after(1h);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        explicit_parent = scope.cause().code;
      });
    });
    parent.spawn([&]() -> awaitable<void> {
      co_await with_scope([&](Scope& scope) -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        Timer timer(scope.get_executor());
        timer.expires_after(1h);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        plain = scope.cause().code;
      });
    });
    co_await sleep_for(1s);
    parent.cancel(StopReason::shutdown);
  };
  world.run(with_scope(outer));
  CHECK(explicit_parent == StopReason::shutdown);
  CHECK(grandchild == StopReason::shutdown);
  CHECK(plain == StopReason::cancelled);
}

TEST_CASE("Law 3: only the scope whose source fired translates operation_aborted") {
  World world;
  error_code inner_saw;
  const auto code =
      code_thrown_by(world, with_scope([&](Scope& outer) -> awaitable<void> {
                       outer.deadline(2s);
                       try {
                         co_await with_scope(outer, [](Scope&) { return sleep_for(1h); });
                       } catch (const system_error& error) {
                         inner_saw = error.code();
                         throw;
                       }
                     }));
  CHECK(inner_saw == asio::error::operation_aborted);
  CHECK(code == StopReason::deadline);
}

TEST_CASE("Law 4: an own timeout is an error, being stopped from outside is not") {
  World world;
  SUBCASE("own deadline") {
    const auto code = code_thrown_by(world, with_scope([](Scope& scope) {
                                       scope.deadline(2s);
                                       return sleep_for(1h);
                                     }));
    CHECK(code == StopReason::deadline);
    CHECK(code == boost::system::errc::timed_out);
    CHECK(world.time.elapsed() == 2s);
  }
  SUBCASE("stopped from outside") {
    Stoppable<void> call(world);
    call.start(with_scope([](Scope& scope) {
      scope.deadline(10s);
      return sleep_for(1h);
    }));
    world.time.run_for(world.context, 1s);
    call.stop();
    world.time.run(world.context);
    CHECK(call.code() == asio::error::operation_aborted);
  }
}

TEST_CASE("A3 Kotlin #1374: the timeout of a child is an error, it does not vanish") {
  World world;
  const auto code = code_thrown_by(world, with_scope([](Scope& scope) -> awaitable<void> {
                                     scope.spawn([]() -> awaitable<void> {
                                       co_await with_scope([](Scope& inner) {
                                         inner.deadline(1s);
                                         return sleep_for(1h);
                                       });
                                     });
                                     co_await sleep_for(2h);
                                   }));
  CHECK(code == StopReason::deadline);
  CHECK(world.time.elapsed() == 1s);
}

TEST_CASE(
    "Law 5 (A3 CPython #155433): a scope that consumed its own cancel re-raises its parent's") {
  World world;
  Stoppable<int> call(world);
  error_code cause;
  call.start(with_scope([&](Scope& scope) -> awaitable<int> {
    scope.spawn_shielded(1h, [] { return sleep_for(5s); });
    scope.cancel(StopReason::shutdown);
    cause = scope.cause().code;
    co_return 1;  // the own cancel is consumed
  }));
  world.time.run_for(world.context, 1s);
  CHECK(!call.ended);
  call.stop();  // comes while the scope still waits for its goodbye
  world.time.run(world.context);
  CHECK(call.code() == asio::error::operation_aborted);
  CHECK(cause == StopReason::shutdown);
  CHECK(world.time.elapsed() == 5s);
}

TEST_CASE("Law 6: cancel emits `all`") {
  World world;
  asio::cancellation_type_t seen{};
  world.run(with_scope([&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> {
      co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
      co_await asio::this_coro::throw_if_cancelled(false);
      Timer timer(co_await asio::this_coro::executor);
      timer.expires_after(1h);
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      const auto state = co_await asio::this_coro::cancellation_state;
      seen = state.cancelled();
    });
    scope.cancel(StopReason::shutdown);
    co_return;
  }));
  using asio::cancellation_type;
  CHECK(seen ==
        (cancellation_type::terminal | cancellation_type::partial | cancellation_type::total));
}

TEST_CASE(
    "Fact 4: awaitables let terminal cancellation through alone, and our cancel gets through") {
  for (const auto type : {asio::cancellation_type::total, asio::cancellation_type::partial,
                          asio::cancellation_type::all}) {
    World world;
    Stoppable<void> call(world);
    call.start(with_scope([](Scope&) { return sleep_for(1min); }));
    world.time.run_for(world.context, 1s);
    call.signal.emit(type);
    world.time.run(world.context);
    const bool through = type == asio::cancellation_type::all;
    CHECK(world.time.elapsed() == (through ? 1s : 60s));
    CHECK(call.ended);
  }
}

TEST_CASE("Fact 5: a scope inside a scope is a cancel scope of its own") {
  World world;
  world.run(with_scope([&](Scope& outer) -> awaitable<void> {
    error_code inner;
    try {
      co_await with_scope(outer, [](Scope& scope) {
        scope.deadline(1s);
        return sleep_for(1h);
      });
    } catch (const system_error& error) {
      inner = error.code();
    }
    CHECK(inner == StopReason::deadline);
    CHECK(!outer.cancelled());
    co_await sleep_for(1s);  // the outer goes on
  }));
  CHECK(world.time.elapsed() == 2s);
}

namespace {

/// An operation that completes within its initiation: `co_spawn` of it may complete inside co_spawn.
constexpr auto at_once = [](auto token) {
  return asio::async_initiate<decltype(token), void()>([](auto handler) { std::move(handler)(); },
                                                       token);
};

/// An operation that completes inline, from within the emission that cancels it.
constexpr auto until_cancelled = [](auto token) {
  return asio::async_initiate<decltype(token), void()>(
      [](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto kept = std::make_shared<std::optional<decltype(handler)>>(std::move(handler));
        slot.assign([kept](asio::cancellation_type) {
          if (auto handler_out = std::exchange(*kept, std::nullopt)) {
            std::move (*handler_out)();
          }
        });
      },
      token);
};

}  // namespace

TEST_CASE("B2 asio 7e519601: a child that completes inside co_spawn") {
  World world;
  int ended = 0;
  world.run(with_scope([&](Scope& scope) -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      scope.spawn([&]() -> awaitable<void> {
        co_await at_once(asio::deferred);
        ++ended;
      });
    }
    co_await at_once(asio::deferred);
  }));
  CHECK(ended == 3);
  CHECK_THROWS_WITH(world.run(with_scope([&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> {
      co_await at_once(asio::deferred);
      throw std::runtime_error("inside");
    });
    co_await sleep_for(1h);
  })),
                    "inside");
  CHECK(world.time.elapsed() == 0s);
}

TEST_CASE("B2: a child that is completed and unlinked inline by the emission that cancels it") {
  World world;
  int ended = 0;
  const auto code = code_thrown_by(world, with_scope([&](Scope& scope) -> awaitable<void> {
                                     for (int i = 0; i < 5; ++i) {
                                       scope.spawn([&]() -> awaitable<void> {
                                         co_await until_cancelled(asio::deferred);
                                         ++ended;
                                       });
                                     }
                                     scope.deadline(1s);
                                     co_await until_cancelled(asio::deferred);
                                     co_await sleep_for(1h);
                                   }));
  CHECK(ended == 5);
  CHECK(code == StopReason::deadline);
}

TEST_CASE("B2 asio #1332: a child's completion handler has no executor of its own") {
  using Default = asio::io_context::executor_type;
  static_assert(std::is_same_v<asio::associated_executor_t<detail::Completion, Default>, Default>);
  // And a caller that has one is cancelled properly.
  asio::thread_pool pool(1);
  asio::io_context elsewhere;
  asio::cancellation_signal signal;
  std::promise<error_code> promise;
  asio::co_spawn(pool, with_scope([](Scope&) { return sleep_for(1h); }),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) {
                   try {
                     std::rethrow_exception(error);
                   } catch (const system_error& thrown) {
                     promise.set_value(thrown.code());
                   }
                 }));
  asio::post(pool, [&] { signal.emit(asio::cancellation_type::all); });
  CHECK(promise.get_future().get() == asio::error::operation_aborted);
  pool.join();
}

TEST_CASE(
    "Asio's || and && that unwind because the scope was cancelled are no errors of their own") {
  using namespace asio::experimental::awaitable_operators;
  World world;
  for (const bool both : {false, true}) {
    const auto body = [&](Scope& scope) -> awaitable<void> {
      scope.deadline(1s);
      if (both) {
        co_await (sleep_for(1h) && sleep_for(2h));
      } else {
        co_await (sleep_for(1h) || sleep_for(2h));
      }
    };
    try {
      world.run(with_scope(body));
      FAIL("the deadline has to be seen");
    } catch (const system_error& thrown) {
      CHECK(thrown.code() == StopReason::deadline);
    }
  }
  CHECK(world.time.elapsed() == 2s);
}

TEST_CASE("Law 7: one executor for a scope tree; other threads cancel by posting to it") {
  asio::thread_pool pool(3);
  auto strand = asio::make_strand(pool);
  bool always_there = true;
  std::optional<Remote> remote;
  std::promise<void> ready;
  auto body = [&](Scope& scope) -> awaitable<void> {
    remote.emplace(scope.remote());
    for (int i = 0; i < 4; ++i) {
      scope.spawn([&]() -> awaitable<void> {
        while (true) {
          always_there = always_there && strand.running_in_this_thread();
          co_await asio::post(asio::use_awaitable);
        }
      });
    }
    ready.set_value();
    co_await sleep_for(1h);
  };
  // The code alone crosses the threads: TSAN does not see the reference count of an exception, which
  // libstdc++ keeps in uninstrumented code.
  std::promise<error_code> result;
  asio::co_spawn(strand, with_scope(body), [&](const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const system_error& thrown) {
      result.set_value(thrown.code());
    }
  });
  ready.get_future().wait();
  remote->cancel(StopReason::shutdown);
  const auto code = result.get_future().get();
  remote->cancel(StopReason::lost);  // the scope is gone: harmless
  pool.join();
  CHECK(code == StopReason::shutdown);
  CHECK(always_there);
}

TEST_CASE("A3 Go WithTimeoutCause: all ways to cancel go through one door") {
  // Leaving a scope in the normal way sets no cause that could win over a later one.
  World world;
  std::optional<Remote> remote;
  CHECK(world.run(with_scope([&](Scope& scope) -> awaitable<int> {
    remote.emplace(scope.remote());
    scope.deadline(1h);
    co_await sleep_for(1s);
    CHECK(!scope.cancelled());
    co_return 1;
  })) == 1);
  world.time.run(world.context);
  CHECK(world.time.elapsed() == 1s);  // and the deadline's timer is gone with it
}

TEST_CASE("A3 asio #1029: a cancel that comes before an operation starts is not lost") {
  World world;
  bool caught = false;
  const auto code = code_thrown_by(world, with_scope([&](Scope& scope) -> awaitable<void> {
                                     co_await sleep_for(1s);
                                     scope.cancel(StopReason::shutdown);
                                     try {
                                       co_await sleep_for(1h);
                                     } catch (const system_error&) {
                                       caught = true;
                                     }
                                     co_await sleep_for(1h);  // level-triggered: it throws again
                                   }));
  CHECK(caught);
  CHECK(code == StopReason::shutdown);
  CHECK(world.time.elapsed() == 1s);
}

TEST_CASE("the caller's cancel is noticed at any instant") {
  // The tree takes 6 s on its own. Whenever the cancel comes, everything ends at once, in order.
  for (int tick = 0; tick <= 7; ++tick) {
    World world;
    Stoppable<void> call(world);
    int alive = 0;
    const auto counted = [&alive](Clock::duration delay) {
      return [&alive, delay]() -> awaitable<void> {
        ++alive;
        const std::shared_ptr<int> guard(&alive, [](int* count) { --*count; });
        co_await sleep_for(delay);
      };
    };
    call.start(with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn(counted(2s));
      scope.spawn([&]() -> awaitable<void> {
        co_await with_scope(scope, [&](Scope& inner) -> awaitable<void> {
          inner.spawn(counted(3s));
          co_await sleep_for(6s);
        });
      });
      co_await sleep_for(5s);
    }));
    world.time.run_for(world.context, std::chrono::seconds(tick));
    call.stop();
    world.time.run(world.context);
    CAPTURE(tick);
    CHECK(call.ended);
    CHECK(alive == 0);
    CHECK(call.code() == (tick < 6 ? error_code(asio::error::operation_aborted) : error_code()));
    CHECK(world.time.elapsed() == std::chrono::seconds(tick));
    CHECK(live_children().value_or(0) == 0);
  }
}

TEST_CASE("a caller that was cancelled before it entered") {
  World world;
  Stoppable<void> call(world);
  error_code cause;
  bool body_aborted = false;
  const auto caller = [&]() -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    Timer timer(co_await asio::this_coro::executor);
    timer.expires_after(1h);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    try {
      co_await with_scope([&](Scope& scope) -> awaitable<void> {
        cause = scope.cause().code;
        co_await sleep_for(1h);
      });
    } catch (const system_error& error) {
      body_aborted = error.code() == asio::error::operation_aborted;
    }
  };
  call.start(caller());
  world.time.run_for(world.context, 0s);
  call.stop();
  world.time.run(world.context);
  CHECK(call.ended);
  CHECK(cause == StopReason::cancelled);
  CHECK(body_aborted);
  CHECK(world.time.elapsed() == 0s);
}

TEST_CASE("a caller that does not want its cancel thrown gets the body's value") {
  World world;
  Stoppable<void> call(world);
  int value = 0;
  const auto caller = [&]() -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    value = co_await with_scope([](Scope& scope) -> awaitable<int> {
      co_await asio::this_coro::throw_if_cancelled(false);
      Timer timer(scope.get_executor());
      timer.expires_after(1h);
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      co_return scope.cancelled() ? 3 : 4;
    });
  };
  call.start(caller());
  world.time.run_for(world.context, 1s);
  call.stop();
  world.time.run(world.context);
  CHECK(value == 3);
  CHECK(!call.error);
}

TEST_CASE("the first failure cancels the siblings and is rethrown") {
  World world;
  error_code cause;
  const auto failing = [&](auto failure) {
    return [&cause, failure](Scope& scope) -> awaitable<void> {
      scope.spawn(failure);
      co_await asio::this_coro::throw_if_cancelled(false);
      Timer timer(scope.get_executor());
      timer.expires_after(1h);
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      cause = scope.cause().code;
    };
  };
  SUBCASE("a child throws") {
    const auto body = failing([]() -> awaitable<void> {
      co_await sleep_for(1s);
      throw std::runtime_error("child");
    });
    CHECK_THROWS_WITH(world.run(with_scope(body)), "child");
  }
  SUBCASE("a child returns a result with an error") {
    const auto body = failing([]() -> awaitable<boost::system::result<int>> {
      co_await sleep_for(1s);
      co_return error_code(asio::error::connection_reset);
    });
    CHECK(code_thrown_by(world, with_scope(body)) == asio::error::connection_reset);
  }
  CHECK(cause == StopReason::sibling_failed);
  CHECK(world.time.elapsed() == 1s);
}

TEST_CASE(
    "a body that returns a result with an error cancels its children, and the result is returned") {
  World world;
  using Result = boost::system::result<int>;
  const auto result = world.run(with_scope([](Scope& scope) -> awaitable<Result> {
    scope.spawn([] { return sleep_for(1h); });
    co_await sleep_for(1s);
    co_return error_code(asio::error::eof);
  }));
  CHECK(result.error() == asio::error::eof);
  CHECK(world.time.elapsed() == 1s);
}

TEST_CASE("a child's result with a value does not affect other children") {
  World world;
  world.run(with_scope([](Scope& scope) -> awaitable<void> {
    scope.spawn([]() -> awaitable<boost::system::result<int>> { co_return 1; });
    co_await sleep_for(1s);
    CHECK(!scope.cancelled());
  }));
}

TEST_CASE("later errors are kept up to a bound") {
  World world;
  std::vector<std::string> kept;
  std::size_t bound = 0;
  const auto body = [&](Scope& scope) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (int i = 0; i < 20; ++i) {
      scope.spawn([i]() -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        Timer timer(co_await asio::this_coro::executor);
        timer.expires_after(i == 0 ? 1s : 1h);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        throw std::runtime_error(std::to_string(i));
      });
    }
    co_await scope.join();
    bound = Scope::max_errors;
    for (const auto& error : scope.errors()) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& thrown) {
        kept.emplace_back(thrown.what());
      }
    }
  };
  CHECK_THROWS_WITH(world.run(with_scope(body)), "0");
  CHECK(kept.size() == bound);
  CHECK(kept.front() == "0");
}

TEST_CASE("an error of a child after the body's end is not lost, nor its unwinding taken for one") {
  World world;
  CHECK_THROWS_WITH(world.run(with_scope([](Scope& scope) -> awaitable<int> {
    scope.spawn([]() -> awaitable<void> {
      co_await sleep_for(1s);
      throw std::runtime_error("late");
    });
    co_return 1;
  })),
                    "late");
  CHECK(world.run(with_scope([](Scope& scope) -> awaitable<int> {
    scope.spawn([] { return sleep_for(1h); });
    co_await sleep_for(1s);
    scope.cancel(StopReason::cancelled);
    co_return 2;
  })) == 2);
}

TEST_CASE("join waits for the children, not for the body") {
  World world;
  int sum = 0;
  const auto total = world.run(with_scope([&](Scope& scope) -> awaitable<int> {
    co_await scope.join();  // none yet
    for (int i = 1; i <= 3; ++i) {
      scope.spawn([&sum, i]() -> awaitable<void> {
        co_await sleep_for(std::chrono::seconds(i));
        sum += i;
      });
    }
    co_await scope.join();
    co_return sum;
  }));
  CHECK(total == 6);
  CHECK(world.time.elapsed() == 3s);
}

TEST_CASE("callables may be move-only, and live as long as the child") {
  World world;
  int value = 0;
  world.run(with_scope([&](Scope& scope) -> awaitable<void> {
    auto child = [&value, owned = std::make_unique<int>(5)]() -> awaitable<void> {
      co_await sleep_for(1s);
      value = *owned;
    };
    scope.spawn(std::move(child));
    co_return;
  }));
  CHECK(value == 5);
}

TEST_CASE(
    "B3: a shield is a child of its own: cleanup runs on after a cancel, up to its deadline") {
  World world;
  std::string said;
  const auto goodbye = [&said](Clock::duration delay) {
    return [&said, delay]() -> awaitable<void> {
      co_await sleep_for(delay);
      said += "goodbye";
    };
  };
  SUBCASE("in time") {
    const auto code = code_thrown_by(world, with_scope([&](Scope& scope) -> awaitable<void> {
                                       scope.deadline(1s);
                                       try {
                                         co_await sleep_for(1h);
                                       } catch (...) {
                                         scope.spawn_shielded(5s, goodbye(2s));
                                         throw;
                                       }
                                     }));
    CHECK(code == StopReason::deadline);
    CHECK(said == "goodbye");
    CHECK(world.time.elapsed() == 3s);
  }
  SUBCASE("cut off") {
    const auto code = code_thrown_by(world, with_scope([&](Scope& scope) -> awaitable<void> {
                                       scope.spawn_shielded(5s, goodbye(1h));
                                       scope.cancel(StopReason::shutdown);
                                       co_return;
                                     }));
    CHECK(code == StopReason::deadline);
    CHECK(said.empty());
    CHECK(world.time.elapsed() == 5s);
  }
  SUBCASE("the caller's cancel does not reach it either") {
    Stoppable<void> call(world);
    call.start(with_scope([&](Scope& scope) -> awaitable<void> {
      scope.spawn_shielded(5s, goodbye(2s));
      co_await sleep_for(1h);
    }));
    world.time.run_for(world.context, 1s);
    call.stop();
    world.time.run(world.context);
    CHECK(said == "goodbye");
    CHECK(call.code() == asio::error::operation_aborted);
    CHECK(world.time.elapsed() == 2s);
  }
}

TEST_CASE("a deadline can be moved, and one in the past cancels at once") {
  World world;
  const auto moved = code_thrown_by(world, with_scope([](Scope& scope) {
                                      scope.deadline(1s);
                                      scope.deadline(3s);
                                      return sleep_for(1h);
                                    }));
  CHECK(moved == StopReason::deadline);
  CHECK(world.time.elapsed() == 3s);
  Evidence evidence;
  const auto past = [&](Scope& scope) -> awaitable<void> {
    scope.deadline(Clock::now() - 1s);
    try {
      co_await sleep_for(1h);
    } catch (...) {
      evidence = scope.cause().evidence;
      throw;
    }
  };
  CHECK(code_thrown_by(world, with_scope(past)) == StopReason::deadline);
  CHECK(world.time.elapsed() == 3s);
  CHECK(evidence.clock == LimitClock::wall);
  CHECK(evidence.lateness == 1s);
}

TEST_CASE("B1 libcoro #273: scopes in a loop do not eat the stack") {
  World world;
  const auto many = []() -> awaitable<int> {
    int sum = 0;
    for (int i = 0; i < 100'000; ++i) {
      sum += co_await with_scope([](Scope&) -> awaitable<int> { co_return 1; });
    }
    co_return sum;
  };
  CHECK(world.run(many()) == 100'000);
}

TEST_CASE("destroying the io_context amid a tree destroys it cleanly") {
  struct Guard {
    explicit Guard(int& c) : count(c) { ++count; }
    ~Guard() { --count; }
    Guard(const Guard&) = delete;
    int& count;
  };
  int frames = 0;
  for (int steps = 0; steps < 40; ++steps) {
    VirtualTime time;
    {
      asio::io_context context;
      const auto leaf = [&frames](Clock::duration delay) {
        return [&frames, delay]() -> awaitable<void> {
          const Guard guard(frames);
          co_await sleep_for(delay);
        };
      };
      auto tree = [&](Scope& scope) -> awaitable<void> {
        const Guard guard(frames);
        scope.deadline(3s);
        scope.spawn(leaf(1s));
        scope.spawn_shielded(1h, leaf(4s));
        scope.spawn([&]() -> awaitable<void> {
          co_await with_scope(scope, [&](Scope& inner) -> awaitable<void> {
            const Guard deep(frames);
            inner.spawn(leaf(2s));
            inner.spawn(leaf(1h));
            co_await inner.join();
          });
        });
        co_await sleep_for(2s);
      };
      asio::co_spawn(context, with_scope(tree), [](const std::exception_ptr&) {});
      for (int i = 0; i < steps; ++i) {
        if (context.poll_one() == 0) {
          time.run_for(context, 500ms);
        }
      }
    }
    CHECK(frames == 0);
    CHECK(live_children().value_or(0) == 0);
  }
}

namespace {

/// What a child process that runs `f` writes to stderr, and the signal that ends it.
template <class F>
std::pair<std::string, int> in_child_process(F f) {
  int pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0);
  const auto pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[0]);
    std::set_terminate([] { _exit(3); });
    f();
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t n = 0; (n = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  return {text, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

}  // namespace

TEST_CASE(
    "a child that is destroyed while the executor runs on terminates with the place of its spawn") {
  const auto site = std::source_location::current();
  const auto [text, status] = in_child_process([&] {
    asio::io_context context;
    const auto loses_its_handler = [](auto token) {
      return asio::async_initiate<decltype(token), void()>(
          [](auto handler) { [[maybe_unused]] const auto lost = std::move(handler); }, token);
    };
    const auto body = [&](Scope& scope) -> awaitable<void> {
      scope.spawn([&]() -> awaitable<void> { co_await loses_its_handler(asio::deferred); }, site);
      co_await sleep_for(10s);
    };
    asio::co_spawn(context, with_scope(body), [](const std::exception_ptr&) {});
    context.run();
  });
  CAPTURE(text);
  CHECK(status == 3);
  CHECK(text.find("a scope was destroyed while its executor is running") != std::string::npos);
  CHECK(text.find("scope_test.cpp:" + std::to_string(site.line())) != std::string::npos);
}

namespace {

/// An executor that queues even when asked from within itself.
class Queueing {
 public:
  explicit Queueing(asio::io_context& context) : context_(&context) {}

  template <class F>
  void execute(F&& f) const {
    asio::post(*context_, std::forward<F>(f));
  }
  asio::execution_context& query(asio::execution::context_t) const noexcept { return *context_; }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  Queueing require(asio::execution::blocking_t::never_t) const { return *this; }
  friend bool operator==(const Queueing&, const Queueing&) noexcept = default;

 private:
  asio::io_context* context_;
};

}  // namespace

TEST_CASE("an executor that queues even from within itself is served too") {
  VirtualTime time;
  asio::io_context context;
  const asio::any_io_executor executor{Queueing(context)};
  std::string log;
  error_code code;
  const auto body = [&](Scope& scope) -> awaitable<int> {
    scope.spawn([&](Scope& own) -> awaitable<void> {
      log += "child ";
      own.cancel(StopReason::shutdown);
      co_return;
    });
    log += "body ";
    co_await sleep_for(1h);
    co_return 1;
  };
  asio::co_spawn(executor, with_scope(body), [&](std::exception_ptr error, int) {
    try {
      std::rethrow_exception(error);
    } catch (const system_error& thrown) {
      code = thrown.code();
    }
  });
  time.run(context);
  CHECK(log == "body child ");
  CHECK(code == StopReason::shutdown);

  int value = 0;
  asio::co_spawn(executor, with_scope([](Scope& scope) -> awaitable<int> {
                   scope.cancel(StopReason::shutdown);
                   co_return 2;
                 }),
                 [&](const std::exception_ptr&, int v) { value = v; });
  time.run(context);
  CHECK(value == 2);
}
