#include "understudy/net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>

#include "understudy/runtime/local_fault.hpp"

namespace understudy {
namespace {

constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string last_reason() {
  const auto code = ERR_peek_last_error();
  const auto* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "no reason given" : reason;
  ERR_clear_error();
  return text;
}

/// What OpenSSL failed for, if that is what this machine lacks.
error_code local_reason() noexcept {
  if (const auto first = ERR_peek_error(); ERR_SYSTEM_ERROR(first)) {
    const error_code system(ERR_GET_REASON(first), boost::system::system_category());
    return local_fault_of(system) ? system : error_code();
  }
  const bool memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
  return memory ? error_code(LocalFault::memory) : error_code();
}

NetError setup_failed(const std::string& what) {
  const auto local = local_reason();
  return {local ? local : error_code(NetFault::tls_setup), Phase::none,
          what + ": " + last_reason()};
}

/// Why a file cannot be opened just now, if that is for what this machine lacks.
error_code lacking_for(const char* file) {
  auto* const opened = std::fopen(file, "re");
  const error_code code(opened != nullptr ? 0 : errno, boost::system::system_category());
  if (opened != nullptr) {
    std::fclose(opened);
  }
  return local_fault_of(code) ? code : error_code();
}

/// The file that SSL_CTX_set_default_verify_paths reads, without saying so if it cannot.
const char* default_ca_file() {
  const auto* named = std::getenv(X509_get_default_cert_file_env());
  return named != nullptr ? named : X509_get_default_cert_file();
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  auto* out = const_cast<unsigned char*>(*chosen);
  const auto found =
      SSL_select_next_proto(&out, size, http_1_1.data(), http_1_1.size(), offered, offered_size);
  *chosen = out;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

std::shared_ptr<SSL_CTX> new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (context) {
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context.get(), 1);  // a record in one system call, not two
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  }
  return context;
}

/// Text to be read as a file.
class Pem {
 public:
  explicit Pem(std::string_view text)
      : bio_(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free) {}

  BIO* get() const noexcept { return bio_.get(); }

 private:
  std::unique_ptr<BIO, decltype(&BIO_free)> bio_;
};

/// Else OpenSSL would ask for one on the terminal.
int refuse_password(char*, int, int, void*) { return -1; }

/// The first is the server's own, the others lead to its CA.
bool use_certificates(SSL_CTX* context, std::string_view pem) {
  const Pem text(pem);
  bool found = false;
  while (true) {
    const std::unique_ptr<X509, decltype(&X509_free)> one(
        PEM_read_bio_X509(text.get(), nullptr, refuse_password, nullptr), X509_free);
    if (!one) {
      break;
    }
    const auto used = found ? SSL_CTX_add1_chain_cert(context, one.get())
                            : SSL_CTX_use_certificate(context, one.get());
    if (used != 1) {
      return false;
    }
    found = true;
  }
  return found;
}

bool is_literal(const std::string& host) {
  error_code code;
  asio::ip::make_address(host, code);
  return !code;
}

/// OpenSSL's view of the stream beneath.
struct Below {
  std::unique_ptr<ByteStream> stream;
  error_code error;  // the first one for good
};

Below& below(BIO* bio) { return *static_cast<Below*>(BIO_get_data(bio)); }

int finish(BIO* bio, const IoResult& io, std::size_t* bytes) {
  BIO_clear_retry_flags(bio);
  *bytes = io.bytes;
  if (!io.code) {
    return 1;
  }
  if (io.code != asio::error::would_block && !below(bio).error) {
    below(bio).error = io.code;  // the first: OpenSSL answers an end with an alert, which fails too
  }
  return 0;
}

int read_below(BIO* bio, char* data, std::size_t size, std::size_t* bytes) {
  const auto io = below(bio).stream->try_read({data, size});
  const int done = finish(bio, io, bytes);
  if (io.code == asio::error::would_block) {
    BIO_set_retry_read(bio);
  }
  return done;
}

int write_below(BIO* bio, const char* data, std::size_t size, std::size_t* bytes) {
  const auto io = below(bio).stream->try_write({data, size});
  const int done = finish(bio, io, bytes);
  if (io.code == asio::error::would_block) {
    BIO_set_retry_write(bio);
  }
  return done;
}

long control_below(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return below(bio).error == asio::error::eof ? 1 : 0;
    default: return 0;
  }
}

