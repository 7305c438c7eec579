// TLS, and the kernel's loopback in real time: its bounds are only reached when something is wrong.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "testing/stage.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/refusing_port.hpp"

using namespace stage;

namespace {

const auto loopback = asio::ip::make_address("127.0.0.1");
const Endpoint secure_endpoint(Scheme::https, "api.test", 443);

HttpClientOptions trusting() { return HttpClientOptions().with_ca_file(certificates().ca_file()); }

/// Runs `call(client, endpoint)` against a server on a TCP port, for at most 30 s.
template <class Call>
void play_tcp(FaultServer& server, Scheme scheme, Call call, int receive_buffer = 0) {
  asio::io_context context;
  TcpAcceptor acceptor(context.get_executor(), loopback, 0, receive_buffer);
  const Endpoint endpoint(scheme, "127.0.0.1", acceptor.port());
  bool done = false;
  const auto body = [&](Scope& scope) -> awaitable<void> {
    scope.deadline(30s);
    HttpClient client(context.get_executor(), trusting());  // its pool ends with it
    co_await race(server.serve(acceptor), call(client, endpoint));
    done = true;
  };
  asio::co_spawn(context, with_scope(body), asio::detached);
  context.run();
  CHECK(done);
  CHECK(server.open_connections() == 0);
}

/// Waits, in real time, until the server has seen the client's end.
awaitable<void> until_none_open(const FaultServer& server) {
  while (server.open_connections() > 0) {
    co_await sleep_for(1ms);
  }
}

}  // namespace

TEST_CASE("certificates, good and bad, in virtual time") {
  using Kind = TestCertificates::Kind;
  for (const auto kind : {Kind::good, Kind::expired, Kind::wrong_host, Kind::self_signed}) {
    CAPTURE(static_cast<int>(kind));
    World world(trusting());
    FaultServer server(certificates());
    server.greet(Greeting::serve().with_certificate(kind));
    Outcome outcome;
    const auto call = [&]() -> awaitable<void> {
      outcome = co_await one(world.client, ask(Protocol::anthropic_messages), 60s, secure_endpoint);
      co_await sleep_for(1s);
    };
    play(world, server, call, 443);
    if (kind == Kind::good) {
      CHECK(outcome.status == 200);
      CHECK(read(Protocol::anthropic_messages, outcome.body).ending == Ending::complete);
      CHECK(server.requests() == 1);
    } else {
      CHECK(outcome.code == NetFault::certificate);
      CHECK(server.requests() == 0);
      CHECK(server.connections()[0].end != SeenEnd::open);
    }
  }
}

TEST_CASE("TLS that falls silent before, and after the handshake") {
  for (const auto& greeting : {Greeting::silence(), Greeting::unread()}) {
    CAPTURE(static_cast<int>(greeting.kind));
    World world(trusting());
    FaultServer server(certificates());
    server.greet(greeting);
    Recorder observer;
    const auto call = [&]() -> awaitable<void> {
      const auto body = [&](Scope& scope) -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        scope.deadline(10s);
        const auto request = ask(Protocol::anthropic_messages);
        const auto outcome = co_await fetch(world.client, secure_endpoint, request, observer);
        CHECK(outcome.code == asio::error::operation_aborted);
      };
      co_await with_scope(body);
      co_await sleep_for(10ms);
    };
    play(world, server, call, 443);
    const bool shook_hands = greeting.kind == Greeting::Kind::unread;
    CHECK(observer.phases.back() == (shook_hands ? Phase::first_progress : Phase::connect));
    CHECK(server.connections()[0].end == SeenEnd::client_reset);
    CHECK(server.connections()[0].ended - Clock::time_point() <= 10005ms);
  }
}

TEST_CASE("TLS cut by RST and by FIN amid an answer") {
  for (const bool resets : {true, false}) {
    CAPTURE(resets);
    World world(trusting());
    FaultServer server(certificates());
    auto reply = Reply::answer().after(3, resets ? Fault::reset() : Fault::close());
    server.reply(std::move(reply));
    Outcome outcome;
    const auto call = [&]() -> awaitable<void> {
      outcome = co_await one(world.client, ask(Protocol::openai_chat), 60s, secure_endpoint);
    };
    play(world, server, call, 443);
    CHECK(outcome.code ==
          (resets ? error_code(asio::error::connection_reset) : error_code(NetFault::truncated)));
  }
}

TEST_CASE(
    "over real sockets, plain and TLS: an answer, heartbeats until the client goes, a reset, a "
    "cut") {
  for (const auto scheme : {Scheme::http, Scheme::https}) {
    CAPTURE(static_cast<int>(scheme));
    const auto& known = certificates();
    std::optional<FaultServer> made;
    scheme == Scheme::https ? made.emplace(known) : made.emplace();
    auto& server = *made;
    server.reply(Reply::answer())
        .reply(Reply::answer().after(2, Fault::silence(5ms)))
        .reply(Reply::answer().after(2, Fault::reset()))
        .reply(Reply::answer().close_at(100));
    play_tcp(server, scheme, [&](HttpClient& client, const Endpoint& endpoint) -> awaitable<void> {
      const auto request = ask(Protocol::openai_responses);
      const auto good = co_await one(client, request, 20s, endpoint);
      CHECK(read(Protocol::openai_responses, good.body).ending == Ending::complete);
      const auto stalled = co_await one(client, request, 200ms, endpoint);
      CHECK(stalled.code == asio::error::operation_aborted);
      CHECK(read(Protocol::openai_responses, stalled.body).heartbeats > 0);
      const auto broken = co_await one(client, request, 20s, endpoint);
      CHECK(broken.code == asio::error::connection_reset);
      const auto cut = co_await one(client, request, 20s, endpoint);
      CHECK(cut.code == NetFault::truncated);
      co_await until_none_open(server);
    });
    REQUIRE(server.connections().size() == 3);
    CHECK(server.connections()[0].requests.size() == 2);
    CHECK(server.connections()[0].end == SeenEnd::client_reset);
    CHECK(server.connections()[0].ended - server.connections()[0].began >= 200ms);
    CHECK(server.connections()[1].end == SeenEnd::server);
  }
}

TEST_CASE(
    "over TCP: a small receive buffer that nobody empties stalls the write, and the client's end "
    "is seen") {
  FaultServer server;
  server.greet(Greeting::unread());
  const auto call = [&](HttpClient& client, const Endpoint& endpoint) -> awaitable<void> {
    HttpRequest request("POST", "/v1/messages");
    request.with_body(std::string(std::size_t{32} * 1024 * 1024, 'x'));
    const auto outcome = co_await one(client, request, 200ms, endpoint);
    CHECK(outcome.code == asio::error::operation_aborted);
    CHECK(outcome.phase == Phase::write);
    co_await until_none_open(server);
  };
  play_tcp(server, Scheme::http, call, 4096);
  CHECK(server.connections()[0].end == SeenEnd::client_reset);
  CHECK(server.requests() == 0);
}

TEST_CASE("a port that refuses") {
  const RefusingPort port;
  asio::io_context context;
  HttpClient client(context.get_executor(), HttpClientOptions());
  Outcome outcome;
  const auto call = [&]() -> awaitable<void> {
    outcome = co_await one(client, ask(Protocol::openai_chat), 20s,
                           Endpoint(Scheme::http, "127.0.0.1", port.number()));
  };
  asio::co_spawn(context, call(), asio::detached);
  context.run();
  CHECK(outcome.code == asio::error::connection_refused);
  CHECK(outcome.phase == Phase::connect);
}
