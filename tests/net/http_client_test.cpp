#include "understudy/net/http_client.hpp"

#include <doctest/doctest.h>

#include "net/world.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string hello = ok + "content-length: 5\r\n\r\nhello";

/// A peer that hears a request without a body, says `text`, and then reads on until we are gone.
World::Peer answering(std::string text) {
  return [text](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    co_await say(stream, text);
    co_await hear(stream, "");
  };
}

Outcome answer(const std::string& text) {
  World world;
  const auto call = [&] { return fetch(world.client); };
  return world.run(answering(text), call);
}

StallLimits stall_limits_of_design() {
  return stall_limits(StallSettings(), StallFacts(),
                      StallCodes(asio::error::connection_reset, asio::error::timed_out));
}

/// Sends under a StallTimer; the cause it ended with, and when.
struct Stalled {
  Cause cause;
  Outcome outcome;
};

awaitable<Stalled> under_stall_timer(HttpClient& client, const HttpRequest& request) {
  Stalled stalled;
  const auto attempt = [&](Scope& scope) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    StallTimer timer(scope, stall_limits_of_design());
    StallObserver observer(timer);
    stalled.outcome = co_await fetch(client, http_endpoint(), request, observer);
    stalled.cause = scope.cause();
  };
  co_await with_scope(attempt);
  co_return stalled;
}

}  // namespace

TEST_CASE("a request as it is sent: what the caller gave, and nothing of another client") {
  World world;
  std::string heard;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    heard = co_await hear(stream, "{}");
    co_await say(stream, hello);
  };
  const auto call = [&]() -> awaitable<Outcome> {
    HttpRequest request("POST", "/v1/messages?beta=1");
    request.with_header("x-api-key", "secret").with_body("{}");
    IgnoreIo nobody;
    co_return co_await fetch(world.client, Endpoint(Scheme::http, "api.test", 8080), request,
                             nobody);
  };
  const auto outcome = world.run(peer, call, 8080);
  CHECK(outcome.status == 200);
  CHECK(outcome.body == "hello");
  CHECK(heard ==
        "POST /v1/messages?beta=1 HTTP/1.1\r\nhost: api.test:8080\r\n"
        "accept-encoding: identity\r\ncontent-length: 2\r\nx-api-key: secret\r\n\r\n{}");
}

TEST_CASE("bodies: by length, in chunks, to the end; interim responses are skipped") {
  CHECK(answer(hello).body == "hello");
  CHECK(answer(ok + "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
            .body == "hello world");
  CHECK(answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + hello)
            .body == "hello");
  World world;
  const auto to_the_end = [&](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    co_await say(stream, ok + "\r\nuntil I close");
  };
  const auto call = [&] { return fetch(world.client); };
  const auto outcome = world.run(to_the_end, call);
  CHECK(outcome.body == "until I close");
  CHECK(!outcome.code);
  CHECK(world.client.idle_connections() == 0);
}

