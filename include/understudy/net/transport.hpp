/// Where connections come from: out to an address, or in from a listener. Tests put memory in their
/// place (testing/memory_network.hpp).
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

using Addresses = std::vector<asio::ip::address>;
using Connected = NetResult<std::unique_ptr<ByteStream>>;

/// Opens connections. Threads: one executor.
class UNDERSTUDY_API Dialer {
 public:
  virtual ~Dialer() = default;

  /// Completes with a connection to one of `addresses`, or with the first error when all of them have
  /// failed: with the first local one (runtime/local_fault.hpp), if there is one. It has no limit of its own.
  /// Cancellation: ends at once, with `operation_aborted`, or thrown as Asio does.
  virtual asio::awaitable<Connected> dial(Addresses addresses, std::uint16_t port) = 0;
};

/// Takes connections. Threads: one executor.
class UNDERSTUDY_API Acceptor {
 public:
  virtual ~Acceptor() = default;

  /// Completes with the next connection. Errors: operation_aborted after close(), or the system's, after
  /// which it may be called again (no descriptor left, say). Cancellation: as Dialer::dial.
  virtual asio::awaitable<Connected> accept() = 0;

  /// No more connections; wakes who waits.
  virtual void close() noexcept = 0;
};

}  // namespace understudy
