/// One thread of the gateway, with all that it needs: nothing but the State is shared between them.
///
/// Invariants
/// 1. A call is served to its end by the configuration that was in force when it came; `apply` is for calls,
///    and connections, that come after it.
/// 2. After `drain` it ends when the calls under way have ended, or `server.drain` later; after `stop` at once.
///
///     Worker worker(setup, state, records, 8080);
///     worker.start();
///     worker.apply(other_setup);
///     worker.drain();
///     worker.join();
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <thread>

#include "../../../lib/gateway/gateway.hpp"
#include "understudy/net/tcp.hpp"

namespace understudy::tool {

using namespace gateway;
using namespace gateway::detail;

/// A configuration, and what was made of its files.
class Setup {
 public:
  Setup(Config c, HttpServerOptions l)
      : config(std::make_shared<const Config>(std::move(c))), listening(std::move(l)) {}

  std::shared_ptr<const Config> config;
  HttpServerOptions listening;
};

/// See the top of the file.
class Worker {
 public:
  /// Listens at `server.listen`, but at that port; zero: a free one. Throws boost::system::system_error.
  Worker(const Setup& setup, std::shared_ptr<ClientState> state, Records& records,
         std::uint16_t port);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::uint16_t port() const noexcept { return acceptor_.port(); }

  void start();

  /// Another configuration. Where it listens does not change. Any thread.
  void apply(Setup setup);

  /// No more connections; what is under way has `server.drain` to end. Any thread.
  void drain();

  /// Ends at once. Any thread.
  void stop();

  /// Waits for its end; rethrows what ended it.
  void join();

 private:
  struct Service;

  asio::awaitable<void> work();
  asio::awaitable<void> answer(HttpExchange& exchange);
  std::shared_ptr<Service> serve_as(const std::shared_ptr<const Config>& config);
  void end();

  Records& records_;
  std::shared_ptr<ClientState> state_;
  asio::io_context context_{1};
  TcpAcceptor acceptor_;
  std::list<std::weak_ptr<Service>>
      services_;  // of those whose calls are under way, the newest last
  std::shared_ptr<Service> service_;
  HttpServer server_;
  Scope* root_ = nullptr;  // on the context's thread alone
  std::exception_ptr failed_;
  std::thread thread_;
};

}  // namespace understudy::tool
