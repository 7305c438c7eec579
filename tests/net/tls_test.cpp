#include "understudy/net/tls.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "net/world.hpp"
#include "understudy/net/http_server.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

using Certificate = testing::TestCertificates::Kind;

TlsContext server_context(Certificate certificate) { return certificates().server(certificate); }

TlsContext client_context() {
  return TlsContext::client(TlsClientOptions().with_ca_file(certificates().ca_file())).value();
}

/// A handshake over memory; what the client made of it, and then a word each way.
struct Handshake {
  error_code code;
  std::string text;
  std::string heard;
};

Handshake shake(Certificate certificate, const std::string& host,
                TlsContext client = client_context()) {
  testing::VirtualTime time;
  asio::io_context context;
  auto [near, far] = memory_stream_pair(context.get_executor());
  Handshake outcome;
  const auto both = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> {
      auto server = co_await tls_accept(server_context(certificate), std::move(far));
      if (server.has_value()) {
        co_await say(**server, co_await hear(**server, "."));
        (*server)->shutdown_send();
      }
    });
    auto secure = co_await tls_connect(client, std::move(near), host);
    if (secure.has_error()) {
      outcome.code = secure.error().code;
      outcome.text = secure.error().text;
    } else {
      co_await say(**secure, "there and back.");
      outcome.heard = co_await hear(**secure, "");
    }
    co_await scope.join();
  };
  time.run(context, with_scope(both));
  return outcome;
}

}  // namespace

TEST_CASE("a certificate for the host, signed by the CA: bytes both ways, and a proper end") {
  for (const auto* host : {"api.test", "127.0.0.1", "a.wild.test"}) {
    CAPTURE(host);
    const auto outcome = shake(Certificate::good, host);
    CHECK(!outcome.code);
    CHECK(outcome.heard == "there and back.<End of file>");
  }
}

TEST_CASE("every certificate that cannot be verified") {
  struct Row {
    Certificate certificate;
    const char* host;
    const char* text;
  };
  const Row rows[] = {
      {Certificate::expired, "api.test", "certificate has expired"},
      {Certificate::wrong_host, "api.test", "hostname mismatch"},
      {Certificate::good, "api.test.evil.test", "hostname mismatch"},
      {Certificate::good, "a.b.wild.test", "hostname mismatch"},
      {Certificate::good, "127.0.0.2", "IP address mismatch"},
      {Certificate::self_signed, "api.test", "self-signed certificate"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.certificate);
    CAPTURE(row.host);
    const auto outcome = shake(row.certificate, row.host);
    CHECK(outcome.code == NetFault::certificate);
    CHECK(outcome.text == row.text);
  }
  // The system's CAs do not know ours.
  CHECK(shake(Certificate::good, "api.test", TlsContext::client(TlsClientOptions()).value()).code ==
        NetFault::certificate);
  CHECK(shake(Certificate::good, "").code == NetFault::tls_setup);
}

TEST_CASE("files that cannot be used are named") {
  const auto missing = TlsContext::client(TlsClientOptions().with_ca_file("/nowhere/ca.pem"));
  CHECK(missing.error().code == NetFault::tls_setup);
  CHECK(missing.error().text.find("/nowhere/ca.pem") != std::string::npos);
  const auto& ca_file = certificates().ca_file();
  CHECK(TlsContext::server("/nowhere", ca_file).error().code == NetFault::tls_setup);
  CHECK(TlsContext::server(ca_file, "/nowhere").error().code == NetFault::tls_setup);
  CHECK(TlsContext::server(ca_file, ca_file).error().code == NetFault::tls_setup);  // no key in it
}

TEST_CASE("a certificate and its key, from one file or from memory") {
  const auto both = certificates().certificate(Certificate::good) + certificates().key();
  const auto path = certificates().ca_file() + ".both";
  std::ofstream(path) << both;
  CHECK(TlsContext::server(path, path).has_value());
  std::filesystem::remove(path);
  CHECK(TlsContext::server_of_pem(both, both).has_value());
  CHECK(TlsContext::server_of_pem("", both).error().code == NetFault::tls_setup);
  CHECK(TlsContext::server_of_pem(both, "no key").error().code == NetFault::tls_setup);
  const testing::TestCertificates others;
  CHECK(TlsContext::server_of_pem(both, others.key()).error().code == NetFault::tls_setup);
}

TEST_CASE("a peer that does not speak TLS, ends amid the handshake, or falls silent") {
  struct Row {
    const char* said;
    bool closes;
    error_code code;
  };
  const Row rows[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", false, NetFault::tls},
      {"", true, NetFault::truncated},
      {"\x16\x03\x03", true, NetFault::truncated},
      {"", false, asio::error::operation_aborted},
  };
  for (const auto& row : rows) {
    CAPTURE(row.said);
    testing::VirtualTime time;
    asio::io_context context;
    auto [near, far] = memory_stream_pair(context.get_executor());
    std::string after;
    const auto both = [&](Scope& scope) -> awaitable<void> {
      co_await asio::this_coro::throw_if_cancelled(false);
      scope.deadline(10s);
      char byte = 0;
      while (far->try_read({&byte, 1}).bytes == 1) {
      }
      if (*row.said != '\0') {
        far->try_write(row.said);
      }
      if (row.closes) {
        far->shutdown_send();
      }
      const auto secure = co_await tls_connect(client_context(), std::move(near), "api.test");
      REQUIRE(secure.has_error());
      CHECK(secure.error().code == row.code);
    };
    time.run(context, with_scope(both));
    CHECK(time.elapsed() == (row.code == asio::error::operation_aborted ? 10s : 0s));
    CHECK(far->readable());  // our end is gone
  }
}

