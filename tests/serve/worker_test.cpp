// A worker is a thread with sockets of its own, so these run over the kernel's loopback.
#include "../../tools/understudy/serve/worker.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "../gateway/gateway_world.hpp"

using namespace gateway_test;
using understudy::tool::Worker;

namespace {

/// A provider that listens on loopback, and the configuration that leads to it.
struct Upstream {
  explicit Upstream(asio::io_context& context)
      : acceptor(context.get_executor(), asio::ip::address_v4::loopback(), 0) {
    asio::co_spawn(context, server.serve(acceptor), [](const std::exception_ptr&) {});
  }

  Config config(const std::string& more = "") const {
    auto parsed = parse_config(
        "[model]\nprovider = \"here\"\ndefault = \"m\"\n[providers.here]\nprotocol = "
        "\"openai_chat\"\nbase_url = \"http://127.0.0.1:" +
            std::to_string(acceptor.port()) + "/v1\"\n" + more,
        "test.toml", [](const char*) -> const char* { return nullptr; });
    REQUIRE(parsed.has_value());
    return *parsed;
  }

  TcpAcceptor acceptor;
  FaultServer server;
};

Setup plain(Config config) { return Setup::make(std::move(config)).value(); }

/// A part of an answer in any protocol's words.
awaitable<bool> hear(HttpResponse& response, std::string& heard) {
  const auto part = co_await response.read();
  heard += part ? *part : std::string_view("<broken>");
  co_return part && !part->empty();
}

}  // namespace

TEST_CASE(
    "reloaded: a call under way ends by the configuration it began with, the next has the new "
    "one") {
  asio::io_context context;
  Upstream first(context);
  Upstream second(context);
  first.server.reply(Reply::answer("the first has this to say").dripping(20ms));
  second.server.reply(Reply::answer("and the second this"));
  const auto config = first.config();
  const auto state = ClientState::make(config).value();
  const auto records = std::make_shared<Records>();
  Worker worker(plain(config), state, records, 0);
  worker.start();
  std::string long_one;
  std::string short_one;
  auto talk = [&]() -> awaitable<void> {
    HttpClient http(co_await asio::this_coro::executor, HttpClientOptions());
    const Endpoint there(Scheme::http, "127.0.0.1", worker.port());
    IgnoreIo nobody;
    HttpRequest request("POST", paths().front().path);
    request.with_header("content-type", "application/json").with_body(paths().front().body);
    auto slow = co_await http.send(there, request, nobody);
    REQUIRE(slow.has_value());
    co_await hear(*slow, long_one);
    worker.reload(plain(second.config()));
    auto quick = co_await http.send(there, request, nobody);
    REQUIRE(quick.has_value());
    while (co_await hear(*quick, short_one)) {
    }
    while (co_await hear(*slow, long_one)) {
    }
    http.close();
    worker.drain();
    first.acceptor.close();
    second.acceptor.close();
  };
  asio::co_spawn(context, talk, [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  worker.join();
  CHECK(long_one.find("say") != std::string::npos);
  CHECK(long_one.find("[DONE]") != std::string::npos);
  CHECK(short_one.find("second") != std::string::npos);
  CHECK(first.server.requests() == 1);
  CHECK(second.server.requests() == 1);
}

TEST_CASE("reloaded while it drains: it ends all the same, and says that it is not ready") {
  asio::io_context context;
  Upstream provider(context);
  provider.server.reply(Reply::answer().after(2, Fault::silence()));
  const auto config = provider.config("[server]\ndrain = \"300ms\"\n");
  const auto state = ClientState::make(config).value();
  const auto records = std::make_shared<Records>();
  Worker worker(plain(config), state, records, 0);
  worker.start();
  std::string heard;
  auto talk = [&]() -> awaitable<void> {
    HttpClient http(co_await asio::this_coro::executor, HttpClientOptions());
    IgnoreIo nobody;
    HttpRequest request("POST", paths().front().path);
    request.with_header("content-type", "application/json").with_body(paths().front().body);
    const Endpoint there(Scheme::http, "127.0.0.1", worker.port());
    auto hanging = co_await http.send(there, request, nobody);
    REQUIRE(hanging.has_value());
    worker.reload(plain(config));
    worker.drain();
    while (co_await hear(*hanging, heard)) {
    }
    http.close();
    provider.acceptor.close();
  };
  asio::co_spawn(context, talk, [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  worker.join();
  CHECK(heard.find("[DONE]") == std::string::npos);
}