TEST_CASE("each rejected answer has its own error, which names the phase") {
  struct Row {
    std::string response;
    NetFault fault;
    const char* text;
  };
  std::string endless;
  for (int i = 0; i < 100; ++i) {
    endless += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  const Row rows[] = {
      {"HTTP/1.1 307 Go\r\nlocation: https://else.test/\r\n\r\n", NetFault::redirect,
       "307 to https://else.test/"},
      {"HTTP/1.1 304 Same\r\n\r\n", NetFault::redirect, "304 to nowhere"},
      {"HTTP/1.1 101 Switching\r\n\r\n", NetFault::malformed, "unrequested protocol switch (101)"},
      {ok + "content-encoding: gzip\r\ncontent-length: 1\r\n\r\nx", NetFault::content_encoding,
       "gzip"},
      {ok + "x: " + std::string(20000, 'x') + "\r\n\r\n", NetFault::header_too_large, ""},
      {"220 smtp.test ESMTP\r\n", NetFault::malformed, "bad version"},
      {endless, NetFault::too_many_interim, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.response.substr(0, 60));
    const auto outcome = answer(row.response);
    CHECK(outcome.code == row.fault);
    CHECK(outcome.phase == Phase::first_progress);
    CHECK(outcome.text == row.text);
  }
}

TEST_CASE("FIN or RST at any offset of an answer: the error, and of the body what came") {
  const std::string head = ok + "transfer-encoding: chunked\r\n\r\n";
  const std::string response = head + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
  const std::string body = "hello world";
  for (const bool reset : {false, true}) {
    for (std::size_t offset = 0; offset <= response.size(); ++offset) {
      CAPTURE(reset);
      CAPTURE(offset);
      World world;
      const auto peer = [&](ByteStream& stream) -> awaitable<void> {
        co_await hear(stream, "\r\n\r\n");
        co_await say(stream, response.substr(0, offset));
        co_await sleep_for(1s);  // so that it is read before a reset takes it away
        if (reset) {
          stream.abort();
        }
      };
      const auto call = [&] { return fetch(world.client); };
      const auto outcome = world.run(peer, call);
      const error_code expected =
          reset ? error_code(asio::error::connection_reset) : error_code(NetFault::truncated);
      CHECK(outcome.code == (offset == response.size() ? error_code() : expected));
      CHECK(outcome.status == (offset < head.size() ? 0 : 200));
      CHECK(body.starts_with(outcome.body));
      CHECK((outcome.body == body) == (offset >= response.size() - 7));
    }
  }
}

TEST_CASE("phases, in their order, and the bytes that came") {
  World world;
  Recorder recorder;
  const auto call = [&]() -> awaitable<Outcome> {
    HttpRequest request("GET", "/");
    co_await fetch(world.client, http_endpoint(), request, recorder);
    co_return co_await fetch(world.client, http_endpoint(), request, recorder);
  };
  const auto peer = [](ByteStream& stream) -> awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      co_await hear(stream, "\r\n\r\n");
      co_await say(stream, hello);
    }
  };
  CHECK(world.run(peer, call).body == "hello");
  CHECK(world.network->dialled() == 1);
  CHECK(recorder.bytes == 2 * hello.size());
  const std::vector<Phase> expected{Phase::connect, Phase::write, Phase::first_progress,
                                    Phase::write, Phase::first_progress};
  CHECK(recorder.phases == expected);
}

TEST_CASE(
    "a kept connection that closes at once without a byte is stale; the request is sent once") {
  struct Row {
    const char* said;  // before the second answer's end, on the kept connection
    Clock::duration after;
    bool reset;
    error_code code;
  };
  for (const auto& row :
       {Row{"", 0s, false, NetFault::stale_connection},
        Row{"", 0s, true, NetFault::stale_connection},
        Row{"", 250ms, false, NetFault::stale_connection},
        Row{"", 251ms, false, NetFault::truncated}, Row{"", 2s, false, NetFault::truncated},
        Row{"", 2s, true, asio::error::connection_reset},
        Row{"H", 0s, false, NetFault::truncated}}) {
    CAPTURE(row.said);
    CAPTURE(row.after.count());
    CAPTURE(row.reset);
    World world;
    int requests = 0;
    const auto peer = [&](ByteStream& stream) -> awaitable<void> {
      co_await hear(stream, "\r\n\r\n");
      ++requests;
      co_await say(stream, hello);
      co_await hear(stream, "\r\n\r\n");
      ++requests;
      co_await sleep_for(row.after);
      co_await say(stream, row.said);
      if (row.reset) {
        stream.abort();
      }
    };
    const auto call = [&]() -> awaitable<Outcome> {
      co_await fetch(world.client);
      co_return co_await fetch(world.client);
    };
    CHECK(world.run(peer, call).code == row.code);
    CHECK(world.network->dialled() == 1);
    CHECK(requests == 2);
  }
}