const BIO_METHOD* stream_method() {
  static const auto* method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "understudy stream");
    BIO_meth_set_read_ex(made, read_below);
    BIO_meth_set_write_ex(made, write_below);
    BIO_meth_set_ctrl(made, control_below);
    return made;
  }();
  return method;
}

class TlsStream final : public ByteStream {
 public:
  TlsStream(TlsContext context, std::unique_ptr<ByteStream> stream)
      : ByteStream(stream->get_executor()),
        context_(std::move(context)),
        ssl_(SSL_new(context_.native())) {
    below_.stream = std::move(stream);
    auto* bio = ssl_ ? BIO_new(stream_method()) : nullptr;
    if (bio == nullptr) {
      throw std::bad_alloc();
    }
    BIO_set_data(bio, &below_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
  }

  SSL* native() noexcept { return ssl_.get(); }

  IoResult try_read(std::span<char> buffer) noexcept override {
    if (closed_) {
      return IoResult::aborted();
    }
    std::size_t bytes = 0;
    ERR_clear_error();
    const int done = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &bytes);
    return done == 1 ? IoResult({}, bytes) : IoResult(failure(done, reading_), 0);
  }

  IoResult try_write(std::string_view data) noexcept override {
    if (closed_) {
      return IoResult::aborted();
    }
    std::size_t bytes = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(ssl_.get(), data.data(), data.size(), &bytes);
    return done == 1 ? IoResult({}, bytes) : IoResult(failure(done, writing_), 0);
  }

  asio::awaitable<void> wait_readable() override { return wait(reading_); }
  asio::awaitable<void> wait_writable() override { return wait(writing_); }

  bool readable() const noexcept override {
    return closed_ || SSL_has_pending(ssl_.get()) == 1 || below_.stream->readable();
  }

  bool idle() noexcept override {
    char byte = 0;
    std::size_t bytes = 0;
    ERR_clear_error();
    // Takes in what TLS says for itself (a session ticket) and leaves what is for us.
    return !closed_ && SSL_peek_ex(ssl_.get(), &byte, 1, &bytes) != 1 &&
           failure(0, reading_) == asio::error::would_block;
  }

  bool peer_gone() const noexcept override { return below_.stream->peer_gone(); }

  std::size_t unread() const noexcept override { return below_.stream->unread(); }

  void shutdown_send() noexcept override {
    if (!closed_ && !below_.error) {
      SSL_shutdown(ssl_.get());
      ERR_clear_error();
    }
    below_.stream->shutdown_send();
  }

  void close() noexcept override {
    closed_ = true;
    below_.stream->close();
  }

  void abort() noexcept override {
    closed_ = true;
    below_.stream->abort();
  }

  /// One step of the handshake: nothing when it is done, would_block when it has to be waited for.
  std::optional<NetError> handshake() {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
      return std::nullopt;
    }
    const auto verified = SSL_get_verify_result(ssl_.get());
    const auto* problem = verified == X509_V_OK ? nullptr : X509_verify_cert_error_string(verified);
    const auto code = failure(done, reading_);
    if (code == NetFault::tls && problem != nullptr) {
      // It may have looked for the issuer in a folder of certificates.
      const auto lacking = lacking_for("/dev/null");
      return NetError(lacking ? lacking : error_code(NetFault::certificate), Phase::connect,
                      problem);
    }
    return NetError(code, Phase::connect, code == NetFault::tls ? last_reason() : "");
  }

  asio::awaitable<void> wait_for_handshake() { return wait(reading_); }

 private:
  enum class Wants : unsigned char { read, write };

  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  asio::awaitable<void> wait(Wants wants) {
    return wants == Wants::read ? below_.stream->wait_readable() : below_.stream->wait_writable();
  }

  error_code failure(int done, Wants& wants) noexcept {
    switch (SSL_get_error(ssl_.get(), done)) {
      case SSL_ERROR_WANT_READ: wants = Wants::read; return asio::error::would_block;
      case SSL_ERROR_WANT_WRITE: wants = Wants::write; return asio::error::would_block;
      case SSL_ERROR_ZERO_RETURN: return asio::error::eof;
      default: break;
    }
    if (below_.error == asio::error::eof) {
      return NetFault::truncated;
    }
    if (below_.error) {
      return below_.error;
    }
    const auto local = local_reason();
    return local ? local : error_code(NetFault::tls);
  }

  TlsContext context_;
  Below below_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  Wants reading_ = Wants::read;
  Wants writing_ = Wants::write;
  bool closed_ = false;
};

