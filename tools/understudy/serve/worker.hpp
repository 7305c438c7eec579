/// A thread of the program with an io_context, a listening socket and a Gateway of its own; workers share only the
/// ClientState and the Records.
///
/// Invariants
/// 1. A call is served to its end by the configuration that was in force when it came; `reload` is for calls and
///    connections that come after it.
/// 2. After `drain` it ends when the calls in flight have ended, or `server.drain` later; after `stop` at once.
///
///     Worker worker(setup, state, records, 8080);
///     worker.start();
///     worker.reload(other_setup);
///     worker.drain();
///     worker.join();
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>

#include "understudy/gateway/gateway.hpp"
#include "understudy/net/tcp.hpp"

namespace understudy::tool {

/// See the top of the file.
class Worker {
 public:
  /// Listens at `server.listen`, but at that port; zero: a free one. Throws boost::system::system_error.
  Worker(const gateway::Setup& setup, std::shared_ptr<ClientState> state,
         std::shared_ptr<gateway::Records> records, std::uint16_t port);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::uint16_t port() const noexcept { return acceptor_.port(); }

  void start();

  /// See Gateway. Any thread.
  void reload(gateway::Setup setup);
  void drain();
  void stop();

  /// Waits for its end; rethrows what ended it.
  void join();

 private:
  asio::io_context context_{1};
  TcpAcceptor acceptor_;
  gateway::Gateway gateway_;
  std::exception_ptr failed_;
  std::thread thread_;
};

}  // namespace understudy::tool
