#include "understudy/net/http_server.hpp"

#include <doctest/doctest.h>

#include <new>

#include "net/world.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const std::string ok_empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

awaitable<void> answer_nothing(HttpExchange& exchange) {
  co_await exchange.respond(200, HttpFields(), "");
}

/// A server in virtual time, and a client that speaks word for word.
struct Served {
  explicit Served(HttpServer::Handler handler, HttpServerOptions options = HttpServerOptions())
      : network(context.get_executor()), server(std::move(options), std::move(handler)) {}

  template <class Talk>
  void run(Talk talk) {
    time.run(context, run_both(std::move(talk)));
  }

  awaitable<std::unique_ptr<ByteStream>> connect() {
    auto stream = co_await network.dial(Addresses(), 80);
    co_return std::move(*stream);
  }

  testing::VirtualTime time;
  asio::io_context context;
  testing::MemoryNetwork network;
  HttpServer server;

 private:
  template <class Talk>
  awaitable<void> run_both(Talk talk) {
    const auto acceptor = network.listen(80);
    const auto body = [&](Scope& scope) -> awaitable<void> {
      scope.spawn([&] { return server.serve(*acceptor); });
      co_await talk();
      server.drain();
      co_await scope.join();
    };
    co_await with_scope(body);
    CHECK(server.connections() == 0);
  }
};

/// What a client that says `text` and no more hears until the end.
std::string talk(const std::string& text, HttpServer::Handler handler = answer_nothing,
                 HttpServerOptions options = HttpServerOptions()) {
  Served served(std::move(handler), std::move(options));
  std::string heard;
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    co_await say(*stream, text);
    stream->shutdown_send();
    heard = co_await hear(*stream, "");
  });
  return heard;
}

}  // namespace

TEST_CASE("requests one after the other on a connection, also when sent at once") {
  CHECK(talk(get + get) == ok_empty + ok_empty + "<End of file>");
  std::string bodies;
  const auto echo = [&](HttpExchange& exchange) -> awaitable<void> {
    const auto body = co_await exchange.read_all();
    bodies += exchange.request().method + " " + exchange.request().target + " " + *body + ";";
    co_await exchange.respond(200, HttpFields(), "");
  };
  const std::string post = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";
  const std::string chunked =
      "POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
      "chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n"
      "\r\n";
  CHECK(talk(post + chunked + get, echo) == ok_empty + ok_empty + ok_empty + "<End of file>");
  CHECK(bodies == "POST /a hello;POST /b hello;GET / ;");
}

TEST_CASE("a client that asks to close, or uses HTTP/1.0, is closed after the answer") {
  const std::string closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
  CHECK(talk("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" + get) ==
        closing + "<End of file>");
  CHECK(talk("GET / HTTP/1.0\r\n\r\n") == closing + "<End of file>");
  CHECK(talk("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n<End of file>");
}

TEST_CASE("HTTP/1.0 with a transfer coding: nothing behind it is taken for a request") {
  const std::string request =
      "POST / HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n";
  const auto heard = talk(request + "0\r\n\r\n" + get);
  CHECK(heard.find("connection: close") != std::string::npos);
  CHECK(heard.find("HTTP/1.1", 1) == std::string::npos);
}

TEST_CASE("a target with a host in it, as for a proxy: the path is served, and that host counts") {
  std::string asked;
  const auto note = [&](HttpExchange& exchange) -> awaitable<void> {
    asked += exchange.request().authority + " " + exchange.request().target + ";";
    co_await exchange.respond(200, HttpFields(), "");
  };
  const auto get_target = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nhost: x:1\r\n\r\n";
  };
  talk(get_target("http://evil.example:8080/a?b") + get_target("HTTPS://[::1]?q") +
           get_target("http://y") + get_target("/http://z/"),
       note);
  CHECK(asked == "evil.example:8080 /a?b;[::1] /?q;y /;x:1 /http://z/;");
}

TEST_CASE("a client that sends more than 16 KiB of further requests keeps its answer") {
  Served served([](HttpExchange& exchange) -> awaitable<void> {
    auto answer_late = [&](Scope& scope) -> awaitable<void> {
      auto watch = [&]() -> awaitable<void> {
        co_await exchange.gone();
        scope.cancel(StopReason::cancelled);
      };
      scope.spawn(std::move(watch));
      co_await sleep_for(5s);
      co_await exchange.respond(200, HttpFields(), "");
      scope.cancel(StopReason::lost);
    };
    co_await with_scope(std::move(answer_late));
  });
  std::string heard;
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    std::string requests;
    while (requests.size() < std::size_t{40} * 1024) {
      requests += "GET /" + std::string(1000, 'a') + " HTTP/1.1\r\nhost: x\r\n\r\n";
    }
    co_await say(*stream, requests);
    heard = co_await hear(*stream, ok_empty + ok_empty + ok_empty);
  });
  CHECK(heard == ok_empty + ok_empty + ok_empty);
}

