// Over the kernel's loopback, in real time: bounds are generous, and only reached when something is wrong.
#include "understudy/net/tcp.hpp"

#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "net/world.hpp"
#include "understudy/net/http_server.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

const auto loopback = asio::ip::make_address("127.0.0.1");

/// Runs a coroutine on a context of its own, for at most 30 s.
template <class Body>
void run(Body body) {
  asio::io_context context;
  std::exception_ptr thrown;
  const auto limited = [&]() -> awaitable<void> {
    const auto within = [&](Scope& scope) -> awaitable<void> {
      scope.deadline(30s);
      co_await body(scope);
    };
    co_await with_scope(within);
  };
  asio::co_spawn(context, limited, [&](const std::exception_ptr& error) { thrown = error; });
  context.run();
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

awaitable<void> echo(HttpExchange& exchange) {
  const auto body = co_await exchange.read_all();
  co_await exchange.begin(200, HttpFields());
  for (std::size_t at = 0; at < body->size(); at += 50'000) {
    co_await exchange.write(std::string_view(*body).substr(at, 50'000));
  }
  co_await exchange.finish();
}

}  // namespace

TEST_CASE("HTTP over TCP, and over TLS over TCP: bodies both ways on a kept connection") {
  for (const bool secure : {false, true}) {
    CAPTURE(secure);
    run([&](Scope& scope) -> awaitable<void> {
      auto server_options = HttpServerOptions();
      if (secure) {
        server_options.with_tls(certificates().server(testing::TestCertificates::Kind::good));
      }
      HttpServer server(server_options, echo);
      TcpAcceptor acceptor(scope.get_executor(), loopback, 0);
      const auto both = [&](Scope& inner) -> awaitable<void> {
        inner.spawn([&] { return server.serve(acceptor); });
        HttpClient client(scope.get_executor(),
                          HttpClientOptions().with_ca_file(certificates().ca_file()));
        const Endpoint endpoint(secure ? Scheme::https : Scheme::http, "127.0.0.1",
                                acceptor.port());
        for (const std::size_t size : {0U, 10U, 3'000'000U}) {
          HttpRequest request("POST", "/");
          request.with_body(std::string(size, 'x'));
          IgnoreIo nobody;
          const auto outcome = co_await fetch(client, endpoint, request, nobody);
          CHECK(!outcome.code);
          CHECK(outcome.body == request.body);
        }
        CHECK(client.idle_connections() == 1);
        CHECK(server.connections() == 1);
        client.close();
        server.drain();
        co_await inner.join();
      };
      co_await with_scope(both);
    });
  }
}

TEST_CASE("all addresses are tried, and the first error is returned if none answers") {
  run([&](Scope& scope) -> awaitable<void> {
    TcpAcceptor acceptor(scope.get_executor(), loopback, 0);
    TcpDialer dialer(scope.get_executor());
    // Nobody listens on 127.0.0.2 and 127.0.0.3.
    Addresses some{asio::ip::make_address("127.0.0.2"), asio::ip::make_address("127.0.0.3"),
                   loopback};
    auto connected = co_await dialer.dial(some, acceptor.port());
    CHECK(connected.has_value());
    some.pop_back();
    connected = co_await dialer.dial(some, acceptor.port());
    REQUIRE(connected.has_error());
    CHECK(connected.error().code == asio::error::connection_refused);
    CHECK(connected.error().text == "127.0.0.2");
    connected = co_await dialer.dial(Addresses(), acceptor.port());
    CHECK(connected.error().code == NetFault::no_address);
  });
}

TEST_CASE("a listener whose queue is full ends at the connect limit, and delays no other call") {
  run([&](Scope& scope) -> awaitable<void> {
    const auto executor = scope.get_executor();
    asio::ip::tcp::acceptor full(executor);
    full.open(asio::ip::tcp::v4());
    full.bind({loopback, 0});
    full.listen(0);
    const auto port = full.local_endpoint().port();
    std::vector<asio::ip::tcp::socket> queue;
    for (int i = 0; i < 4; ++i) {  // nobody accepts: the first fill the queue, the others hang
      queue.emplace_back(executor).async_connect({loopback, port}, [](error_code) {});
    }
    TcpAcceptor fine(executor, loopback, 0);

    HttpClient client(executor, HttpClientOptions());
    const auto start = Clock::now();
    Cause cause;
    const auto attempt = [&](Scope& inner) -> awaitable<void> {
      co_await asio::this_coro::throw_if_cancelled(false);
      const auto limits =
          stall_limits(StallSettings().with_connect(200ms), StallFacts(),
                       StallCodes(asio::error::connection_reset, asio::error::timed_out));
      StallTimer timer(inner, limits);
      StallObserver observer(timer);
      HttpRequest request("GET", "/");
      const auto outcome =
          co_await fetch(client, Endpoint(Scheme::http, "127.0.0.1", port), request, observer);
      CHECK(outcome.code == asio::error::operation_aborted);
      CHECK(outcome.phase == Phase::connect);
      cause = inner.cause();
    };
    co_await with_scope(attempt);
    CHECK(cause.code == asio::error::connection_reset);
    CHECK(cause.evidence.phase == Phase::connect);
    CHECK(Clock::now() - start >= 200ms);
    CHECK(Clock::now() - start < 10s);
    TcpDialer dialer(executor);
    const auto next = co_await dialer.dial(Addresses(1, loopback), fine.port());
    CHECK(next.has_value());
  });
}

TEST_CASE("a reset, an end, and our own abort, as the kernel shows them") {
  run([&](Scope& scope) -> awaitable<void> {
    TcpAcceptor acceptor(scope.get_executor(), loopback, 0);
    TcpDialer dialer(scope.get_executor());
    const auto pair = [&](std::unique_ptr<ByteStream>& near,
                          std::unique_ptr<ByteStream>& far) -> awaitable<void> {
      auto dialled = co_await dialer.dial(Addresses(1, loopback), acceptor.port());
      near = std::move(*dialled);
      auto accepted = co_await acceptor.accept();
      far = std::move(*accepted);
    };
    std::unique_ptr<ByteStream> near;
    std::unique_ptr<ByteStream> far;

    co_await pair(near, far);
    CHECK(near->idle());
    co_await say(*far, "half");
    far->close();
    CHECK(co_await hear(*near, "") == "half<End of file>");

    co_await pair(near, far);
    far->abort();
    CHECK(co_await hear(*near, "") == "<Connection reset by peer>");
    CHECK(near->readable());
    CHECK(!near->idle());

    co_await pair(near, far);
    std::string own;
    const auto both = [&](Scope& inner) -> awaitable<void> {
      inner.spawn([&]() -> awaitable<void> { own = co_await hear(*near, ""); });
      near->abort();
      co_await inner.join();
    };
    co_await with_scope(both);
    CHECK(own == "<Operation canceled>");
    CHECK(co_await hear(*far, "") == "<Connection reset by peer>");
  });
}

TEST_CASE("what a wait after a short read is for: bytes that came meanwhile are not missed") {
  run([&](Scope& scope) -> awaitable<void> {
    TcpAcceptor acceptor(scope.get_executor(), loopback, 0);
    TcpDialer dialer(scope.get_executor());
    auto near = co_await dialer.dial(Addresses(1, loopback), acceptor.port());
    auto far = co_await acceptor.accept();
    char buffer[64];
    for (int i = 0; i < 100; ++i) {
      co_await say(**far, "first");
      co_await (*near)->wait_readable();
      CHECK((*near)->try_read(buffer).bytes == 5);
      co_await say(**far, "second");  // before anybody waits for it
      CHECK((*near)->try_read(buffer).code == asio::error::would_block);
      co_await (*near)->wait_readable();
      CHECK((*near)->try_read(buffer).bytes == 6);
    }
  });
}

TEST_CASE("a byte wakes its reader once, also on a socket that Asio has connected") {
  asio::io_context elsewhere;
  asio::ip::tcp::acceptor acceptor(elsewhere, {loopback, 0});
  const auto port = acceptor.local_endpoint().port();
  asio::io_context context(1);
  int heard = 0;
  const auto read = [&]() -> awaitable<void> {
    TcpDialer dialer(context.get_executor());
    auto stream = co_await dialer.dial(Addresses(1, loopback), port);
    while (true) {
      const auto said = co_await hear(**stream, "x");
      if (said != "x") {
        co_return;
      }
      ++heard;
    }
  };
  asio::co_spawn(context, read, asio::detached);
  while (context.poll() > 0) {
  }
  auto peer = acceptor.accept();
  constexpr int bytes = 200;
  std::size_t woken = 0;
  for (int sent = 1; sent <= bytes; ++sent) {
    peer.send(asio::buffer("x", 1));
    while (heard < sent) {
      woken += context.poll();
    }
  }
  CHECK(woken < bytes * 3 / 2);
  peer.close();
  context.run();
}
