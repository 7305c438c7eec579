/// Answers the requests that a gateway's HTTP server receives, by one configuration. The invariants of
/// understudy/gateway/gateway.hpp are kept here.
///
///     RequestHandler handler(config, client, state, records);
///     HttpServer server(setup.http, [&](HttpExchange& http) { return handler.answer(http); });
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "admission.hpp"
#include "calls.hpp"
#include "client_exchange.hpp"
#include "resource.hpp"
#include "understudy/client/client.hpp"
#include "understudy/gateway/records.hpp"
#include "understudy/net/http_server.hpp"
#include "websocket_session.hpp"
#include "websocket_turns.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. Threads: the client's executor. Its arguments must outlive it.
class RequestHandler {
 public:
  RequestHandler(const Config& config, Client& client, ClientState& state, Records& records);
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  /// One exchange, whatever it asks for. Completes when it is answered or cut off.
  asio::awaitable<void> answer(HttpExchange& http);

  /// `/readyz` is 503 from now on, so that a load balancer sends no more requests.
  void drain();

  /// Cancels the calls in flight with the cause `shutdown`.
  void stop() { calls_.stop(); }

 private:
  std::string next_id();
  asio::awaitable<void> health(ClientExchange& client, std::string_view path);
  asio::awaitable<void> listing(ClientExchange& client, std::string_view path);
  asio::awaitable<void> converse(ClientExchange& client);
  asio::awaitable<void> answer_turn(ClientExchange& client, WebSocketSession& socket,
                                    WebSocketTurns& turns, std::string message);
  asio::awaitable<void> receive(ClientExchange& client, const Resource& resource);
  asio::awaitable<void> ask(ClientExchange& client, std::string_view path, std::string body);
  asio::awaitable<void> whole(ClientExchange& client, RequestOptions options, llm::Request request);
  asio::awaitable<void> forward(ClientExchange& client, const Resource& resource, std::string body);

  const Config& config_;
  Client& client_;
  ClientState& state_;
  Records& records_;
  Admission admission_;
  Calls calls_;
  std::list<WebSocketSession*> sockets_;
  std::uint64_t first_id_;
  std::uint64_t ids_ = 0;
  bool draining_ = false;
};

}  // namespace understudy::gateway::detail
