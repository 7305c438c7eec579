// In a server of your own: on its io_context, in its structure, under its cancellation. Whoever asks /ask gets
// the answer as it comes; a client that goes away ends the call to the provider. Here the server asks itself
// once, and the provider is a simulated one, so that it runs anywhere.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include "understudy/client/client.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/http_server.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace understudy;

/// The answer's text, a chunk for each piece that comes.
asio::awaitable<void> pass_on(Client& client, HttpExchange& exchange) {
  const auto question = co_await exchange.read_all();
  if (question.has_error()) {
    exchange.abort();
    co_return;
  }
  llm::Request request;
  request.messages.emplace_back(llm::Role::user, *question);
  auto answer = co_await client.stream(std::move(request));
  auto more = co_await answer.ready();
  if (more.has_error()) {  // nothing was sent yet: a status can still say it
    co_await exchange.respond(502, HttpFields(), to_string(more.error()) + "\n");
    co_return;
  }
  co_await exchange.begin(200, HttpFields());
  while (more.has_value() && *more) {
    while (const llm::Event* event = answer.try_next()) {
      if (const auto* text = std::get_if<llm::Text>(&event->body)) {
        co_await exchange.write(text->text);
      }
    }
    more = co_await answer.ready();
  }
  if (more.has_error()) {
    exchange.abort();  // never a neat end to half an answer
    co_return;
  }
  co_await exchange.finish();
}

asio::awaitable<void> serve_and_ask(testing::FaultServer& provider, TcpAcceptor& provider_port,
                                    const Config& config) {
  const auto executor = co_await asio::this_coro::executor;
  Client client(executor, config, ClientState::make(config).value());
  HttpServer server(HttpServerOptions(), [&](HttpExchange& exchange) -> asio::awaitable<void> {
    auto answer = [&] { return pass_on(client, exchange); };
    auto client_gone = [&] { return exchange.gone(); };
    co_await race(std::move(answer), std::move(client_gone));
  });
  TcpAcceptor acceptor(executor, asio::ip::address_v4::loopback(), 0);
  auto body = [&](Scope& scope) -> asio::awaitable<void> {
    scope.spawn([&] { return provider.serve(provider_port); });
    scope.spawn([&] { return server.serve(acceptor); });
    HttpClient self(executor, HttpClientOptions());
    HttpRequest request("POST", "/ask");
    request.with_body("Is the north tank full?");
    IgnoreIo nobody;
    auto response =
        co_await self.send(Endpoint(Scheme::http, "127.0.0.1", acceptor.port()), request, nobody);
    const auto text = co_await response.value().read_all(4096);
    std::cout << response->status() << ": " << text.value() << "\n";
    self.close();
    scope.cancel(StopReason::shutdown);  // both servers end here
  };
  co_await with_scope(std::move(body));
  co_await client.close();
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
                                   "compose_in_your_server.cpp")
                          .value();
  auto all = [&] { return serve_and_ask(provider, provider_port, config); };
  asio::co_spawn(context, std::move(all), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
}
