/// A connection: bytes in order, both ways. TCP, TLS over any of them, or memory.
///
/// A stream is tried, and waited for when it has nothing: trying needs no coroutine, and waiting needs
/// no buffer, so that ten thousand idle streams hold none. All of Asio's sockets and of OpenSSL hides
/// behind this class, each in a source file of its own.
///
/// Invariants
/// 1. `try_read` and `try_write` never block. After `would_block` comes a wait; until it is over, further
///    tries may say `would_block` without a look.
/// 2. A stream has at most one reader and one writer waiting.
/// 3. `close` and `abort` wake who waits; from then on every try says `operation_aborted`. Neither says
///    goodbye to the peer, or waits for anything.
/// 4. Being cancelled while waiting leaves the stream as it is: the caller aborts it (law 6).
///
///     while (true) {
///       const auto read = stream.try_read(buffer);
///       if (read.code != asio::error::would_block) { ... }   // bytes, or the end
///       co_await stream.wait_readable();
///     }
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/net/error.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// What a try gave: an error, or at least one byte.
class IoResult {
 public:
  IoResult(error_code c, std::size_t n) noexcept : code(c), bytes(n) {}

  static IoResult would_block() noexcept { return {asio::error::would_block, 0}; }
  static IoResult aborted() noexcept { return {asio::error::operation_aborted, 0}; }

  error_code code;
  std::size_t bytes;
};

/// See the top of the file. Threads: one executor.
class UNDERSTUDY_API ByteStream {
 public:
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Reads what is there, up to the size of `buffer`, which must not be empty. Errors: would_block; eof;
  /// operation_aborted after close; else the transport's (connection_reset, NetFault::tls, ...).
  virtual IoResult try_read(std::span<char> buffer) noexcept = 0;

  /// Writes as much of `data`, which must not be empty, as is taken. Errors: as try_read, but for eof.
  virtual IoResult try_write(std::string_view data) noexcept = 0;

  /// Completes when a try may get on, or the stream was closed. Cancellation (any kind) completes it too,
  /// also one that came before; it is for the caller to look. Never throws by itself.
  virtual asio::awaitable<void> wait_readable() = 0;
  virtual asio::awaitable<void> wait_writable() = 0;

  /// Whether a try_read would give something, an end or an error included: a look, for StallTimer's
  /// `ready` hook.
  virtual bool readable() const noexcept = 0;

  /// Whether the connection is open and the peer has said nothing: fit to carry another request.
  virtual bool idle() noexcept { return !readable(); }

  /// Whether the peer has reset the connection, or said that no more will come, as far as that shows
  /// behind bytes that nobody has read: a look, for those who do not read.
  virtual bool peer_gone() const noexcept { return false; }

  /// How many bytes have come that nobody has read, as far as the stream can tell: a look, for statistics.
  virtual std::size_t unread() const noexcept { return 0; }

  /// Tells the peer that no more will come, behind what was written. Reading goes on.
  virtual void shutdown_send() noexcept = 0;

  /// Ends it. What was written still goes to the peer.
  virtual void close() noexcept = 0;

  /// Ends it at once: the peer sees a reset, and what it has not got yet is dropped.
  virtual void abort() noexcept = 0;

  const asio::any_io_executor& get_executor() const noexcept { return executor_; }

 protected:
  explicit ByteStream(asio::any_io_executor executor) noexcept : executor_(std::move(executor)) {}

 private:
  asio::any_io_executor executor_;
};

/// Two ends of a connection within the process. A direction holds at most `capacity` bytes on the way.
/// Works in virtual time; deterministic. Both ends are to be used on `executor`.
UNDERSTUDY_API std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>>
memory_stream_pair(const asio::any_io_executor& executor,
                   std::size_t capacity = std::size_t{64} * 1024);

}  // namespace understudy
