/// Interfaces that create connections: outgoing to an address, or incoming from a listener. Tests replace them with
/// in-memory connections (testing/memory_network.hpp).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/net/byte_stream.hpp"
#include "understudy/net/error.hpp"

namespace understudy {

/// The addresses of a host, in the order in which they are tried.
using Addresses = std::vector<asio::ip::address>;
/// A connection, or why there is none.
using Connected = NetResult<std::unique_ptr<ByteStream>>;

/// Opens connections. Threads: one executor.
class UNDERSTUDY_API Dialer {
 public:
  virtual ~Dialer() = default;

  /// Completes with a connection to one of `addresses`, or, when all of them have failed, with the first local fault
  /// (runtime/local_fault.hpp) if there is one, else with the first error. It has no time limit.
  /// Cancellation: completes at once with `operation_aborted`, returned or thrown as in Asio.
  virtual asio::awaitable<Connected> dial(Addresses addresses, std::uint16_t port) = 0;
};

/// Accepts connections. Threads: one executor.
class UNDERSTUDY_API Acceptor {
 public:
  virtual ~Acceptor() = default;

  /// Completes with the next connection. Errors: operation_aborted after close(), or a system error (for example, no
  /// descriptor left), after which it may be called again. Cancellation: as for Dialer::dial.
  virtual asio::awaitable<Connected> accept() = 0;

  /// Accepts no more connections, and wakes a waiting accept().
  virtual void close() noexcept = 0;
};

}  // namespace understudy
