/// TLS over any ByteStream, by OpenSSL.
///
/// Invariants
/// 1. A client always verifies: the chain, the time, and that the certificate is for the host it asked
///    for. There is no switch.
/// 2. TLS 1.2 at least; a name is sent as SNI, an address literal never; ALPN says http/1.1.
/// 3. Nothing waits for a goodbye. A peer that ends without one is `NetFault::truncated`: whether that
///    matters is for HTTP's framing to say.
/// 4. OpenSSL's buffers are given back while a connection is idle.
///
///     auto context = TlsContext::client(TlsClientOptions().with_ca_file("ca.pem"));
///     auto secure = co_await tls_connect(*context, std::move(tcp), "api.example.com");
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/net/transport.hpp"

struct ssl_ctx_st;

namespace understudy {

class TlsClientOptions {
 public:
  TlsClientOptions() noexcept {}

  TlsClientOptions& with_ca_file(std::string path) { return ca_file = std::move(path), *this; }

  std::string ca_file;  ///< PEM; trusted in place of the system's. Empty: the system's
};

/// What many connections share. Copies share it too; any thread.
class UNDERSTUDY_API TlsContext {
 public:
  /// Reads files: some milliseconds. Errors: NetFault::tls_setup, or a local one (runtime/local_fault.hpp).
  static NetResult<TlsContext> client(const TlsClientOptions& options);

  /// PEM files: the certificate with its chain, and its key. Errors: NetFault::tls_setup.
  static NetResult<TlsContext> server(const std::string& certificate_file,
                                      const std::string& key_file);

  /// The same from memory: keys that shall not be written to a file.
  static NetResult<TlsContext> server_of_pem(std::string_view certificates, std::string_view key);

  ssl_ctx_st* native() const noexcept { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) noexcept
      : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
};

/// Completes when the handshake is done. Errors: NetFault::certificate or tls, whose text is OpenSSL's
/// reason; the stream's. Cancellation: as Dialer::dial; the stream is gone in any case.
UNDERSTUDY_API asio::awaitable<Connected> tls_connect(TlsContext context,
                                                      std::unique_ptr<ByteStream> stream,
                                                      std::string host);

/// The same for the server's side.
UNDERSTUDY_API asio::awaitable<Connected> tls_accept(TlsContext context,
                                                     std::unique_ptr<ByteStream> stream);

}  // namespace understudy
