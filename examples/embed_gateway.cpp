// A gateway inside a service of your own: on its io_context, in its structure, with its log and its metrics. Here the
// service asks itself once, in Anthropic's protocol; a simulated provider that speaks OpenAI's answers, so that it runs
// anywhere. A service with several threads has a Gateway for each, which share the ClientState and the Records.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include "understudy/gateway/gateway.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace understudy;

/// One line per call, in the service's own form.
class ServiceLog final : public gateway::Log {
 public:
  void call_ended(const gateway::CallRecord& record) override {
    std::cout << "log: " << record.path << " " << record.status << ": " << record.report.why()
              << "\n";
  }
  void warning(std::string_view text) override { std::cout << "log: warning: " << text << "\n"; }
};

/// A counter of the service's, which `GET /metrics` has too.
class ServiceMetrics final : public gateway::Metrics {
 public:
  void call_ended(const gateway::CallRecord& record) override {
    const bool answered = record.status == 200 && !record.broke;
    (answered ? answered_ : failed_).fetch_add(1, std::memory_order_relaxed);
  }
  gateway::Exposition expose(const gateway::Gauges& gauges) const override {
    return "service_calls_total{result=\"answered\"} " + std::to_string(answered_) +
           "\nservice_calls_total{result=\"failed\"} " + std::to_string(failed_) +
           "\nservice_calls_in_flight " + std::to_string(gauges.calls_in_flight) + "\n";
  }

 private:
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
};

/// What a client of the service does.
asio::awaitable<void> ask(HttpClient& http, const Endpoint& service, HttpRequest request) {
  IgnoreIo ignore;
  auto response = co_await http.send(service, request, ignore);
  const auto body = co_await response.value().read_all(65'536);
  std::cout << response->status() << ": " << body.value() << "\n";
}

asio::awaitable<void> run_service(testing::FaultServer& provider, TcpAcceptor& provider_port,
                                  const Config& config) {
  const auto executor = co_await asio::this_coro::executor;
  const auto state = ClientState::make(config).value();
  auto options = gateway::RecordsOptions()
                     .with_log(std::make_shared<ServiceLog>())
                     .with_metrics(std::make_shared<ServiceMetrics>());
  const auto records = std::make_shared<gateway::Records>(std::move(options));
  state->on_warning([records](std::string_view text) { records->warning(text); });
  gateway::Gateway gateway(executor, gateway::Setup::make(config).value(), state, records);
  TcpAcceptor acceptor(executor, asio::ip::make_address(config.server.host), 0);
  auto body = [&](Scope& scope) -> asio::awaitable<void> {
    auto serve_provider = [&] { return provider.serve(provider_port); };
    auto clients = [&](Scope& serving) -> asio::awaitable<void> {
      serving.spawn([&] { return gateway.serve(acceptor); });
      HttpClient http(executor, HttpClientOptions());
      const Endpoint service(Scheme::http, config.server.host, acceptor.port());
      HttpRequest question("POST", "/v1/messages");
      question.with_header("content-type", "application/json").with_body(R"({
        "model": "any", "max_tokens": 100,
        "messages": [{"role": "user", "content": "Is the north tank full?"}]
      })");
      co_await ask(http, service, std::move(question));
      co_await ask(http, service, HttpRequest("GET", "/metrics"));
      http.close();
      gateway.drain();  // calls in flight have `server.drain` to end; there is none here
      co_await serving.join();
    };
    scope.spawn(std::move(serve_provider));
    co_await with_scope(scope, std::move(clients));
    scope.cancel(StopReason::shutdown);  // the provider ends here
  };
  co_await with_scope(std::move(body));
  state->on_warning({});
}

int main() {
  asio::io_context context;
  testing::FaultServer provider;
  provider.reply(testing::Reply::answer("Yes, since seven this morning."));
  TcpAcceptor provider_port(context.get_executor(), asio::ip::address_v4::loopback(), 0);
  const auto config = parse_config(R"(
    [model]
    provider = "local"
    default = "qwen3"

    [providers.local]
    preset = "ollama"
    base_url = "http://127.0.0.1:)" + std::to_string(provider_port.port()) +
                                       R"(/v1"
  )",
                                   "embed_gateway.cpp")
                          .value();
  auto all = [&] { return run_service(provider, provider_port, config); };
  asio::co_spawn(context, std::move(all), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
}