TEST_CASE("after a stale connection, those that were kept for longer are not used any more") {
  World world;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    co_await sleep_for(1s);  // so that both are needed
    co_await say(stream, hello);
    co_await hear(stream, "\r\n\r\n");
  };
  const auto call = [&]() -> awaitable<Outcome> {
    auto both = [&](Scope& scope) -> awaitable<void> {
      auto other = [&]() -> awaitable<void> { co_await fetch(world.client); };
      scope.spawn(std::move(other));
      co_await fetch(world.client);
    };
    co_await with_scope(std::move(both));
    CHECK(world.client.idle_connections() == 2);
    const auto stale = co_await fetch(world.client);
    CHECK(stale.code == NetFault::stale_connection);
    CHECK(world.client.idle_connections() == 0);
    co_return co_await fetch(world.client);
  };
  CHECK(world.run(peer, call).body == "hello");
  CHECK(world.network->dialled() == 3);
}

TEST_CASE("a request that wants a fresh connection is not sent on one that was kept") {
  World world;
  const auto call = [&]() -> awaitable<Outcome> {
    co_await fetch(world.client);
    CHECK(world.client.idle_connections() == 1);
    HttpRequest request("GET", "/");
    request.with_fresh_connection(true);
    IgnoreIo nobody;
    co_return co_await fetch(world.client, http_endpoint(), request, nobody);
  };
  CHECK(world.run(answering(hello), call).body == "hello");
  CHECK(world.network->dialled() == 2);
}

TEST_CASE("on a fresh connection a request is never sent twice") {
  World world;
  int requests = 0;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    ++requests;
  };
  const auto call = [&] { return fetch(world.client); };
  const auto outcome = world.run(peer, call);
  CHECK(outcome.code == NetFault::truncated);
  CHECK(requests == 1);
}

TEST_CASE("a connection that the peer closed, or spoke on, while it idled is not used again") {
  for (const bool speaks : {false, true}) {
    CAPTURE(speaks);
    World world;
    const auto peer = [&](ByteStream& stream) -> awaitable<void> {
      co_await hear(stream, "\r\n\r\n");
      co_await say(stream, hello);
      co_await sleep_for(1s);
      if (speaks) {
        co_await say(stream, "HTTP/1.1 408 Request Timeout\r\n\r\n");
        co_await hear(stream, "");
      }
    };
    const auto call = [&]() -> awaitable<Outcome> {
      co_await fetch(world.client);
      CHECK(world.client.idle_connections() == 1);
      co_await sleep_for(2s);
      co_return co_await fetch(world.client);
    };
    CHECK(world.run(peer, call).body == "hello");
    CHECK(world.network->dialled() == 2);
  }
}

TEST_CASE("what is not kept: asked to close, bytes behind the answer, a body not read") {
  for (const std::string& response :
       {ok + "connection: close\r\ncontent-length: 5\r\n\r\nhello", hello + "and more"}) {
    CAPTURE(response);
    World world;
    const auto call = [&]() -> awaitable<Outcome> {
      auto outcome = co_await fetch(world.client);
      CHECK(world.client.idle_connections() == 0);
      co_return outcome;
    };
    CHECK(world.run(answering(response), call).body == "hello");
  }
  World world;
  std::string after;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    co_await say(stream, ok + "content-length: 50\r\n\r\nhello");
    after = co_await hear(stream, "");
  };
  const auto call = [&]() -> awaitable<void> {
    HttpRequest request("GET", "/");
    IgnoreIo nobody;
    {
      auto response = co_await world.client.send(http_endpoint(), request, nobody);
      CHECK(response.has_value());
    }
    co_await sleep_for(1s);
  };
  world.run(peer, call);
  CHECK(after == "<Connection reset by peer>");
  CHECK(world.client.idle_connections() == 0);
}

