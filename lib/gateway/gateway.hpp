/// The gateway: what an HTTP client of OpenAI's or Anthropic's asks, answered by a chain.
///
/// Invariants
/// 1. Nothing is sent before the answer's commit point, so that a failover until then is invisible; but after
///    `server.keep_alive` the status line and comments, so that nobody between us and the client gives up. Errors
///    come in the stream from then on.
/// 2. An answer that breaks off is gone on with by another member, as one message (`on_partial`: resume, unless the
///    configuration says otherwise), or ends with an error event in the client's protocol and without the
///    protocol's last word.
/// 3. A client that goes away cancels the call at once, with the cause `client_gone`; nobody is marked for it.
/// 4. The client's protocol says nothing of the provider's. Where they are the same, events pass as they came.
/// 5. No prompt and no secret in a log or a header.
/// 6. Who may answer has the whole conversation: a request that leaves it with one provider is refused.
/// 7. A request that a web page may have sent is answered only if that page may (browser_guard.hpp).
///
///     Gateway gateway(config, client, state, records);
///     HttpServer server(server_options(config.server), [&](HttpExchange& http) { return gateway.answer(http); });
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <list>
#include <string>

#include "browser_guard.hpp"
#include "client_exchange.hpp"
#include "resource.hpp"
#include "understudy/client/client.hpp"
#include "understudy/gateway/records.hpp"
#include "understudy/net/http_server.hpp"

namespace understudy::gateway::detail {

/// Why the gateway has stopped a call itself.
enum class GatewayStop { client_gone = 1 };

const boost::system::error_category& gateway_category() noexcept;

inline error_code make_error_code(GatewayStop stop) noexcept {
  return {static_cast<int>(stop), gateway_category()};
}

/// Limits as configured, and the protocol's 400 for what is no HTTP.
HttpServerOptions server_options(const ServerConfig& config);

/// See the top of the file. Threads: the client's executor. What it is given must outlive it.
class Gateway {
 public:
  Gateway(const Config& config, Client& client, ClientState& state, Records& records);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// One exchange, whatever it asks. Completes when it is answered or cut off.
  asio::awaitable<void> answer(HttpExchange& http);

  /// No longer `ready`, for a load balancer to see.
  void drain() noexcept { draining_ = true; }

  /// Ends the calls that are under way, at once, with the cause `shutdown`.
  void stop();

 private:
  /// A call in its scope; it may write to the record what it alone knows.
  using Call = std::function<asio::awaitable<void>(Scope&, RequestOptions&, CallRecord&)>;

  bool allowed(const HttpHead& head) const;
  std::optional<ErrorAnswer> refused(const ClientExchange& client, const Resource& resource) const;
  std::string next_id();
  asio::awaitable<void> get(ClientExchange& client, std::string_view path);
  asio::awaitable<void> post(ClientExchange& client, const Resource& resource);
  asio::awaitable<void> ask(ClientExchange& client, std::string_view path, std::string body);
  asio::awaitable<void> whole(ClientExchange& client, const RequestOptions& options,
                              llm::Request request);
  asio::awaitable<void> pass(ClientExchange& client, const Resource& what, std::string body);
  asio::awaitable<void> run(ClientExchange& client, CallRecord record, Call call);

  const Config& config_;
  Client& client_;
  ClientState& state_;
  Records& records_;
  BrowserGuard guard_;
  std::list<Scope*> under_way_;
  std::uint64_t first_id_;
  std::uint64_t ids_ = 0;
  bool draining_ = false;
};

}  // namespace understudy::gateway::detail

template <>
struct boost::system::is_error_code_enum<understudy::gateway::detail::GatewayStop>
    : std::true_type {};
