#include "understudy/net/byte_stream.hpp"

#include <doctest/doctest.h>

#include "net/world.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

struct Pair {
  testing::VirtualTime time;
  asio::io_context context;
  std::unique_ptr<ByteStream> a;
  std::unique_ptr<ByteStream> b;

  explicit Pair(std::size_t capacity = 64 * 1024) {
    std::tie(a, b) = memory_stream_pair(context.get_executor(), capacity);
  }
};

}  // namespace

TEST_CASE("bytes arrive in order, and a full direction waits for its reader") {
  Pair pair(4);
  const std::string text = "more than four bytes, both ways at once";
  std::string heard;
  const auto exchange = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> {
      co_await say(*pair.a, text);
      pair.a->shutdown_send();
    });
    co_await sleep_for(1s);
    heard = co_await hear(*pair.b, "");
  };
  pair.time.run(pair.context, with_scope(exchange));
  CHECK(heard == text + "<End of file>");
  CHECK(pair.time.elapsed() == 1s);
}

TEST_CASE("nothing there, the end, a reset, our own close: four different answers") {
  Pair pair;
  char buffer[8];
  CHECK(pair.a->try_read(buffer).code == asio::error::would_block);
  CHECK(pair.a->idle());
  CHECK(!pair.a->readable());

  CHECK(pair.b->try_write("abc").bytes == 3);
  CHECK(pair.a->readable());
  CHECK(!pair.a->idle());
  pair.b->close();
  CHECK(pair.a->try_read(buffer).bytes == 3);
  CHECK(pair.a->try_read(buffer).code == asio::error::eof);
  CHECK(pair.a->try_write("x").code == asio::error::connection_reset);
  CHECK(pair.b->try_read(buffer).code == asio::error::operation_aborted);

  std::tie(pair.a, pair.b) = memory_stream_pair(pair.context.get_executor());
  CHECK(pair.b->try_write("abc").bytes == 3);
  pair.b->abort();
  CHECK(pair.a->try_read(buffer).code == asio::error::connection_reset);
}

TEST_CASE("closing with bytes unread resets the peer, as TCP does") {
  Pair pair;
  char buffer[8];
  CHECK(pair.a->try_write("unread").bytes == 6);
  pair.b->close();
  CHECK(pair.a->try_read(buffer).code == asio::error::connection_reset);
}

TEST_CASE("closing wakes the waiters on both sides") {
  Pair pair;
  std::string near;
  std::string far;
  const auto wait = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> { near = co_await hear(*pair.a, ""); });
    scope.spawn([&]() -> awaitable<void> { far = co_await hear(*pair.b, ""); });
    co_await sleep_for(5s);
    pair.a->abort();
    co_await scope.join();
  };
  pair.time.run(pair.context, with_scope(wait));
  CHECK(near == "<Operation canceled>");
  CHECK(far == "<Connection reset by peer>");
  CHECK(pair.time.elapsed() == 5s);
}

TEST_CASE("a context that is destroyed amid a wait takes the waiting coroutine with it") {
  auto watch = std::make_shared<int>(0);
  std::weak_ptr<int> gone = watch;
  {
    asio::io_context context;
    auto [a, b] = memory_stream_pair(context.get_executor());
    auto wait = [](std::unique_ptr<ByteStream> stream, std::shared_ptr<int>) -> awaitable<void> {
      co_await stream->wait_readable();
    };
    asio::co_spawn(context, wait(std::move(a), std::move(watch)), [](const std::exception_ptr&) {});
    context.poll();
    CHECK(!gone.expired());
  }
  CHECK(gone.expired());
}
