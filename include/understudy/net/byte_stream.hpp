/// A connection: an ordered byte stream in both directions, over TCP, over memory, or TLS over another stream.
///
/// Operations are non-blocking tries; when a try would block, the caller waits. A try needs no coroutine, and a wait
/// needs no buffer, so that ten thousand idle streams hold no buffers. This class hides Asio's sockets and OpenSSL,
/// each of which is used in one source file only.
///
/// Invariants
/// 1. `try_read` and `try_write` never block. After `would_block` the caller must wait; until the wait completes,
///    further tries may return `would_block` without checking the transport.
/// 2. A stream has at most one waiting reader and one waiting writer.
/// 3. `close` and `abort` wake all waiters; every later try returns `operation_aborted`. Neither performs a closing
///    handshake with the peer, or waits for anything.
/// 4. Cancelling a wait does not change the stream: the caller aborts it (law 6).
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

/// The result of a try: an error, or at least one byte.
class IoResult {
 public:
  IoResult(error_code c, std::size_t n) noexcept : code(c), bytes(n) {}

  /// Nothing now: wait_readable() or wait_writable() tells when to try again.
  static IoResult would_block() noexcept { return {asio::error::would_block, 0}; }
  /// The stream was closed from this side.
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

  /// Reads the available bytes, up to the size of `buffer`, which must not be empty. Errors: would_block; eof;
  /// operation_aborted after close; else the transport's (connection_reset, NetFault::tls, ...).
  virtual IoResult try_read(std::span<char> buffer) noexcept = 0;

  /// Writes as much of `data`, which must not be empty, as is accepted. Errors: as for try_read, except eof.
  virtual IoResult try_write(std::string_view data) noexcept = 0;

  /// Completes when a try may succeed, or the stream was closed. Cancellation (any kind) completes it too, also one
  /// that came before the call; the caller must check for it. Never throws by itself.
  virtual asio::awaitable<void> wait_readable() = 0;
  /// As wait_readable(), for try_write.
  virtual asio::awaitable<void> wait_writable() = 0;

  /// Whether a try_read would return something other than would_block, including an end or an error. Does not read;
  /// for StallTimer's `ready` hook.
  virtual bool readable() const noexcept = 0;

  /// Whether the connection is open and the peer has sent nothing, so that it can carry another request.
  virtual bool idle() noexcept { return !readable(); }

  /// Whether the peer has reset the connection or closed its sending direction, as far as this can be detected behind
  /// unread bytes. Does not read; for callers that are not reading.
  virtual bool peer_gone() const noexcept { return false; }

  /// The number of received bytes that are unread, as far as the stream can tell; for statistics.
  virtual std::size_t unread() const noexcept { return 0; }

  /// Closes the sending direction after the bytes already written. Reading remains possible.
  virtual void shutdown_send() noexcept = 0;

  /// Closes the connection. Bytes already written are still sent to the peer.
  virtual void close() noexcept = 0;

  /// Resets the connection at once; bytes that the peer has not received yet are dropped.
  virtual void abort() noexcept = 0;

  /// The executor that completions run on.
  const asio::any_io_executor& get_executor() const noexcept { return executor_; }

 protected:
  explicit ByteStream(asio::any_io_executor executor) noexcept : executor_(std::move(executor)) {}

 private:
  asio::any_io_executor executor_;
};

/// The two ends of a connection within the process. Each direction buffers at most `capacity` bytes. Works in virtual
/// time and is deterministic. Both ends must be used on `executor`.
UNDERSTUDY_API std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>>
memory_stream_pair(const asio::any_io_executor& executor,
                   std::size_t capacity = std::size_t{64} * 1024);

}  // namespace understudy
