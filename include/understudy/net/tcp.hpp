/// TCP connections, out and in.
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

/// Tries all addresses by RFC 8305: families in turn, the next when one has failed or has said nothing
/// for 250 ms, and the first that connects wins. Connections are sent without delay (TCP_NODELAY), and
/// probed when idle for 60 s, as Anthropic's SDK does.
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
  /// Whether others may listen on the same port: then the kernel shares its connections out (SO_REUSEPORT).
  enum class Port : unsigned char { own, shared };

  /// Listens on `port`, or on a free one if that is 0. `receive_buffer`, if not 0, is what the kernel
  /// gives each connection. Throws system_error, address_in_use for one.
  TcpAcceptor(const asio::any_io_executor& executor, const asio::ip::address& address,
              std::uint16_t port, int receive_buffer = 0, Port use = Port::own);
  ~TcpAcceptor() override;

  asio::awaitable<Connected> accept() override;
  void close() noexcept override;

  std::uint16_t port() const noexcept { return port_; }

 private:
  struct Socket;
  std::unique_ptr<Socket> socket_;
  std::uint16_t port_ = 0;
};

}  // namespace understudy
