/// TLS over any ByteStream, by OpenSSL.
///
/// Invariants
/// 1. A client always verifies the certificate chain, its validity period, and that it was issued for the requested
///    host. Verification cannot be disabled.
/// 2. The minimum version is TLS 1.2. SNI carries host names, never address literals. ALPN offers http/1.1.
/// 3. No operation waits for a close_notify. If the peer closes without one, the error is `NetFault::truncated`;
///    HTTP framing determines whether that matters.
/// 4. OpenSSL releases its buffers while a connection is idle.
///
///     auto context = TlsContext::client(TlsClientOptions().with_ca_file("ca.pem"));
///     auto secure = co_await tls_connect(*context, std::move(tcp), "api.example.com");
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/net/transport.hpp"

struct ssl_ctx_st;

namespace understudy {

/// What a client trusts.
class TlsClientOptions {
 public:
  TlsClientOptions() noexcept {}

  TlsClientOptions& with_ca_file(std::string path) { return ca_file = std::move(path), *this; }

  std::string ca_file;  ///< PEM; used instead of the system's CA certificates, unless empty
};

/// The TLS configuration shared by many connections. Copies share the same state. Threads: any.
class UNDERSTUDY_API TlsContext {
 public:
  /// Reads files (a few milliseconds). Errors: NetFault::tls_setup, or a local one (runtime/local_fault.hpp).
  static NetResult<TlsContext> client(const TlsClientOptions& options);

  /// From PEM files: the certificate with its chain, and its private key. Errors: NetFault::tls_setup.
  static NetResult<TlsContext> server(const std::string& certificate_file,
                                      const std::string& key_file);

  /// The same from memory, for keys that must not be written to a file.
  static NetResult<TlsContext> server_of_pem(std::string_view certificates, std::string_view key);

  /// OpenSSL's object, valid as long as a copy of this one.
  ssl_ctx_st* native() const noexcept { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) noexcept
      : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
};

/// The client contexts of a program, so that each file of certificates is read once and not by every HTTP client (36 ms for
/// Debian's). Files that change are read again by a new cache. Threads: any.
class UNDERSTUDY_API TlsContextCache {
 public:
  /// The context for these options, which is made when it is first asked for. Errors: those of TlsContext::client; they are
  /// not kept.
  NetResult<TlsContext> client(const TlsClientOptions& options);

 private:
  std::mutex mutex_;
  std::map<std::string, TlsContext> by_ca_file_;
};

/// Completes when the handshake is done. Errors: NetFault::certificate or NetFault::tls, with OpenSSL's reason as
/// the text; errors of the stream. Cancellation: as for Dialer::dial. If the handshake does not succeed, `stream` is
/// destroyed.
UNDERSTUDY_API asio::awaitable<Connected> tls_connect(TlsContext context,
                                                      std::unique_ptr<ByteStream> stream,
                                                      std::string host);

/// The same for the server side.
UNDERSTUDY_API asio::awaitable<Connected> tls_accept(TlsContext context,
                                                     std::unique_ptr<ByteStream> stream);

}  // namespace understudy