asio::awaitable<Connected> shake_hands(std::unique_ptr<TlsStream> stream) {
  while (true) {
    auto undone = stream->handshake();
    if (!undone) {
      co_return std::move(stream);
    }
    if (undone->code != asio::error::would_block) {
      co_return std::move(*undone);
    }
    co_await stream->wait_for_handshake();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      stream->abort();
      co_return NetError(asio::error::operation_aborted, Phase::connect);
    }
  }
}

}  // namespace

NetResult<TlsContext> TlsContext::client(const TlsClientOptions& options) {
  auto context = new_context(TLS_client_method());
  if (!context) {
    return setup_failed("TLS");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context.get(), http_1_1.data(), http_1_1.size());
  if (options.ca_file.empty()) {
    if (const auto lacking = lacking_for(default_ca_file())) {
      return NetError(lacking, Phase::none, "the system's CA certificates");
    }
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
      return setup_failed("the system's CA certificates");
    }
  } else if (SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) != 1) {
    return setup_failed("CA file " + options.ca_file);
  }
  return TlsContext(std::move(context));
}

NetResult<TlsContext> TlsContext::server(const std::string& certificate_file,
                                         const std::string& key_file) {
  auto context = new_context(TLS_server_method());
  if (!context) {
    return setup_failed("TLS");
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return setup_failed("certificate " + certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return setup_failed("key " + key_file);
  }
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return TlsContext(std::move(context));
}

NetResult<TlsContext> TlsContext::server_of_pem(std::string_view certificates,
                                                std::string_view key) {
  auto context = new_context(TLS_server_method());
  if (!context) {
    return setup_failed("TLS");
  }
  if (!use_certificates(context.get(), certificates)) {
    return setup_failed("certificate");
  }
  const Pem text(key);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> parsed(
      PEM_read_bio_PrivateKey(text.get(), nullptr, refuse_password, nullptr), EVP_PKEY_free);
  if (!parsed || SSL_CTX_use_PrivateKey(context.get(), parsed.get()) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return setup_failed("key");
  }
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return TlsContext(std::move(context));
}

NetResult<TlsContext> TlsContextCache::client(const TlsClientOptions& options) {
  const std::lock_guard lock(mutex_);
  const auto known = by_ca_file_.find(options.ca_file);
  if (known != by_ca_file_.end()) {
    return known->second;
  }
  auto made = TlsContext::client(options);
  if (made.has_value()) {
    by_ca_file_.emplace(options.ca_file, *made);
  }
  return made;
}

asio::awaitable<Connected> tls_connect(TlsContext context, std::unique_ptr<ByteStream> stream,
                                       std::string host) {
  auto tls = std::make_unique<TlsStream>(std::move(context), std::move(stream));
  auto* ssl = tls->native();
  SSL_set_connect_state(ssl);
  auto* wanted = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool literal = is_literal(host);
  const auto set_name = [&] {
    return X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
  };
  const bool set = literal ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1 : set_name();
  if (host.empty() || !set) {  // without a name OpenSSL would not check it
    co_return NetError(NetFault::tls_setup, Phase::connect, "no host to verify");
  }
  co_return co_await shake_hands(std::move(tls));
}

asio::awaitable<Connected> tls_accept(TlsContext context, std::unique_ptr<ByteStream> stream) {
  auto tls = std::make_unique<TlsStream>(std::move(context), std::move(stream));
  SSL_set_accept_state(tls->native());
  co_return co_await shake_hands(std::move(tls));
}

}  // namespace understudy