TEST_CASE("idle connections: closed when their time is up, and by close()") {
  World world;
  std::string heard;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    co_await say(stream, hello);
    heard = co_await hear(stream, "");
  };
  const auto call = [&]() -> awaitable<void> {
    co_await fetch(world.client);
    co_await sleep_for(30s - 1ms);
    CHECK(world.client.idle_connections() == 1);
    co_await sleep_for(2ms);
    CHECK(world.client.idle_connections() == 0);
    CHECK(heard == "<End of file>");
    co_await fetch(world.client);
    CHECK(world.client.idle_connections() == 1);
    world.client.close();
    CHECK(world.client.idle_connections() == 0);
  };
  world.run(peer, call);
  world.time.run(world.context);  // nothing is left to wait for
}

TEST_CASE("the pool's limit: later calls wait, in order, and get the connection") {
  World world(HttpClientOptions().with_max_connections(1));
  std::string order;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      co_await hear(stream, "\r\n\r\n");
      co_await sleep_for(10s);
      co_await say(stream, hello);
    }
  };
  const auto call = [&]() -> awaitable<void> {
    Recorder third;
    const auto all = [&](Scope& scope) -> awaitable<void> {
      const auto one = [&](IoObserver& observer, char name) -> awaitable<void> {
        HttpRequest request("GET", "/");
        const auto outcome = co_await fetch(world.client, http_endpoint(), request, observer);
        CHECK(outcome.body == "hello");
        order += name;
      };
      IgnoreIo nobody;
      scope.spawn([&] { return one(nobody, 'a'); });
      scope.spawn([&] { return one(nobody, 'b'); });
      scope.spawn([&] { return one(third, 'c'); });
      co_await scope.join();
    };
    co_await with_scope(all);
    CHECK(third.phases.front() == Phase::pool_wait);
  };
  world.run(peer, call);
  CHECK(order == "abc");
  CHECK(world.network->dialled() == 1);
  CHECK(world.time.elapsed() == 30s);
}

TEST_CASE(
    "a call that is cancelled while it waits for the pool leaves the connection to the next") {
  World world(HttpClientOptions().with_max_connections(1));
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      co_await hear(stream, "\r\n\r\n");
      co_await sleep_for(10s);
      co_await say(stream, hello);
    }
  };
  const auto call = [&]() -> awaitable<void> {
    const auto all = [&](Scope& scope) -> awaitable<void> {
      scope.spawn([&] { return fetch(world.client); });
      scope.spawn([&]() -> awaitable<void> {
        const auto hurried = [&](Scope& inner) -> awaitable<void> {
          co_await asio::this_coro::throw_if_cancelled(false);
          inner.deadline(1s);
          const auto outcome = co_await fetch(world.client);
          CHECK(outcome.code == asio::error::operation_aborted);
          CHECK(outcome.phase == Phase::pool_wait);
        };
        co_await with_scope(hurried);
      });
      scope.spawn([&]() -> awaitable<void> {
        const auto outcome = co_await fetch(world.client);
        CHECK(outcome.body == "hello");
      });
      co_await scope.join();
    };
    co_await with_scope(all);
  };
  world.run(peer, call);
  CHECK(world.time.elapsed() == 20s);
}

