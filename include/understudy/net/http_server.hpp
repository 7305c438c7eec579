/// The core of a small HTTP/1.1 server, used by the gateway, the demo's providers and tests.
///
/// Invariants
/// 1. A connection carries one exchange at a time, in a child of serve()'s scope: no connection outlives serve().
/// 2. Requests are limited in size and time; the server answers a request that exceeds a limit (400, 413, 431, 501) or
///    closes its connection. If the server answers while the client is still sending, it continues to read for at most
///    30 s and 256 MiB, so that the answer reaches the client.
/// 3. If the handler does not finish a response, the client can detect that it is incomplete. If a handler throws, the
///    connection is reset, or the answer is 500 if nothing was sent.
/// 4. Deterministic over memory streams in virtual time.
///
///     HttpServer server(HttpServerOptions(), [](HttpExchange& exchange) -> asio::awaitable<void> {
///       co_await exchange.respond(200, HttpFields(), "hello");
///     });
///     co_await server.serve(acceptor);
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/net/error.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/tls.hpp"
#include "understudy/net/transport.hpp"

namespace understudy {

/// Limits of an HttpServer, and how it refuses what it cannot read.
class HttpServerOptions {
 public:
  /// Produces the answer to a request that cannot be read: a body for the given status and error description, and the
  /// header fields of that body.
  using Refusal =
      std::function<std::string(unsigned status, std::string_view what, HttpFields& headers)>;

  HttpServerOptions() noexcept {}

  HttpServerOptions& with_tls(TlsContext context) {
    return tls = std::make_shared<const TlsContext>(std::move(context)), *this;
  }
  HttpServerOptions& with_max_body(std::uint64_t n) { return max_body = n, *this; }
  HttpServerOptions& with_max_connections(std::size_t n) { return max_connections = n, *this; }
  HttpServerOptions& with_idle(Clock::duration d) { return idle = d, *this; }
  HttpServerOptions& with_head_within(Clock::duration d) { return head_within = d, *this; }
  HttpServerOptions& with_body_within(Clock::duration d) { return body_within = d, *this; }
  HttpServerOptions& with_write_stall(Clock::duration d) { return write_stall = d, *this; }
  HttpServerOptions& with_refusal(Refusal f) { return refusal = std::move(f), *this; }

  std::shared_ptr<const TlsContext> tls;                     ///< default: none
  std::uint64_t max_body = std::uint64_t{32} * 1024 * 1024;  ///< bytes
  std::size_t max_connections = 10'000;             ///< further ones wait in the kernel's queue
  Clock::duration idle = std::chrono::seconds(75);  ///< between requests; nginx's default
  Clock::duration head_within =
      std::chrono::seconds(10);  ///< limit for a head, from its first byte, and for a handshake
  Clock::duration body_within = std::chrono::seconds(300);  ///< limit for a body
  Clock::duration write_stall =
      std::chrono::seconds(30);  ///< limit while the client accepts no byte
  Refusal refusal;               ///< default: the error description as plain text
};

/// A request, and the functions that answer it. Threads: the server's executor. A write completes when the bytes have
/// been passed to the kernel (or the memory stream). Errors: operation_aborted after abort() or a cancel,
/// NetFault::too_slow when a limit expired, else the stream's error; the connection is unusable afterwards.
class UNDERSTUDY_API HttpExchange {
 public:
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// The request's line and header fields. Valid as long as the exchange.
  const HttpHead& request() const noexcept;

  /// The next part of the request's body, valid until the next read; empty at the end. Sends "100 Continue" first if
  /// the client expects it. Errors: body_too_large (to be answered with 413), truncated, malformed.
  asio::awaitable<NetResult<std::string_view>> read();
  /// The rest of the body, with the errors of read().
  asio::awaitable<NetResult<std::string>> read_all();

  /// Sends a whole answer. The server adds `content-length` and `connection`.
  asio::awaitable<error_code> respond(unsigned status, const HttpFields& headers,
                                      std::string_view body);

  /// Sends an answer in parts: call begin, then write any number of times, then finish. Each write is sent at once as a
  /// chunk; an empty write sends nothing.
  asio::awaitable<error_code> begin(unsigned status, const HttpFields& headers);
  /// One part of an answer that was begun.
  asio::awaitable<error_code> write(std::string_view part);
  /// Ends an answer that was begun.
  asio::awaitable<error_code> finish();

  /// Completes when the client has gone, or the caller was cancelled. For use concurrently with writes, after the body
  /// was read: it reads, and buffers up to 16 KiB of pipelined requests. A client counts as gone when it has reset or
  /// closed the connection, or closed only its sending direction: the server cannot distinguish that from a close
  /// before the next write fails. An end behind more than 16 KiB of pipelined requests is not detected.
  asio::awaitable<void> gone();

  /// Answers with `101 Switching Protocols`. From then on the bytes in both directions are the caller's; the connection
  /// ends with the exchange.
  asio::awaitable<error_code> switch_protocols(const HttpFields& headers);
  /// The next bytes, valid until the next call; empty at the end. For use concurrently with `write_raw`. Errors: the
  /// stream's; operation_aborted after abort() or a cancel.
  asio::awaitable<NetResult<std::string_view>> read_raw();
  /// Writes bytes after switch_protocols(). For use concurrently with `read_raw`.
  asio::awaitable<error_code> write_raw(std::string_view bytes);

  /// Resets the connection, so that the client sees a broken answer.
  void abort() noexcept;

  /// Whether any part of an answer was sent.
  bool begun() const noexcept;

  /// The connection itself, for tests that violate the protocol on purpose.
  ByteStream& stream() noexcept;

 private:
  friend class HttpServer;
  struct State;
  explicit HttpExchange(State& state) noexcept : state_(state) {}

  State& state_;
};

/// See the top of the file. Threads: one executor.
class UNDERSTUDY_API HttpServer {
 public:
  /// Answers one request.
  using Handler = std::function<asio::awaitable<void>(HttpExchange&)>;

  HttpServer(HttpServerOptions options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Accepts connections until drain() or a cancel, and completes when all of them have ended. The server and the
  /// acceptor must outlive it.
  asio::awaitable<void> serve(Acceptor& acceptor);

  /// Accepts no more connections, closes idle ones at once, and the others after their current exchange.
  void drain();

  /// Sets the options of connections accepted from now on; existing connections keep theirs.
  void reconfigure(HttpServerOptions options);

  /// The number of open connections.
  std::size_t connections() const noexcept;

 private:
  struct Core;

  std::unique_ptr<Core> core_;
};

}  // namespace understudy
