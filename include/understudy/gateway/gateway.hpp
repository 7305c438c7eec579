/// The gateway in a service of one's own: an HTTP server that speaks the protocols of OpenAI and Anthropic to its
/// clients and answers each request by a chain of members.
///
/// Invariants
/// 1. Nothing is sent before the answer's commit point, so that a failover until then is invisible; except that
///    after `server.keep_alive` the status line and comments are sent, so that proxies and clients do not time out.
///    Errors come in the stream from then on.
/// 2. An answer that breaks is resumed by another member, as one message (`on_partial`: resume, unless the
///    configuration says otherwise), or ends with an error event in the client's protocol and without the
///    protocol's terminal.
/// 3. A client that leaves cancels its call at once, with the cause GatewayStop::client_gone; no member is marked.
/// 4. The client's protocol does not depend on the provider's. Where they are the same, events are relayed as they
///    came.
/// 5. No prompt and no secret in a log or a header (but see RecordsOptions::prompts).
/// 6. Each member that may answer has the whole conversation: a request that leaves it with one provider is rejected.
/// 7. A request that a web page may have sent is answered only if that page is allowed (SECURITY.md, "Browsers").
/// 8. A call is served to its end by the configuration that was in force when it came.
///
/// docs/gateway.md has the resources, headers, statuses and limits.
///
///     const auto setup = Setup::make(config).value();
///     auto state = ClientState::make(config).value();
///     Gateway gateway(executor, setup, state, std::make_shared<Records>());
///     TcpAcceptor acceptor(executor, asio::ip::address_v4::loopback(), 8080);
///     co_await gateway.serve(acceptor);  // until another coroutine calls gateway.drain()
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "understudy/client/client_state.hpp"
#include "understudy/export.hpp"
#include "understudy/gateway/records.hpp"
#include "understudy/gateway/setup.hpp"
#include "understudy/net/transport.hpp"

namespace understudy::gateway {

/// See the top of the file.
///
/// Threads: one executor, which must not run two things at once (a strand, or an io_context with one thread); all
/// functions are called there. A service with several threads has a Gateway for each, with one ClientState and one
/// Records; their acceptors share the port (TcpAcceptor::Port::shared).
///
/// Lifetime: it must outlive `serve`. Its own tasks (refreshing credentials, closing connections) end with `serve`,
/// or shortly after it is destroyed; the executor's context must outlive them.
class UNDERSTUDY_API Gateway {
 public:
  /// Throws std::invalid_argument for a member whose provider the configuration does not have, which load_config()
  /// and parse_config() never let through.
  Gateway(const asio::any_io_executor& executor, const Setup& setup,
          std::shared_ptr<ClientState> state, std::shared_ptr<Records> records);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// Accepts connections and answers their requests. Once.
  ///
  /// Completes after drain() when the last connection has ended, after stop() at once; the connections of providers
  /// are closed then. Cancellation: as stop(), but with the canceller's cause, and throws operation_aborted. The
  /// acceptor must outlive it; drain() closes it.
  asio::awaitable<void> serve(Acceptor& acceptor);

  /// Requests and connections that come from now on are served by this configuration. Where it listens does not
  /// change, and health, budgets and credentials are those of the ClientState (see ClientState::reload). Without
  /// effect after `serve` has ended.
  void reload(Setup setup);

  /// Graceful end: accepts no more connections, closes idle ones, and `/readyz` is 503. Calls in flight have
  /// `server.drain` to end; then as stop(). Later calls do nothing.
  void drain();

  /// Immediate end: calls in flight are cancelled with StopReason::shutdown, which their records name, and all
  /// connections are cut.
  void stop();

 private:
  class Core;

  std::unique_ptr<Core> core_;
};

}  // namespace understudy::gateway