TEST_CASE("an end without close_notify is not a proper end") {
  testing::VirtualTime time;
  asio::io_context context;
  auto [near, far] = memory_stream_pair(context.get_executor());
  std::string heard;
  const auto both = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> {
      auto server = co_await tls_accept(server_context(Certificate::good), std::move(far));
      co_await say(**server, "half");
      co_await sleep_for(1s);
      (*server)->close();
    });
    auto secure = co_await tls_connect(client_context(), std::move(near), "api.test");
    heard = co_await hear(**secure, "");
    co_await scope.join();
  };
  time.run(context, with_scope(both));
  CHECK(heard == "half<connection ended before the end of the HTTP message>");
}

TEST_CASE("a large body through full pipes, both ways at once") {
  testing::VirtualTime time;
  asio::io_context context;
  auto [near, far] = memory_stream_pair(context.get_executor(), 1000);
  std::string body(300'000, 'x');
  body += '.';
  std::string there;
  std::string back;
  const auto both = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&]() -> awaitable<void> {
      auto server = co_await tls_accept(server_context(Certificate::good), std::move(far));
      const auto inner = [&](Scope& both_ways) -> awaitable<void> {
        both_ways.spawn([&] { return say(**server, body); });
        there = co_await hear(**server, ".");
        co_await both_ways.join();
      };
      co_await with_scope(inner);
    });
    auto client = co_await tls_connect(client_context(), std::move(near), "api.test");
    const auto inner = [&](Scope& both_ways) -> awaitable<void> {
      both_ways.spawn([&] { return say(**client, body); });
      back = co_await hear(**client, ".");
      co_await both_ways.join();
    };
    co_await with_scope(inner);
    co_await scope.join();
  };
  time.run(context, with_scope(both));
  CHECK(there == body);
  CHECK(back == body);
}

TEST_CASE("an HTTPS exchange in virtual time: directly, by a tunnel, and kept for the next") {
  for (const auto* proxy : {"", "http://proxy.test:443", "https://api.test:443"}) {
    CAPTURE(proxy);
    World world(HttpClientOptions()
                    .with_ca_file(certificates().ca_file())
                    .with_proxy(ProxyRules::always(proxy).value()));
    std::string asked;
    const auto peer = [&](ByteStream& raw) -> awaitable<void> {
      // `raw` is lent; TLS wants to own what is below it.
      struct Lent final : ByteStream {
        explicit Lent(ByteStream& s) : ByteStream(s.get_executor()), stream(s) {}
        IoResult try_read(std::span<char> b) noexcept override { return stream.try_read(b); }
        IoResult try_write(std::string_view d) noexcept override { return stream.try_write(d); }
        awaitable<void> wait_readable() override { return stream.wait_readable(); }
        awaitable<void> wait_writable() override { return stream.wait_writable(); }
        bool readable() const noexcept override { return stream.readable(); }
        void shutdown_send() noexcept override { stream.shutdown_send(); }
        void close() noexcept override { stream.close(); }
        void abort() noexcept override { stream.abort(); }
        ByteStream& stream;
      };
      std::unique_ptr<ByteStream> stream = std::make_unique<Lent>(raw);
      const std::string_view way = proxy;
      if (way.starts_with("https")) {
        auto secured = co_await tls_accept(server_context(Certificate::good), std::move(stream));
        stream = std::move(*secured);
      }
      if (!way.empty()) {
        asked += co_await hear(*stream, "\r\n\r\n");
        co_await say(*stream, "HTTP/1.1 200 Connection established\r\n\r\n");
      }
      auto secure = co_await tls_accept(server_context(Certificate::good), std::move(stream));
      for (int i = 0; i < 2; ++i) {
        asked += co_await hear(**secure, "\r\n\r\n");
        co_await say(**secure, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
      }
    };
    const Endpoint endpoint(Scheme::https, "api.test", 443);
    const auto call = [&]() -> awaitable<std::string> {
      const auto first = co_await fetch(world.client, endpoint);
      CHECK(world.client.idle_connections() == 1);
      const auto second = co_await fetch(world.client, endpoint);
      co_return first.body + second.body + first.text;
    };
    CHECK(world.run(peer, call, 443) == "hellohello");
    CHECK(world.network->dialled() == 1);
    const std::string get = "GET / HTTP/1.1\r\nhost: api.test\r\naccept-encoding: identity\r\n\r\n";
    const std::string connect =
        *proxy == '\0' ? "" : "CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\n\r\n";
    CHECK(asked == connect + get + get);
  }
}

TEST_CASE("a certificate that proves nothing reaches the caller as that, and no byte was sent") {
  World world(HttpClientOptions().with_ca_file(certificates().ca_file()));
  HttpServer server(HttpServerOptions().with_tls(server_context(Certificate::expired)),
                    [](HttpExchange& exchange) -> awaitable<void> {
                      CHECK_MESSAGE(false, "no request may come");
                      co_await exchange.respond(200, HttpFields(), "");
                    });
  const auto acceptor = world.network->listen(443);
  const auto both = [&](Scope& scope) -> awaitable<Outcome> {
    scope.spawn([&] { return server.serve(*acceptor); });
    auto outcome = co_await fetch(world.client, Endpoint(Scheme::https, "api.test", 443));
    server.drain();
    co_return outcome;
  };
  const auto outcome = world.time.run(world.context, with_scope(both));
  CHECK(outcome.code == NetFault::certificate);
  CHECK(outcome.phase == Phase::connect);
  CHECK(outcome.text == "certificate has expired");
}