TEST_CASE("every way to hang ends at its limit, with its phase, and the connection is reset") {
  const std::string head = ok + "transfer-encoding: chunked\r\n\r\n";
  const std::string beat = "e\r\n: keep-alive\n\n\r\n";
  struct Row {
    const char* name;
    World::Peer peer;
    Phase phase;
    Clock::duration after;
  };
  std::string last;  // what the peer saw of our end
  const Row rows[] = {
      {"accepts, then silence",
       [&](ByteStream& stream) -> awaitable<void> { last = co_await hear(stream, ""); },
       Phase::first_progress, 180s},
      {"headers, then nothing",
       [&](ByteStream& stream) -> awaitable<void> {
         co_await hear(stream, "\r\n\r\n");
         co_await say(stream, head);
         last = co_await hear(stream, "");
       },
       Phase::first_progress, 180s},
      {"headers by drips, for ever",
       [&](ByteStream& stream) -> awaitable<void> {
         for (char c : std::string_view("HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")) {
           if (co_await say(stream, std::string_view(&c, 1))) {
             break;
           }
           co_await sleep_for(10s);
         }
         last = co_await hear(stream, "");
       },
       Phase::first_progress, 180s},
      {"heartbeats for ever",
       [&](ByteStream& stream) -> awaitable<void> {
         co_await hear(stream, "\r\n\r\n");
         co_await say(stream, head);
         while (!co_await say(stream, beat)) {
           co_await sleep_for(10s);
         }
         last = "<Connection reset by peer>";
       },
       Phase::first_progress, 180s},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    last.clear();
    World world;
    Clock::duration took{};
    const auto call = [&]() -> awaitable<Stalled> {
      HttpRequest request("GET", "/");
      auto stalled = co_await under_stall_timer(world.client, request);
      took = world.time.elapsed();
      co_await sleep_for(11s);
      co_return stalled;
    };
    const auto stalled = world.run(row.peer, call);
    CHECK(stalled.cause.code == asio::error::timed_out);
    CHECK(stalled.cause.evidence.phase == row.phase);
    CHECK(stalled.outcome.code == asio::error::operation_aborted);
    CHECK(took == row.after);
    CHECK(last.ends_with("<Connection reset by peer>"));
  }
}

TEST_CASE("a name, a connect, a peer that never reads: the connection's limits") {
  HttpRequest request("POST", "/");
  request.with_body(std::string(8 << 20, 'x'));
  {
    World world;
    world.resolver->hang("api.test");
    const auto stalled = world.time.run(world.context, under_stall_timer(world.client, request));
    CHECK(stalled.cause.evidence.phase == Phase::connect);
    CHECK(world.time.elapsed() == 10s);
  }
  {
    World world;
    world.network->black_hole(80);
    const auto stalled = world.time.run(world.context, under_stall_timer(world.client, request));
    CHECK(stalled.cause.evidence.phase == Phase::connect);
    CHECK(stalled.cause.code == asio::error::connection_reset);
    CHECK(world.time.elapsed() == 10s);
  }
  {
    World world;
    const auto never_reads = [](ByteStream&) -> awaitable<void> { co_await sleep_for(1h); };
    const auto call = [&] { return under_stall_timer(world.client, request); };
    const auto stalled = world.run(never_reads, call);
    CHECK(stalled.cause.evidence.phase == Phase::write);
    CHECK(world.time.elapsed() == 30s);
  }
}

