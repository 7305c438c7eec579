/// The core of a small HTTP/1.1 server: what the gateway, the demo's providers and tests build upon.
///
/// Invariants
/// 1. A connection carries one exchange at a time, in a child of serve()'s scope: none outlives it.
/// 2. What a client sends, and how long it may take, has a bound; what breaks one is answered (400, 413, 431,
///    501) or cut off. An answer given while the client is still sending reaches it: what it sends is read on,
///    for at most 30 s and 256 MiB.
/// 3. A response is finished by the handler, or the client sees that it is not: never a neat end by
///    accident. A handler that throws has its connection cut, or answers 500 if nothing was sent.
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

class HttpServerOptions {
 public:
  /// What a request that cannot be read is answered with: a body for the status and what is wrong with it,
  /// and the header fields that go with that body.
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
  std::size_t max_connections = 10'000;             ///< beyond, they wait in the kernel's queue
  Clock::duration idle = std::chrono::seconds(75);  ///< between requests; nginx's default
  Clock::duration head_within =
      std::chrono::seconds(10);  ///< a head, from its first byte; a handshake
  Clock::duration body_within = std::chrono::seconds(300);  ///< a body
  Clock::duration write_stall = std::chrono::seconds(30);   ///< no byte of a response taken
  Refusal refusal;  ///< default: what is wrong, as plain text
};

/// A request, and the way to answer it. Threads: the server's executor. All writes complete when the bytes
/// are with the kernel (or the memory stream), with operation_aborted after abort() or a cancel, with
/// NetFault::too_slow when a limit ran out, else with the stream's error; then the connection is dead.
class UNDERSTUDY_API HttpExchange {
 public:
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  const HttpHead& request() const noexcept;

  /// The next part of the request's body, valid until the next read; empty at its end. Says "100 Continue"
  /// first if the client waits for that. Errors: body_too_large (answer it: 413), truncated, malformed.
  asio::awaitable<NetResult<std::string_view>> read();
  asio::awaitable<NetResult<std::string>> read_all();

  /// The whole answer. `content-length` and `connection` are the server's to add.
  asio::awaitable<error_code> respond(unsigned status, const HttpFields& headers,
                                      std::string_view body);

  /// An answer in parts: begin, write as often as you like, finish. Each write is sent at once, as a
  /// chunk; an empty one sends nothing.
  asio::awaitable<error_code> begin(unsigned status, const HttpFields& headers);
  asio::awaitable<error_code> write(std::string_view part);
  asio::awaitable<error_code> finish();

  /// Completes when the client has gone, or the caller was cancelled. For use beside writing, after the body was
  /// read: it reads, and keeps up to 16 KiB of the requests that the client sends ahead. A client counts as gone
  /// when it has reset or closed the connection, or closed its own direction alone: nothing tells that from a
  /// close before the next write fails. Behind more than 16 KiB of further requests an end cannot be seen.
  asio::awaitable<void> gone();

  /// Resets the connection: the client sees a broken answer.
  void abort() noexcept;

  /// Whether something of an answer was sent.
  bool begun() const noexcept;

  /// The connection itself, for those who break rules on purpose.
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
  using Handler = std::function<asio::awaitable<void>(HttpExchange&)>;

  HttpServer(HttpServerOptions options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Takes connections until drain() or a cancel, and completes when all of them have ended. The server
  /// and the acceptor must outlive it.
  asio::awaitable<void> serve(Acceptor& acceptor);

  /// Takes no more connections, closes idle ones, and each other after the exchange that is under way.
  void drain();

  /// Other options, for connections that come from now on; those that there are keep theirs.
  void reconfigure(HttpServerOptions options);

  /// How many connections there are.
  std::size_t connections() const noexcept;

 private:
  struct Core;

  std::unique_ptr<Core> core_;
};

}  // namespace understudy
