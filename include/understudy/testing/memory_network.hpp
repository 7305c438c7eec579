/// A network within the process: connections are memory streams, so that everything above them runs in virtual time
/// (testing/virtual_time.hpp) and is deterministic.
///
///     auto network = std::make_shared<MemoryNetwork>(context.get_executor());
///     auto acceptor = network->listen(80);            // for an HttpServer
///     auto resolver = std::make_shared<ScriptedResolver>();
///     HttpClient client(executor, HttpClientOptions().with_dialer(network).with_resolver(resolver));
#pragma once

#include <map>
#include <memory>
#include <set>

#include "understudy/export.hpp"
#include "understudy/net/transport.hpp"

namespace understudy::testing {

/// See the top of the file. Every address leads to the same listeners. Threads: one executor.
class UNDERSTUDY_API MemoryNetwork final : public Dialer {
 public:
  /// Each direction of a connection buffers at most `capacity` bytes.
  explicit MemoryNetwork(const asio::any_io_executor& executor,
                         std::size_t capacity = std::size_t{64} * 1024);
  ~MemoryNetwork() override;

  /// Accepts connections to `port` until the acceptor is closed or destroyed. At most one acceptor per port.
  std::unique_ptr<Acceptor> listen(std::uint16_t port);

  /// From now on connecting to `port` neither succeeds nor fails, as with a listener whose queue is full.
  void black_hole(std::uint16_t port) { black_holes_.insert(port); }

  /// Errors: connection_refused if no acceptor listens on the port.
  asio::awaitable<Connected> dial(Addresses addresses, std::uint16_t port) override;

  /// The number of connections that were made.
  std::size_t dialled() const noexcept { return dialled_; }

 private:
  class Listener;
  using Listeners = std::map<std::uint16_t, Listener*>;

  asio::any_io_executor executor_;
  std::size_t capacity_;
  std::shared_ptr<Listeners> listeners_;
  std::set<std::uint16_t> black_holes_;
  std::size_t dialled_ = 0;
};

}  // namespace understudy::testing