TEST_CASE("an answer that comes while the request is still being sent counts") {
  World world;
  const auto early = [](ByteStream& stream) -> awaitable<void> {
    co_await say(stream, "HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    co_await hear(stream, "\r\n\r\n");
    stream.shutdown_send();
    co_await sleep_for(1s);
  };
  const auto call = [&]() -> awaitable<Outcome> {
    HttpRequest request("POST", "/");
    request.with_body("small");
    IgnoreIo nobody;
    co_return co_await fetch(world.client, http_endpoint(), request, nobody);
  };
  const auto outcome = world.run(early, call);
  CHECK(outcome.status == 413);
  CHECK(outcome.body == "no");
}

TEST_CASE("errors before a byte was sent: the name, the port, a request that must not go out") {
  World world;
  world.resolver->fail("api.test", asio::error::host_not_found, 2s);
  auto outcome = world.time.run(world.context, fetch(world.client));
  CHECK(outcome.code == asio::error::host_not_found);
  CHECK(outcome.phase == Phase::connect);
  CHECK(world.time.elapsed() == 2s);

  world.resolver->answer("api.test", {asio::ip::make_address("192.0.2.9")});
  outcome = world.time.run(world.context, fetch(world.client));
  CHECK(outcome.code == asio::error::connection_refused);
  CHECK(outcome.text == "192.0.2.9");

  world.resolver->answer("api.test", {});
  CHECK(world.time.run(world.context, fetch(world.client)).code == NetFault::no_address);

  IgnoreIo nobody;
  const auto refused = [&](HttpRequest request) {
    return world.time.run(world.context, fetch(world.client, http_endpoint(), request, nobody));
  };
  CHECK(refused(HttpRequest("GET", "/a b")).code == NetFault::invalid_request);
  CHECK(refused(HttpRequest("GET", "")).code == NetFault::invalid_request);
  CHECK(refused(HttpRequest("GET\r\n", "/")).code == NetFault::invalid_request);
  CHECK(refused(HttpRequest("HEAD", "/")).code == NetFault::invalid_request);
  outcome = refused(HttpRequest("GET", "/").with_header("x-api-key", "secret\r\nx: y"));
  CHECK(outcome.code == NetFault::invalid_request);
  CHECK(outcome.text == "header 0 (x-api-key)");
  CHECK(refused(HttpRequest("GET", "/").with_header("Content-Length", "5")).code ==
        NetFault::invalid_request);
  CHECK(world.network->dialled() == 0);
}

TEST_CASE("a proxy for http gets the whole URL, and the credentials it asks for") {
  const auto rules = ProxyRules::always("http://me:pass@proxy.test:3128");
  World world(HttpClientOptions().with_proxy(*rules));
  std::string heard;
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    heard = co_await hear(stream, "\r\n\r\n");
    co_await say(stream, hello);
  };
  const auto call = [&] { return fetch(world.client); };
  CHECK(world.run(peer, call, 3128).body == "hello");
  CHECK(heard ==
        "GET http://api.test/ HTTP/1.1\r\nhost: api.test\r\n"
        "proxy-authorization: Basic bWU6cGFzcw==\r\naccept-encoding: identity\r\n\r\n");
}

TEST_CASE("a proxy that does not open its tunnel") {
  const auto rules = ProxyRules::always("http://proxy.test:3128");
  const Endpoint secure(Scheme::https, "api.test", 443);
  for (const auto* said :
       {"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", "HTTP/1.1 200 OK\r\n\r\nunasked"}) {
    CAPTURE(said);
    World world(HttpClientOptions().with_proxy(*rules));
    std::string heard;
    const auto peer = [&](ByteStream& stream) -> awaitable<void> {
      heard = co_await hear(stream, "\r\n\r\n");
      co_await say(stream, said);
    };
    const auto call = [&] { return fetch(world.client, secure); };
    const auto outcome = world.run(peer, call, 3128);
    CHECK(outcome.code == NetFault::proxy);
    CHECK(outcome.phase == Phase::connect);
    CHECK(outcome.text == "status " + std::string(said).substr(9, 3));
    CHECK(heard == "CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\n\r\n");
  }
}

TEST_CASE("a body in bulk: whole, views with padding behind them, and others get their turn") {
  World world;
  const std::string part(1000, 'x');
  const auto peer = [&](ByteStream& stream) -> awaitable<void> {
    co_await hear(stream, "\r\n\r\n");
    co_await say(stream, ok + "transfer-encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1000; ++i) {
      co_await say(stream, "3e8\r\n" + part + "\r\n");
    }
    co_await say(stream, "0\r\n\r\n");
    co_await hear(stream, "");
  };
  const auto call = [&]() -> awaitable<std::size_t> {
    HttpRequest request("GET", "/");
    IgnoreIo nobody;
    auto response = co_await world.client.send(http_endpoint(), request, nobody);
    REQUIRE(response.has_value());
    std::size_t size = 0;
    while (true) {
      const auto view = co_await response->read();
      REQUIRE(view.has_value());
      if (view->empty()) {
        break;
      }
      size += view->size();
      CHECK(view->find_first_not_of('x') == std::string_view::npos);
      const std::string with_padding(view->data(), view->size() + 64);  // for ASAN to look at
      CHECK(with_padding.size() == view->size() + 64);
    }
    co_return size;
  };
  CHECK(world.run(peer, call) == 1'000'000);
  CHECK(world.client.idle_connections() == 1);
}

