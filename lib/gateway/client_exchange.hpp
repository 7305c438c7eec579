/// An exchange with a client of the gateway: the client's protocol, the request's id, and the status that was sent.
///
/// Invariants
/// 1. Over a WebSocket (websocket_session.hpp) an answer is events without a head; a refusal is an event `error`.
/// 2. Every answer carries the id, under the names that the official SDKs look for (`x-request-id`, and
///    `request-id` for Anthropic's). It is the client's own `x-request-id` if that has only harmless characters.
///
///     ClientExchange client(http, Protocol::openai_chat, "req_1");
///     co_await client.respond(200, json_fields(), body);
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_server.hpp"
#include "websocket_session.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. The HTTP exchange must outlive it.
class ClientExchange {
 public:
  /// `socket`: the WebSocket over which the answer is sent, which must outlive it; null: none.
  ClientExchange(HttpExchange& exchange, llm::Protocol protocol, std::string fresh_id,
                 WebSocketSession* socket = nullptr);

  const HttpHead& request() const noexcept { return http_.request(); }
  llm::Protocol protocol() const noexcept { return protocol_; }
  const std::string& id() const noexcept { return id_; }
  /// Pages of that origin may read the answer (CORS).
  void readable_by(std::string_view origin) { reader_ = origin; }
  /// The status that was sent, or zero.
  unsigned status() const noexcept { return status_; }

  asio::awaitable<error_code> respond(unsigned status, HttpFields headers, std::string_view body);
  asio::awaitable<error_code> begin(unsigned status, HttpFields headers);
  asio::awaitable<error_code> write(std::string_view part);
  asio::awaitable<error_code> finish();
  /// As of HttpExchange.
  bool begun() const noexcept;
  asio::awaitable<void> gone();
  void abort() noexcept { http_.abort(); }

  /// The request, and its body.
  HttpExchange& http() noexcept { return http_; }

 private:
  void note(unsigned status, HttpFields& headers);

  HttpExchange& http_;
  WebSocketSession* socket_;
  bool begun_ = false;  // over a WebSocket
  llm::Protocol protocol_;
  std::string id_;
  std::string reader_;
  unsigned status_ = 0;
};

}  // namespace understudy::gateway::detail
