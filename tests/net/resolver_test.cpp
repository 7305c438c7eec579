#include "understudy/net/resolver.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/detached.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <optional>

#include "understudy/runtime/local_fault.hpp"
#include "understudy/runtime/scope.hpp"

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;

namespace {

const auto somewhere = asio::ip::make_address("192.0.2.1");

/// Shared with lookup threads that nobody joins.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_for_waiting(int n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

template <class T>
T run(awaitable<T> coroutine) {
  asio::io_context context;
  std::optional<T> result;
  asio::co_spawn(context, std::move(coroutine), [&](const std::exception_ptr& error, T value) {
    if (error) {
      std::rethrow_exception(error);
    }
    result.emplace(std::move(value));
  });
  context.run();
  return std::move(*result);
}

}  // namespace

TEST_CASE("literals never reach a thread, an empty answer is an error") {
  std::atomic<int> lookups = 0;
  SystemResolver resolver(ResolverOptions().with_lookup([&](const std::string&) {
    ++lookups;
    return NetResult<Addresses>(Addresses());
  }));
  CHECK(run(resolver.resolve("127.0.0.1")).value().front().is_loopback());
  CHECK(run(resolver.resolve("2001:db8::1")).value().front().is_v6());
  CHECK(lookups == 0);
  CHECK(run(resolver.resolve("nobody.test")).error().code == NetFault::no_address);
  CHECK(lookups == 1);
}

TEST_CASE("one lookup for a name, however many ask, and a cache after it") {
  const auto gate = std::make_shared<Gate>();
  std::atomic<int> lookups = 0;
  SystemResolver resolver(ResolverOptions().with_lookup([&, gate](const std::string&) {
    ++lookups;
    gate->wait();
    return NetResult<Addresses>(Addresses(1, somewhere));
  }));
  asio::io_context context;
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    asio::co_spawn(context, resolver.resolve("api.test"),
                   [&](const std::exception_ptr&, const NetResult<Addresses>& found) {
                     answered += found.has_value() && found->front() == somewhere;
                   });
  }
  context.poll();
  gate->open();
  context.run();
  CHECK(answered == 100);
  CHECK(lookups == 1);
  CHECK(run(resolver.resolve("api.test")).has_value());
  CHECK(lookups == 1);
}

TEST_CASE("an answer that is not fresh: asked again, and served where that fails or hangs") {
  const auto gate = std::make_shared<Gate>();
  std::atomic<int> lookups = 0;
  const auto options = ResolverOptions().with_fresh_for(-1ns).with_stale_after(20ms).with_lookup(
      [&, gate](const std::string&) -> NetResult<Addresses> {
        switch (++lookups) {
          case 1: return Addresses(1, somewhere);
          case 2: return NetError(asio::error::host_not_found, Phase::connect);
          default: gate->wait(); return Addresses(1, asio::ip::make_address("192.0.2.2"));
        }
      });
  SystemResolver resolver(options);
  CHECK(run(resolver.resolve("api.test")).value().front() == somewhere);
  // It fails, and then it hangs. A lookup's thread may be late, so that several are served for one lookup.
  while (lookups < 3) {
    CHECK(run(resolver.resolve("api.test")).value().front() == somewhere);
  }
  CHECK(run(resolver.resolve("api.test")).value().front() == somewhere);
  CHECK(lookups == 3);
  gate->open();
}

TEST_CASE("too old to be served") {
  int lookups = 0;
  const auto options = ResolverOptions().with_fresh_for(-1ns).with_stale_for(-1ns).with_lookup(
      [&](const std::string&) -> NetResult<Addresses> {
        if (++lookups == 1) {
          return Addresses(1, somewhere);
        }
        return NetError(asio::error::host_not_found, Phase::connect);
      });
  SystemResolver resolver(options);
  CHECK(run(resolver.resolve("api.test")).has_value());
  CHECK(run(resolver.resolve("api.test")).error().code == asio::error::host_not_found);
}

TEST_CASE("a lookup that hangs delays no other lookup, and does not keep its caller from ending") {
  const auto gate = std::make_shared<Gate>();
  const auto lookup = [gate](const std::string& host) -> NetResult<Addresses> {
    if (host == "hung.test") {
      gate->wait();
    }
    return Addresses(1, somewhere);
  };
  SystemResolver resolver(ResolverOptions().with_lookup(lookup).with_max_threads(2));
  const auto attempt = [&](Scope& scope) -> awaitable<int> {
    scope.spawn([&] { return resolver.resolve("hung.test"); });
    const auto found = co_await resolver.resolve("fine.test");
    CHECK(found.has_value());
    gate->wait_for_waiting(1);
    scope.cancel(StopReason::lost);  // with_scope joins the one that hangs
    co_return 0;
  };
  run(with_scope(attempt));
  {
    asio::io_context context;  // and one that is destroyed while somebody waits
    asio::co_spawn(context, resolver.resolve("hung.test"), asio::detached);
    context.poll();
  }
  gate->open();
}

TEST_CASE("all threads hang: names wait in a bounded queue") {
  const auto gate = std::make_shared<Gate>();
  auto options = ResolverOptions().with_max_threads(1).with_lookup([&, gate](const std::string&) {
    gate->wait();
    return NetResult<Addresses>(Addresses(1, somewhere));
  });
  options.max_queued = 1;
  SystemResolver resolver(options);
  asio::io_context context;
  std::optional<error_code> refused;
  int answered = 0;
  const auto ask = [&](const char* host) {
    asio::co_spawn(context, resolver.resolve(host),
                   [&](const std::exception_ptr&, const NetResult<Addresses>& found) {
                     answered += found.has_value();
                     if (found.has_error()) {
                       refused = found.error().code;
                     }
                   });
    context.poll();
    context.restart();
  };
  ask("a.test");
  gate->wait_for_waiting(1);
  ask("b.test");
  ask("c.test");
  REQUIRE(refused);
  CHECK(*refused == NetFault::resolver_busy);
  gate->open();
  context.run();
  CHECK(answered == 2);
}

TEST_CASE("a lookup that gets no memory fails with that error, and the program continues") {
  SystemResolver resolver(ResolverOptions().with_lookup(
      [](const std::string&) -> NetResult<Addresses> { throw std::bad_alloc(); }));
  CHECK(run(resolver.resolve("api.test")).error().code == LocalFault::memory);
  CHECK(run(resolver.resolve("api.test")).error().code == LocalFault::memory);
}

TEST_CASE("the system's own lookup") {
  const auto found = run(SystemResolver::shared()->resolve("localhost"));
  REQUIRE(found.has_value());
  CHECK(found->front().is_loopback());
}

// Last in this file, though any place would do: this program ends although the lookup never does.
TEST_CASE("a lookup that never ends does not delay the end of the process") {
  const auto gate = std::make_shared<Gate>();
  auto* resolver = new SystemResolver(ResolverOptions().with_lookup([&, gate](const std::string&) {
    gate->wait();
    return NetResult<Addresses>(Addresses());
  }));
  asio::io_context context;
  asio::co_spawn(context, resolver->resolve("hung.test"), asio::detached);
  context.poll();
  gate->wait_for_waiting(1);
  delete resolver;  // does not wait either
}