TEST_CASE("read_all has a bound") {
  World world;
  const auto call = [&]() -> awaitable<void> {
    HttpRequest request("GET", "/");
    IgnoreIo nobody;
    auto first = co_await world.client.send(http_endpoint(), request, nobody);
    const auto whole = co_await first->read_all(5);
    CHECK(whole.value() == "hello");
    auto second = co_await world.client.send(http_endpoint(), request, nobody);
    const auto cut = co_await second->read_all(4);
    CHECK(cut.error().code == NetFault::body_too_large);
  };
  const auto peer = [](ByteStream& stream) -> awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      co_await hear(stream, "\r\n\r\n");
      co_await say(stream, hello);
    }
  };
  world.run(peer, call);
}

TEST_CASE("an aborted response returns an error, and a response may outlive its client") {
  testing::VirtualTime time;
  asio::io_context context;
  auto network = std::make_shared<testing::MemoryNetwork>(context.get_executor());
  const auto acceptor = network->listen(80);
  const auto call = [&]() -> awaitable<void> {
    auto options = HttpClientOptions();
    options.with_dialer(network).with_resolver(std::make_shared<testing::ScriptedResolver>());
    auto client = std::make_unique<HttpClient>(context.get_executor(), std::move(options));
    HttpRequest request("GET", "/");
    IgnoreIo nobody;
    const auto serve = [&]() -> awaitable<void> {
      auto stream = co_await acceptor->accept();
      co_await hear(**stream, "\r\n\r\n");
      co_await say(**stream, ok + "content-length: 10\r\n\r\nhello");
      co_await hear(**stream, "");
    };
    const auto both = [&](Scope& scope) -> awaitable<void> {
      scope.spawn(serve);
      auto response = co_await client->send(http_endpoint(), request, nobody);
      client.reset();
      const auto part = co_await response->read();
      CHECK(*part == "hello");
      scope.spawn([&]() -> awaitable<void> {
        co_await sleep_for(1s);
        response->abort();
      });
      const auto end = co_await response->read();
      CHECK(end.error().code == asio::error::operation_aborted);
      co_await scope.join();
    };
    co_await with_scope(both);
  };
  time.run(context, call());
  CHECK(time.elapsed() == 1s);
}

TEST_CASE("bytes that came and were not read when a response is dropped are counted") {
  testing::VirtualTime time;
  asio::io_context context;
  auto network = std::make_shared<testing::MemoryNetwork>(context.get_executor());
  const auto acceptor = network->listen(80);
  const auto discarded = std::make_shared<std::atomic<std::uint64_t>>(0);
  const auto call = [&]() -> awaitable<void> {
    auto options = HttpClientOptions();
    options.with_dialer(network)
        .with_resolver(std::make_shared<testing::ScriptedResolver>())
        .with_discarded(discarded);
    HttpClient client(context.get_executor(), std::move(options));
    HttpRequest request("GET", "/");
    IgnoreIo nobody;
    const auto serve = [&]() -> awaitable<void> {
      auto stream = co_await acceptor->accept();
      co_await hear(**stream, "\r\n\r\n");
      co_await say(**stream, ok + "content-length: 100\r\n\r\nhello");
      co_await sleep_for(1s);
      co_await say(**stream, "and more");
      co_await hear(**stream, "");
    };
    const auto both = [&](Scope& scope) -> awaitable<void> {
      scope.spawn(serve);
      {
        auto response = co_await client.send(http_endpoint(), request, nobody);
        CHECK(*co_await response->read() == "hello");
        co_await sleep_for(2s);
        CHECK(*discarded == 0);
      }
      CHECK(*discarded == std::string_view("and more").size());
      co_await scope.join();
    };
    co_await with_scope(both);
  };
  time.run(context, call());
}
