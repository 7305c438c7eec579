// Requests that no well-behaved client sends. Each gets a clear answer or is cut off, and no other client notices.
#include "../net/world.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

const std::string head =
    "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

struct Shape {
  std::string what;
  std::string sent;
  unsigned status;  // zero: cut off without a word
};

std::string many_fields() {
  std::string fields;
  for (int i = 0; i < 5'000; ++i) {
    fields += "x-" + std::to_string(i) + ": 1\r\n";
  }
  return fields;
}

std::vector<Shape> shapes() {
  const std::string smuggled = "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n";
  const std::string zero = "0\r\n\r\n";
  const std::string question = paths()[0].body;
  return {
      {"two framings",
       head + "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + zero + smuggled, 501},
      {"two lengths", head + "content-length: 5\r\ncontent-length: 6\r\n\r\nhello" + smuggled, 400},
      {"a list of lengths", head + "content-length: 5, 6\r\n\r\nhello" + smuggled, 400},
      {"a negative length", head + "content-length: -1\r\n\r\n", 400},
      {"a length with a sign", head + "content-length: +5\r\n\r\nhello", 400},
      {"a length in hex", head + "content-length: 0x5\r\n\r\nhello", 400},
      {"a length beyond 64 bits", head + "content-length: 99999999999999999999\r\n\r\n", 400},
      {"another coding", head + "transfer-encoding: gzip, chunked\r\n\r\n" + zero, 501},
      {"chunked twice", head + "transfer-encoding: chunked, chunked\r\n\r\n" + zero + smuggled,
       501},
      {"a coding in disguise", head + "transfer-encoding: \vchunked\r\n\r\n" + zero + smuggled,
       400},
      {"space before the colon", head + "content-length : 5\r\n\r\nhello", 400},
      {"a folded field",
       head + "x-a: one\r\n two\r\ncontent-length: " + std::to_string(question.size()) +
           "\r\n\r\n" + question,
       400},
      {"two hosts", head + "host: other\r\ncontent-length: 2\r\n\r\n{}", 400},
      {"a folded length", head + "content-length:\r\n 5\r\n\r\nhello" + smuggled, 400},
      {"a NUL in a field", head + std::string("x-a: o\0ne\r\n\r\n", 12), 400},
      {"no host", "POST /v1/messages HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}", 400},
      {"a page's form",
       "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999\r\n\r\n",
       415},
      {"an empty line for a request", "\x01\x02\x03\x04\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello", 18) + "\r\n\r\n",
       400},
      {"a chunk's size that is none", head + "transfer-encoding: chunked\r\n\r\nhello\r\n", 400},
      {"a chunk beyond 64 bits", head + "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
       400},
      {"an endless chunk extension",
       head + "transfer-encoding: chunked\r\n\r\n1;" + std::string(100'000, 'a'), 400},
      {"a body that is too large", head + "content-length: 999999999\r\n\r\n{", 413},
      {"an endless field", head + "x-a: " + std::string(200'000, 'a'), 431},
      {"endless fields", head + many_fields() + "\r\n", 431},
      {"an endless target", "GET /" + std::string(200'000, 'a') + " HTTP/1.1\r\n", 431},
      {"no JSON", head + "content-length: 5\r\n\r\nhello", 400},
      {"JSON that goes very deep",
       head + "content-length: 100000\r\n\r\n" + std::string(100'000, '['), 400},
  };
}

/// What somebody who sends that, and then waits, hears until the connection's end.
awaitable<std::string> send_raw(ClientWorld& world, std::string sent) {
  auto stream = co_await world.network->dial(Addresses(), 9000);
  REQUIRE(stream.has_value());
  auto write = [&]() -> awaitable<void> { co_await net_test::say(**stream, sent); };
  std::string heard;
  auto body = [&](Scope& scope) -> awaitable<void> {
    scope.spawn(std::move(write));
    heard = co_await net_test::hear(**stream, "");
    scope.cancel(StopReason::lost);
  };
  co_await with_scope(std::move(body));
  co_return heard;
}

}  // namespace

TEST_CASE(
    "a request that cannot be parsed is answered in JSON, and the connection ends; no provider is "
    "asked") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    for (const auto& shape : shapes()) {
      CAPTURE(shape.what);
      const auto heard = co_await send_raw(world, shape.sent);
      CAPTURE(heard.substr(0, 400));
      CHECK(heard.starts_with("HTTP/1.1 " + std::to_string(shape.status) + " "));
      CHECK(heard.find("content-type: application/json\r\n") != std::string::npos);
      CHECK(heard.find("\"error\":{") != std::string::npos);
      CHECK(heard.find("HTTP/1.1", 1) == std::string::npos);  // nothing that was smuggled in
    }
    CHECK(lead.requests() == 0);
    const auto good = co_await post(http, paths()[0]);
    CHECK(good.status == 200);
  });
}

TEST_CASE(
    "a client that sends a head or a body too slowly is cut off, and delays no other client") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto dripping = [&](std::string at_once, std::string text,
                              Clock::duration every) -> awaitable<Clock::duration> {
      auto stream = co_await world.network->dial(Addresses(), 9000);
      co_await net_test::say(**stream, at_once);
      const auto began = Clock::now();
      for (const char c : text) {
        const std::string_view one(&c, 1);
        const auto unsent = co_await net_test::say(**stream, one);
        if (unsent || (*stream)->readable()) {
          break;
        }
        co_await sleep_for(every);
      }
      co_return Clock::now() - began;
    };
    const auto slow_head = co_await dripping("", head + std::string(10'000, 'x'), 1s);
    CHECK(slow_head >= 10s);
    CHECK(slow_head <= 12s);
    const auto slow_body =
        co_await dripping(head + "content-length: 10000\r\n\r\n", std::string(10'000, ' '), 100ms);
    CHECK(slow_body >= 300s);
    CHECK(slow_body <= 310s);
    const auto good = co_await post(http, paths()[0]);
    CHECK(good.status == 200);
  });
}

TEST_CASE("connections beyond the limit wait, and idle ones are closed in the end") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto config =
      world.config(report_file + "[server]\nmax_connections = 10\nidle = \"20s\"\n");
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    std::vector<std::unique_ptr<ByteStream>> silent;
    for (int i = 0; i < 10; ++i) {
      auto stream = co_await world.network->dial(Addresses(), 9000);
      silent.push_back(std::move(*stream));
    }
    const auto began = Clock::now();
    const auto good = co_await post(http, paths()[0]);
    CHECK(good.status == 200);
    CHECK(Clock::now() - began >= 19s);
    CHECK(Clock::now() - began <= 22s);
  });
}