TEST_CASE("an answer in parts: chunks, or for HTTP/1.0 the end of the connection") {
  const auto stream_it = [](HttpExchange& exchange) -> awaitable<void> {
    HttpFields headers;
    headers.add("content-type", "text/event-stream");
    headers.add("bad\r\nname", "never sent");
    co_await exchange.begin(200, headers);
    co_await exchange.write("hello");
    co_await exchange.write("");
    co_await exchange.write(", a longer part");
    co_await exchange.finish();
  };
  CHECK(talk(get, stream_it) ==
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        "5\r\nhello\r\nf\r\n, a longer part\r\n0\r\n\r\n<End of file>");
  CHECK(talk("GET / HTTP/1.0\r\n\r\n", stream_it) ==
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        "hello, a longer part<End of file>");
  CHECK(talk("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", stream_it) ==
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        "<End of file>");
}

TEST_CASE("a client can detect an unfinished answer") {
  const auto unfinished = [](HttpExchange& exchange) -> awaitable<void> {
    co_await exchange.begin(200, HttpFields());
    co_await exchange.write("half an ans");
  };
  CHECK(talk(get, unfinished).ends_with("<Connection reset by peer>"));
  const auto throws = [](HttpExchange& exchange) -> awaitable<void> {
    co_await exchange.begin(200, HttpFields());
    throw std::runtime_error("a bug");
  };
  CHECK(talk(get, throws).ends_with("<Connection reset by peer>"));
  const auto aborts = [](HttpExchange& exchange) -> awaitable<void> {
    exchange.abort();
    CHECK(co_await exchange.respond(200, HttpFields(), "") == asio::error::operation_aborted);
  };
  CHECK(talk(get, aborts) == "<Connection reset by peer>");
}

