/// An HTTP/1.1 client for long-running answers: it reports every wait, and closes connections without delay.
///
/// Invariants
/// 1. A call sends one request once on one connection; whether to send it again is the caller's decision.
///    NetFault::stale_connection means that a retry is appropriate: a reused connection ended before a byte of the
///    answer arrived and within `stale_within` of the first byte of the request, so that the server most likely closed
///    it before the request arrived. The client then discards all idle connections to that endpoint.
///    If a reused connection ends later, the server may have processed the request; the error is `truncated` or a
///    reset, as on a fresh connection. Redirects are an error.
/// 2. TLS is verified (tls.hpp); verification cannot be disabled.
/// 3. All input is limited in size except the body, which its reader must limit.
/// 4. There are no time limits: the client reports to `IoObserver` what it waits for, and a cancel or abort ends the
///    wait. The connection is unusable afterwards. No operation waits for a closing handshake.
/// 5. While a response waits for bytes it holds no read buffer; reading does not allocate.
///
///     HttpClient client(executor, HttpClientOptions());
///     auto response = co_await client.send(endpoint, request, observer);
///     while (response.has_value()) {
///       auto part = co_await response->read();
///       if (part.has_error() || part->empty()) { break; }   // an error, or the end
///       consume(*part);
///     }
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "understudy/export.hpp"
#include "understudy/net/error.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/io_observer.hpp"
#include "understudy/net/proxy.hpp"
#include "understudy/net/resolver.hpp"
#include "understudy/net/tls.hpp"
#include "understudy/net/transport.hpp"
#include "understudy/net/url.hpp"

namespace understudy {

/// Limits of an HttpClient, and what it connects with.
class HttpClientOptions {
 public:
  /// A FIN that was in flight when the request was sent, or the reset that answers the request, arrives within about
  /// one round trip, and 250 ms is long even between continents. If the connection ends later, the server may have
  /// processed the request.
  static constexpr Clock::duration stale_within = std::chrono::milliseconds(250);

  HttpClientOptions() noexcept {}

  HttpClientOptions& with_ca_file(std::string path) { return ca_file = std::move(path), *this; }
  HttpClientOptions& with_proxy(ProxyRules rules) { return proxy = std::move(rules), *this; }
  HttpClientOptions& with_resolver(std::shared_ptr<Resolver> r) {
    return resolver = std::move(r), *this;
  }
  HttpClientOptions& with_dialer(std::shared_ptr<Dialer> d) { return dialer = std::move(d), *this; }
  HttpClientOptions& with_max_connections(std::size_t n) { return max_connections = n, *this; }
  HttpClientOptions& with_max_idle(std::size_t n) { return max_idle = n, *this; }
  HttpClientOptions& with_idle_for(Clock::duration d) { return idle_for = d, *this; }
  HttpClientOptions& with_discarded(std::shared_ptr<std::atomic<std::uint64_t>> counter) {
    return discarded = std::move(counter), *this;
  }
  HttpClientOptions& with_tls_contexts(std::shared_ptr<TlsContextCache> cache) {
    return tls_contexts = std::move(cache), *this;
  }

  std::shared_ptr<TlsContextCache> tls_contexts;  ///< shared by clients; default: one of its own
  std::string ca_file;                 ///< PEM, used instead of the system's CA certificates
  ProxyRules proxy;                    ///< default: none
  std::shared_ptr<Resolver> resolver;  ///< default: SystemResolver::shared()
  std::shared_ptr<Dialer> dialer;      ///< default: TcpDialer
  std::size_t max_connections = 1024;  ///< to one endpoint; further calls wait (Phase::pool_wait)
  std::size_t max_idle = 32;           ///< to one endpoint
  Clock::duration idle_for =
      std::chrono::seconds(30);  ///< below the 60 s and more that servers and
                                 ///< load balancers commonly allow
  /// Counts bytes that were received but unread when a connection was reset: the cost of cancelled calls beyond what
  /// they read. Default: not counted.
  std::shared_ptr<std::atomic<std::uint64_t>> discarded;
};

/// A response whose head was received and whose body is yet to be read. The destructor resets the connection, unless
/// the body was read to its end, which returns the connection to the pool. Threads: the client's executor.
class UNDERSTUDY_API HttpResponse {
 public:
  HttpResponse(HttpResponse&&) noexcept;
  HttpResponse& operator=(HttpResponse&&) noexcept;
  ~HttpResponse();

  /// The final status: 1xx responses are skipped.
  unsigned status() const noexcept;
  /// The header fields.
  const HttpFields& headers() const noexcept;

  /// Completes with the next part of the body; empty at its end. The view is valid until the next read or until the
  /// response is destroyed, and 64 bytes after it are readable. Errors: truncated, body_too_large, malformed,
  /// header_too_large (a chunk header or the trailer), the stream's; operation_aborted after abort(). Cancellation:
  /// completes at once with operation_aborted, returned or thrown as in Asio; the connection is unusable afterwards.
  asio::awaitable<NetResult<std::string_view>> read();

  /// Completes with the rest of the body. Errors: body_too_large if it exceeds `limit` bytes; as for read.
  asio::awaitable<NetResult<std::string>> read_all(std::size_t limit);

  /// Whether all of the body has been read.
  bool ended() const noexcept;

  /// Whether a read would complete at once; for StallTimer's `ready` hook.
  bool readable() const noexcept;

  /// Closes the connection; a pending read ends with operation_aborted.
  void abort() noexcept;

 private:
  friend class HttpClient;
  struct State;
  explicit HttpResponse(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

/// See the top of the file. Threads: one executor. Responses may outlive it.
class UNDERSTUDY_API HttpClient {
 public:
  HttpClient(const asio::any_io_executor& executor, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends `request` and completes when the head of the final response (not 1xx) was received. Phases: pool_wait (only
  /// if it has to wait), connect (name, TCP, proxy, TLS), write, first_progress.
  ///
  /// If the peer closes before it has accepted the whole request, an answer that it sent before is returned.
  /// If this process has run out of descriptors, the client closes idle connections to make room for the new one.
  /// Errors: every NetFault except too_slow, and those of the system and getaddrinfo; or a local fault, for which no
  /// peer is responsible (runtime/local_fault.hpp). Cancellation: as for HttpResponse::read. `endpoint`, `request` and
  /// the client must outlive the call; `observer` must outlive the response.
  asio::awaitable<NetResult<HttpResponse>> send(const Endpoint& endpoint,
                                                const HttpRequest& request, IoObserver& observer);

  /// Closes idle connections, which would otherwise keep the executor's context running until they expire
  /// (`idle_for`). Connections in use are closed instead of being kept.
  void close();

  /// The number of connections that wait in the pool.
  std::size_t idle_connections() const noexcept;

 private:
  struct Core;

  std::shared_ptr<Core> core_;
};

}  // namespace understudy
