#include "understudy/gateway/gateway.hpp"

#include "gateway_world.hpp"

using namespace gateway_test;
using understudy::gateway::CallRecord;
using understudy::gateway::Gateway;
using understudy::gateway::Log;

namespace {

class LastCall final : public Log {
 public:
  void call_ended(const CallRecord& record) override { calls.push_back(record); }

  std::vector<CallRecord> calls;
};

/// A Gateway as an embedding service has it: its own executor, records and scope.
class Embedded : public ClientWorld {
 public:
  /// Runs `use(gateway, http, serving)`, where `serving` is the scope that the gateway serves in.
  template <class Use>
  void serve(const std::string& configuration, Use use) {
    const auto configured = config(configuration);
    auto& port = acceptors.emplace_back(network->listen(9000));
    run(configured, [&](Client&) -> awaitable<void> {
      const auto executor = co_await asio::this_coro::executor;
      Gateway gateway(executor, Setup::make(configured).value(), state,
                      std::make_shared<Records>(RecordsOptions().with_log(log)));
      auto body = [&](Scope& scope) -> awaitable<void> {
        auto serving = [&]() -> awaitable<void> {
          co_await gateway.serve(*port);
          ended = true;
        };
        scope.spawn(std::move(serving));
        HttpClient http(executor, HttpClientOptions().with_dialer(network).with_resolver(
                                      std::make_shared<testing::ScriptedResolver>()));
        co_await use(gateway, http, scope);
        http.close();
        co_await scope.join();
      };
      try {
        co_await with_scope(std::move(body));
      } catch (const boost::system::system_error& error) {
        stopped_by = error.code();
      }
    });
  }

  std::shared_ptr<LastCall> log = std::make_shared<LastCall>();
  bool ended = false;  // serve() has returned
  error_code stopped_by;
};

/// Sends a question and reads until the connection ends.
awaitable<void> ask_until_cut(HttpClient& http) {
  IgnoreIo ignore;
  HttpRequest request("POST", paths()[1].path);
  request.with_header("content-type", "application/json").with_body(paths()[1].body);
  auto response =
      co_await http.send(Endpoint(Scheme::http, "gateway.localhost", 9000), request, ignore);
  if (response.has_value()) {
    co_await response->read_all(1 << 20);
  }
}

}  // namespace

TEST_CASE("embedded: a call is answered and reported to the service's log; drained, it ends") {
  Embedded world;
  world.add().reply(Reply::answer(ten));
  world.add();
  world.serve(report_file, [&](Gateway& gateway, HttpClient& http, Scope&) -> awaitable<void> {
    const auto got = co_await post(http, paths()[1]);
    CHECK(got.status == 200);
    CHECK(read(got, Protocol::anthropic_messages).answer.text() == ten);
    gateway.drain();
    gateway.drain();
  });
  CHECK(world.ended);
  REQUIRE(world.log->calls.size() == 1);
  const auto& call = world.log->calls.front();
  CHECK(call.path == "/v1/messages");
  CHECK(call.protocol == Protocol::anthropic_messages);
  CHECK(call.model == "any");
  CHECK(call.streamed);
  CHECK(call.status == 200);
  CHECK_FALSE(call.broke);
  CHECK(call.prompt.empty());
  CHECK(call.report.attempts.size() == 1);
}

TEST_CASE("embedded: draining gives calls in flight `server.drain` to end, and then ends them") {
  Embedded world;
  world.add().reply(Reply::answer().after(2, Fault::silence()));
  world.add();
  world.serve(report_file + "[server]\ndrain = \"5s\"\n",
              [&](Gateway& gateway, HttpClient& http, Scope& scope) -> awaitable<void> {
                auto client = [&] { return ask_until_cut(http); };
                scope.spawn(std::move(client));
                co_await sleep_for(1s);
                gateway.drain();
                co_await sleep_for(4s);
                CHECK_FALSE(world.ended);
                co_await sleep_for(2s);
                CHECK(world.ended);
              });
  REQUIRE(world.log->calls.size() == 1);
  CHECK(world.log->calls.front().broke);
  CHECK(world.log->calls.front().report.code == StopReason::shutdown);
}

TEST_CASE("embedded: stopped, it ends at once and without an error") {
  Embedded world;
  world.add().reply(Reply::answer().after(2, Fault::silence()));
  world.add();
  world.serve(report_file,
              [&](Gateway& gateway, HttpClient& http, Scope& scope) -> awaitable<void> {
                auto client = [&] { return ask_until_cut(http); };
                scope.spawn(std::move(client));
                co_await sleep_for(1s);
                gateway.stop();
                co_await sleep_for(10ms);
                CHECK(world.ended);
              });
  CHECK_FALSE(world.stopped_by.failed());
  REQUIRE(world.log->calls.size() == 1);
  CHECK(world.log->calls.front().report.code == StopReason::shutdown);
}

TEST_CASE(
    "embedded: a cancel of the service ends the gateway, and the call in flight is reported") {
  Embedded world;
  world.add().reply(Reply::answer().after(2, Fault::silence()));
  world.add();
  world.serve(report_file, [&](Gateway&, HttpClient& http, Scope& scope) -> awaitable<void> {
    auto client = [&] { return ask_until_cut(http); };
    scope.spawn(std::move(client));
    co_await sleep_for(1s);
    scope.cancel(StopReason::shutdown);
  });
  CHECK_FALSE(world.ended);
  REQUIRE(world.log->calls.size() == 1);
  CHECK(world.log->calls.front().broke);
}

TEST_CASE("embedded: drained or stopped before it serves, it ends at once") {
  for (const bool drained : {true, false}) {
    Embedded world;
    world.add();
    world.add();
    const auto configured = world.config(report_file);
    world.run(configured, [&](Client&) -> awaitable<void> {
      const auto port = world.network->listen(9000);
      Gateway gateway(co_await asio::this_coro::executor, Setup::make(configured).value(),
                      world.state, std::make_shared<Records>());
      drained ? gateway.drain() : gateway.stop();
      co_await gateway.serve(*port);
    });
  }
}

TEST_CASE("embedded: reloaded before it serves, it serves by the new configuration") {
  Embedded world;
  world.add();
  world.add().reply(Reply::answer(ten));
  const std::string turned = R"(
[model]
default = "gpt-5.5"
provider = "openai-codex"
[providers.openai-codex]
base_url = "http://understudy.test:8002/v1"
)";
  const auto next = world.config(turned);
  const auto configured = world.config(report_file);
  auto& port = world.acceptors.emplace_back(world.network->listen(9000));
  world.run(configured, [&](Client&) -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    Gateway gateway(executor, Setup::make(configured).value(), world.state,
                    std::make_shared<Records>());
    gateway.reload(Setup::make(next).value());
    auto body = [&](Scope& scope) -> awaitable<void> {
      auto serving = [&] { return gateway.serve(*port); };
      scope.spawn(std::move(serving));
      HttpClient http(executor, HttpClientOptions()
                                    .with_dialer(world.network)
                                    .with_resolver(std::make_shared<testing::ScriptedResolver>()));
      const auto got = co_await post(http, paths()[0]);
      CHECK(got.status == 200);
      CHECK(got.header("x-understudy-member") == "openai-codex/gpt-5.5");
      http.close();
      gateway.drain();
      co_await scope.join();
    };
    co_await with_scope(std::move(body));
  });
}