TEST_CASE("a handler that sends nothing, or throws before it sends: 500") {
  const auto silent = [](HttpExchange&) -> awaitable<void> { co_return; };
  CHECK(talk(get + get, silent).starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  const auto throws = [](HttpExchange&) -> awaitable<void> {
    throw std::runtime_error("a bug");
    co_return;
  };
  const auto heard = talk(get + get, throws);
  CHECK(heard.starts_with("HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n"));
  CHECK(heard.find("a bug") == std::string::npos);
  CHECK(heard.find("HTTP/1.1", 1) == std::string::npos);
}

TEST_CASE("requests that are refused") {
  struct Row {
    std::string request;
    const char* status;
  };
  const Row rows[] = {
      {"nonsense\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.0\r\nhost: x\r\nHost: y\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nhost: x, y\r\n\r\n", "HTTP/1.1 400"},
      {"GET http:///a HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 400"},
      {"GET http://user@y/a HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nhost: x\r\nx: " + std::string(20000, 'x'), "HTTP/1.1 431"},
      {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 101\r\n\r\n", "HTTP/1.1 413"},
      {"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", "HTTP/1.1 501"},
      {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
       "HTTP/1.1 501"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.request.substr(0, 60));
    const auto heard = talk(row.request, answer_nothing, HttpServerOptions().with_max_body(100));
    CHECK(heard.starts_with(row.status));
    CHECK(heard.find("connection: close") != std::string::npos);
    CHECK(heard.find("HTTP/1.1", 1) == std::string::npos);
  }
  CHECK(talk("GET / HT") == "<End of file>");
  CHECK(talk("") == "<End of file>");
}

TEST_CASE("a chunked body beyond its bound is the handler's to answer") {
  const auto read_it = [](HttpExchange& exchange) -> awaitable<void> {
    const auto body = co_await exchange.read_all();
    REQUIRE(body.has_error());
    CHECK(body.error().code == NetFault::body_too_large);
    co_await exchange.respond(413, HttpFields(), "");
  };
  const std::string request = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
  CHECK(talk(request + "60\r\n" + std::string(0x60, 'x') + "\r\n5\r\nhello\r\n0\r\n\r\n", read_it,
             HttpServerOptions().with_max_body(100))
            .starts_with("HTTP/1.1 413"));
}

TEST_CASE("100 Continue is sent when the handler reads, and only if the client waits for it") {
  const auto echo = [](HttpExchange& exchange) -> awaitable<void> {
    const auto body = co_await exchange.read_all();
    co_await exchange.respond(200, HttpFields(), *body);
  };
  const std::string head =
      "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
  {
    Served served(echo);
    served.run([&]() -> awaitable<void> {
      auto stream = co_await served.connect();
      co_await say(*stream, head);
      CHECK(co_await hear(*stream, "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
      co_await say(*stream, "hello");
      const auto answer = co_await hear(*stream, "hello");
      CHECK(answer.starts_with("HTTP/1.1 200 OK"));
    });
  }
  CHECK(talk(head + "hello", echo).starts_with("HTTP/1.1 200 OK"));
  CHECK(talk(head, answer_nothing).starts_with("HTTP/1.1 200 OK\r\nconnection: close"));
}

TEST_CASE("an early answer reaches a client that sends all of its body before it reads") {
  for (const auto status : {401U, 413U}) {
    Served served(
        [&](HttpExchange& exchange) -> awaitable<void> {
          if (status == 413) {
            const auto body = co_await exchange.read_all();
            CHECK(body.error().code == NetFault::body_too_large);
          }
          co_await exchange.respond(status, HttpFields(), "early");
        },
        HttpServerOptions().with_max_body(std::size_t{4} * 1024 * 1024));
    std::string heard;
    served.run([&]() -> awaitable<void> {
      auto stream = co_await served.connect();
      const std::string part(std::size_t{512} * 1024, 'x');
      const auto head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
      co_await say(*stream, head);
      for (int i = 0; i < 20; ++i) {  // 10 MiB in 20 s
        const auto chunk = "80000\r\n" + part + "\r\n";
        CHECK(!co_await say(*stream, chunk));
        co_await sleep_for(1s);
      }
      co_await say(*stream, "0\r\n\r\n");
      heard = co_await hear(*stream, "early");
    });
    CHECK(heard.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
  }
}

TEST_CASE("a body that the handler does not read: answered, read on for a while, closed") {
  Served served(answer_nothing);
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    co_await say(*stream, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nsome");
    co_await hear(*stream, "\r\n\r\n");
    CHECK(co_await hear(*stream, "") == "<End of file>");
    CHECK(!co_await say(*stream, "more"));
    co_await sleep_for(6s);
    CHECK(co_await say(*stream, "more") == asio::error::connection_reset);
  });
}

TEST_CASE("an endless body is not read forever") {
  Served served(answer_nothing);
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    co_await say(*stream, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n");
    const auto began = Clock::now();
    while (!co_await say(*stream, "m")) {
      co_await sleep_for(1s);
    }
    CHECK(Clock::now() - began > 29s);
    CHECK(Clock::now() - began < 33s);
  });
}

TEST_CASE("a client that reads late gets all of an answer that ends its connection") {
  const std::string body(50'000, 'x');  // within what the network holds
  Served served([&](HttpExchange& exchange) -> awaitable<void> {
    co_await exchange.respond(200, HttpFields(), body);
  });
  served.run([&]() -> awaitable<void> {
    for (const auto* const request :
         {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"}) {
      auto stream = co_await served.connect();
      co_await say(*stream, request);
      co_await sleep_for(3s);
      CHECK(served.server.connections() == 0);
      const auto heard = co_await hear(*stream, "");
      CHECK(heard.ends_with("\r\n\r\n" + body + "<End of file>"));
    }
  });
}

TEST_CASE("slow clients: no request, half a head, half a body, no reading") {
  struct Row {
    const char* said;
    Clock::duration limit;
  };
  for (const auto& row : {Row{"", 75s}, Row{"GET / HTTP/1.1\r\n", 10s},
                          Row{"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe", 300s}}) {
    CAPTURE(row.said);
    error_code seen;
    Served served([&](HttpExchange& exchange) -> awaitable<void> {
      const auto body = co_await exchange.read_all();
      seen = body.error().code;
    });
    served.run([&]() -> awaitable<void> {
      auto stream = co_await served.connect();
      co_await say(*stream, row.said);
      CHECK(co_await hear(*stream, "") == "<Connection reset by peer>");
    });
    CHECK(served.time.elapsed() == row.limit);
    CHECK((row.limit != 300s || seen == NetFault::too_slow));
  }
}

TEST_CASE("drips do not help a slow client: the limit is on the whole head") {
  Served drip(answer_nothing);
  drip.run([&]() -> awaitable<void> {
    auto stream = co_await drip.connect();
    while (!co_await say(*stream, "x")) {
      co_await sleep_for(1s);
    }
  });
  CHECK(drip.time.elapsed() <= 11s);
}

TEST_CASE("each request has its limits to itself, whatever those before it have left of theirs") {
  Served served(answer_nothing);
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    for (const auto pause : {0s, 9s, 70s, 12s}) {
      co_await sleep_for(pause);
      co_await say(*stream, "GET / HTTP/1.1\r\n");
      co_await sleep_for(9s);
      co_await say(*stream, "host: x\r\n\r\n");
      CHECK(co_await hear(*stream, ok_empty) == ok_empty);
    }
    co_await say(*stream, "GET");
    const auto since = Clock::now();
    CHECK(co_await hear(*stream, "") == "<Connection reset by peer>");
    CHECK(Clock::now() - since == 10s);
  });
}

TEST_CASE("a client that does not read") {
  error_code seen;
  Served deaf([&](HttpExchange& exchange) -> awaitable<void> {
    seen = co_await exchange.respond(200, HttpFields(), std::string(1 << 20, 'x'));
  });
  deaf.run([&]() -> awaitable<void> {
    auto stream = co_await deaf.connect();
    co_await say(*stream, get);
    co_await sleep_for(100s);
    CHECK(seen == NetFault::too_slow);
    CHECK(co_await hear(*stream, "") == "<Connection reset by peer>");
  });
}

TEST_CASE("a client that goes is noticed while an answer is under way") {
  for (const bool reset : {false, true}) {
    CAPTURE(reset);
    Clock::duration noticed{};
    Served served([&](HttpExchange& exchange) -> awaitable<void> {
      co_await exchange.begin(200, HttpFields());
      co_await exchange.gone();
      noticed = served.time.elapsed();
    });
    served.run([&]() -> awaitable<void> {
      auto stream = co_await served.connect();
      co_await say(*stream, get);
      co_await sleep_for(5s);
      reset ? stream->abort() : stream->close();
      co_await sleep_for(5s);
    });
    CHECK(noticed == 5s);
  }
}

TEST_CASE("watching for the client's end keeps what it sends of a next request") {
  int requests = 0;
  Served served([&](HttpExchange& exchange) -> awaitable<void> {
    ++requests;
    const auto watched = [&](Scope& scope) -> awaitable<void> {
      scope.spawn([&] { return exchange.gone(); });
      co_await sleep_for(1s);
      scope.cancel(StopReason::lost);
    };
    co_await with_scope(watched);
    co_await exchange.respond(200, HttpFields(), "");
  });
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    co_await say(*stream, get + get);
    CHECK(co_await hear(*stream, "\r\n\r\n") == ok_empty);
    CHECK(co_await hear(*stream, "\r\n\r\n") == ok_empty);
  });
  CHECK(requests == 2);
}

TEST_CASE("draining: idle connections are closed, what is under way ends first") {
  Served served([&](HttpExchange& exchange) -> awaitable<void> {
    co_await sleep_for(10s);
    co_await exchange.respond(200, HttpFields(), "done");
  });
  std::string idle;
  std::string busy;
  served.run([&]() -> awaitable<void> {
    auto first = co_await served.connect();
    auto second = co_await served.connect();
    co_await say(*second, get);
    co_await sleep_for(1s);
    CHECK(served.server.connections() == 2);
    served.server.drain();
    idle = co_await hear(*first, "");
    CHECK(served.time.elapsed() == 1s);
    busy = co_await hear(*second, "");
    CHECK(served.time.elapsed() == 10s);
  });
  CHECK(idle == "<End of file>");
  CHECK(busy ==
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\ndone<End of file>");
}

TEST_CASE("draining: a client that is amid its handshake is not waited for") {
  Served served(answer_nothing, HttpServerOptions().with_tls(
                                    certificates().server(testing::TestCertificates::Kind::good)));
  served.run([&]() -> awaitable<void> {
    auto stream = co_await served.connect();
    co_await sleep_for(1s);
    CHECK(served.server.connections() == 1);
    served.server.drain();
    const auto context =
        TlsContext::client(TlsClientOptions().with_ca_file(certificates().ca_file())).value();
    auto secure = co_await tls_connect(context, std::move(stream), "api.test");
    REQUIRE(secure.has_value());
    co_await hear(**secure, "");
    CHECK(served.time.elapsed() == 1s);
  });
}

TEST_CASE("more connections than it takes wait for room") {
  Served served(answer_nothing, HttpServerOptions().with_max_connections(2));
  served.run([&]() -> awaitable<void> {
    auto first = co_await served.connect();
    auto second = co_await served.connect();
    auto third = co_await served.connect();
    co_await say(*third, get);
    co_await sleep_for(1s);
    CHECK(served.server.connections() == 2);
    CHECK(!third->readable());
    first->close();
    CHECK(co_await hear(*third, "\r\n\r\n") == ok_empty);
  });
}

TEST_CASE(
    "reconfigured: connections that come later have the new limits, those that were there keep "
    "theirs") {
  Served served(answer_nothing,
                HttpServerOptions().with_idle(100s).with_head_within(1s).with_max_connections(1));
  served.run([&]() -> awaitable<void> {
    auto first = co_await served.connect();
    auto second = co_await served.connect();
    co_await say(*first, get);
    CHECK(co_await hear(*first, "\r\n\r\n") == ok_empty);
    served.server.reconfigure(HttpServerOptions().with_idle(10s).with_max_connections(2));
    CHECK(co_await hear(*second, "") == "<Connection reset by peer>");
    CHECK(served.time.elapsed() == 10s);
    CHECK(co_await hear(*first, "") == "<Connection reset by peer>");
    CHECK(served.time.elapsed() == 100s);
  });
}

TEST_CASE("cancelled, it ends with all that it holds") {
  testing::VirtualTime time;
  asio::io_context context;
  testing::MemoryNetwork network(context.get_executor());
  bool unwound = false;
  HttpServer server(HttpServerOptions(), [&](HttpExchange&) -> awaitable<void> {
    try {
      co_await sleep_for(1h);
    } catch (const boost::system::system_error&) {
      unwound = true;
    }
  });
  const auto acceptor = network.listen(80);
  std::string heard;
  const auto both = [&](Scope& scope) -> awaitable<void> {
    auto stream = co_await network.dial(Addresses(), 80);
    const auto served = [&](Scope& inner) -> awaitable<void> {
      inner.spawn([&] { return server.serve(*acceptor); });
      co_await say(**stream, get);
      co_await sleep_for(1s);
      inner.cancel(StopReason::shutdown);
    };
    co_await with_scope(scope, served);
    heard = co_await hear(**stream, "");
  };
  time.run(context, with_scope(both));
  CHECK(unwound);
  CHECK(time.elapsed() == 1s);
  CHECK(server.connections() == 0);
  CHECK(heard.find("HTTP/1.1 200") == std::string::npos);
}

TEST_CASE(
    "a server that can take no connection for a while tries again ten times a second, and serves "
    "on") {
  /// Takes one connection, then fails for 2 s, and throws for 2 s more.
  class Failing final : public Acceptor {
   public:
    explicit Failing(Acceptor& real) : real_(real) {}
    awaitable<Connected> accept() override {
      ++calls;
      const auto since = Clock::now() - began_;
      if (calls > 1 && since < 2s) {
        co_return NetError(asio::error::no_descriptors, Phase::none);
      }
      if (calls > 1 && since < 4s) {
        throw std::bad_alloc();
      }
      co_return co_await real_.accept();
    }
    void close() noexcept override { real_.close(); }

    int calls = 0;

   private:
    Acceptor& real_;
    Clock::time_point began_ = Clock::now();
  };
  testing::VirtualTime time;
  asio::io_context context;
  testing::MemoryNetwork network(context.get_executor());
  HttpServer server(HttpServerOptions(), [](HttpExchange& exchange) -> awaitable<void> {
    if (exchange.request().target == "/long") {
      co_await sleep_for(3s);
    }
    co_await exchange.respond(200, HttpFields(), "well");
  });
  const auto real = network.listen(80);
  Failing acceptor(*real);
  Clock::duration first{};
  Clock::duration second{};
  const auto ask = [&](std::string target, Clock::duration& took) -> awaitable<void> {
    const auto began = Clock::now();
    auto stream = co_await network.dial(Addresses(), 80);
    co_await say(**stream, "GET " + target + " HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    const auto heard = co_await hear(**stream, "");
    CHECK(heard.find("well") != std::string::npos);
    took = Clock::now() - began;
  };
  const auto body = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&] { return server.serve(acceptor); });
    auto under_way = [&] { return ask("/long", first); };
    scope.spawn(std::move(under_way));
    co_await sleep_for(1s);
    co_await ask("/", second);
    server.drain();
    co_await scope.join();
  };
  time.run(context, with_scope(body));
  CHECK(first < 3100ms);
  CHECK(second >= 3s);
  CHECK(second < 3200ms);
  CHECK(acceptor.calls <= 43);
}
