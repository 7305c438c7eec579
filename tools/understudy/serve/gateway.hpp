/// The gateway: what an HTTP client of OpenAI's or Anthropic's asks, answered by a chain.
///
/// Invariants
/// 1. Nothing is sent before the answer's commit point, so that a failover until then is invisible; but after
///    `server.keep_alive` the status line and comments, so that nobody between us and the client gives up. Errors
///    come in the stream from then on.
/// 2. An answer that breaks off ends with an error event in the client's protocol, and without the protocol's
///    last word.
/// 3. A client that goes away cancels the call at once, with the cause `client_gone`; nobody is marked for it.
/// 4. The client's protocol says nothing of the provider's. Where they are the same, events pass as they came.
/// 5. No prompt and no secret in a log or a header.
///
///     Gateway gateway(config, client, state);
///     HttpServer server(options, [&](HttpExchange& exchange) { return gateway.answer(exchange); });
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <string>

#include "understudy/client/client.hpp"
#include "understudy/net/http_server.hpp"

namespace understudy::tool {

/// Why the gateway has stopped a call itself.
enum class GatewayStop { client_gone = 1 };

const boost::system::error_category& gateway_category() noexcept;

inline error_code make_error_code(GatewayStop stop) noexcept {
  return {static_cast<int>(stop), gateway_category()};
}

/// See the top of the file. Threads: the client's executor. What it is given must outlive it.
class Gateway {
 public:
  Gateway(const Config& config, Client& client, ClientState& state);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// One exchange, whatever it asks. Completes when it is answered or cut off.
  asio::awaitable<void> answer(HttpExchange& exchange);

  /// No longer `ready`, for a load balancer to see.
  void drain() noexcept { draining_ = true; }

 private:
  class Call;

  bool allowed(const HttpHead& head) const;
  asio::awaitable<void> ask(HttpExchange& exchange, Protocol protocol);
  asio::awaitable<void> whole(HttpExchange& exchange, Scope& scope, Protocol protocol,
                              Request request);
  std::string models(Protocol protocol) const;
  std::string status() const;

  const Config& config_;
  Client& client_;
  ClientState& state_;
  bool draining_ = false;
};

}  // namespace understudy::tool

template <>
struct boost::system::is_error_code_enum<understudy::tool::GatewayStop> : std::true_type {};
