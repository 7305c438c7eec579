/// TCP connections, outgoing and incoming.
///
///     TcpAcceptor acceptor(executor, asio::ip::make_address("127.0.0.1"), 0);
///     TcpDialer dialer(executor);
///     Addresses here{asio::ip::make_address("127.0.0.1")};
///     auto there = co_await dialer.dial(std::move(here), acceptor.port());
#pragma once

#include <memory>

#include "understudy/export.hpp"
#include "understudy/net/transport.hpp"

namespace understudy {

/// Tries all addresses as in RFC 8305: it alternates address families, tries the next address when one has failed or
/// has not connected within 250 ms, and uses the first that connects. Connections have TCP_NODELAY set, and keep-alive
/// probes after 60 s of idle time, as in Anthropic's SDK.
class UNDERSTUDY_API TcpDialer final : public Dialer {
 public:
  explicit TcpDialer(asio::any_io_executor executor) noexcept : executor_(std::move(executor)) {}

  asio::awaitable<Connected> dial(Addresses addresses, std::uint16_t port) override;

 private:
  asio::any_io_executor executor_;
};

/// A listening socket.
class UNDERSTUDY_API TcpAcceptor final : public Acceptor {
 public:
  /// Whether other sockets may listen on the same port; the kernel then distributes connections (SO_REUSEPORT).
  enum class Port : unsigned char { own, shared };

  /// Listens on `port`, or on a free port if it is 0. `receive_buffer`, if not 0, is the kernel's receive buffer size
  /// of each connection. Throws system_error, for example address_in_use.
  TcpAcceptor(const asio::any_io_executor& executor, const asio::ip::address& address,
              std::uint16_t port, int receive_buffer = 0, Port use = Port::own);
  ~TcpAcceptor() override;

  asio::awaitable<Connected> accept() override;
  void close() noexcept override;

  /// The port that it listens on: the system's choice if 0 was asked for.
  std::uint16_t port() const noexcept { return port_; }

 private:
  struct Socket;
  std::unique_ptr<Socket> socket_;
  std::uint16_t port_ = 0;
};

}  // namespace understudy
