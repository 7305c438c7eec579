/// An HTTP/1.1 client for answers that take long: every wait is reported, every end is abrupt.
///
/// Invariants
/// 1. A call is one request on one connection, sent once: whether it is sent again is the caller's decision.
///    NetFault::stale_connection says that it is worth it: a kept connection ended, before a byte of the answer
///    came, within `stale_within` of the first byte of the request, so that the server most likely closed it
///    before the request arrived. After that no idle connection to that endpoint is used any more.
///    A connection that ends later has carried the request to a server that may have worked on it, and is
///    `truncated` or reset as a fresh one would be. Redirects are an error.
/// 2. TLS is verified (tls.hpp); nothing switches that off.
/// 3. Everything that comes in has a bound, the body excepted, which is its reader's to bound.
/// 4. There are no limits in time: `IoObserver` is told what is waited for, and who cancels or aborts
///    ends it. Then the connection is dead. Nothing waits for a goodbye.
/// 5. While a response waits for bytes it holds no read buffer; reading allocates nothing.
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
#include "understudy/net/transport.hpp"
#include "understudy/net/url.hpp"

namespace understudy {

class HttpClientOptions {
 public:
  /// A FIN that was on its way when the request was sent, or the reset that answers the request, arrives within
  /// about one round trip, and 250 ms is a long one between continents. What ends later may have been worked on.
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

  std::string ca_file;                 ///< PEM, trusted in place of the system's
  ProxyRules proxy;                    ///< default: none
  std::shared_ptr<Resolver> resolver;  ///< default: SystemResolver::shared()
  std::shared_ptr<Dialer> dialer;      ///< default: TcpDialer
  std::size_t max_connections = 1024;  ///< to one endpoint; who wants more waits (Phase::pool_wait)
  std::size_t max_idle = 32;           ///< to one endpoint
  Clock::duration idle_for =
      std::chrono::seconds(30);  ///< below the 60 s and more that servers and
                                 ///< load balancers commonly allow
  /// Counts the bytes that had come when a connection was reset and nobody read them any more: what a call that
  /// was cancelled has cost beyond what it got. Default: they are not counted.
  std::shared_ptr<std::atomic<std::uint64_t>> discarded;
};

/// A response whose head is there, and whose body is to be read. Its end ends the connection, unless the
/// body was read to its end, which gives it back to the pool. Threads: the client's executor.
class UNDERSTUDY_API HttpResponse {
 public:
  HttpResponse(HttpResponse&&) noexcept;
  HttpResponse& operator=(HttpResponse&&) noexcept;
  ~HttpResponse();

  unsigned status() const noexcept;
  const HttpFields& headers() const noexcept;

  /// Completes with the next part of the body; empty at its end. The view is valid until the next read
  /// or the response's end, and 64 bytes behind it may be read. Errors: truncated, body_too_large,
  /// malformed, header_too_large (a chunk's or the trailer), the stream's; operation_aborted after
  /// abort(). Cancellation: ends at once with operation_aborted, or thrown as Asio does; the connection is dead.
  asio::awaitable<NetResult<std::string_view>> read();

  /// Completes with the rest of the body. Errors: body_too_large when it has more than `limit` bytes; as
  /// read.
  asio::awaitable<NetResult<std::string>> read_all(std::size_t limit);

  /// Whether all of the body has been read.
  bool ended() const noexcept;

  /// Whether a read would complete at once: for StallTimer's `ready` hook.
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

  /// Sends `request` and completes when the head of a final response (no 1xx) is there. Phases: pool_wait
  /// (only if it has to wait), connect (name, TCP, proxy, TLS), write, first_progress.
  ///
  /// If the peer closes before it has taken all of the request, an answer that it gave first counts.
  /// Where this process has run out of descriptors, idle connections of this client are closed for the new one.
  /// Errors: every NetFault but too_slow, and the system's and getaddrinfo's; or a local one, for
  /// which no peer is at fault (runtime/local_fault.hpp). Cancellation: as HttpResponse::read. `endpoint`,
  /// `request` and the client must outlive the call, `observer` the response.
  asio::awaitable<NetResult<HttpResponse>> send(const Endpoint& endpoint,
                                                const HttpRequest& request, IoObserver& observer);

  /// Closes idle connections, which else keep the executor's context running for as long as they are kept
  /// (`idle_for`). Those in use are not kept any more.
  void close();

  std::size_t idle_connections() const noexcept;

 private:
  struct Core;

  std::shared_ptr<Core> core_;
};

}  // namespace understudy
