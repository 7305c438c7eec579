#include "understudy/net/http_client.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>

#include "understudy/net/detail/connection_pool.hpp"
#include "understudy/net/detail/http_io.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/net/tls.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy {
namespace {

using detail::HttpParser;
using detail::Lease;
using detail::ReadBuffer;

constexpr int most_interim = 16;
constexpr std::size_t longest_location = 256;  // that is told
/// A body that is sent with its head, since copying it is cheaper than a system call.
constexpr std::size_t small_body = std::size_t{16} * 1024;
/// A stream that always has something still lets others run after so many reads.
constexpr unsigned reads_in_a_row = 8;

std::string basic_credentials(const std::string& user_info) {
  std::string encoded(4 * ((user_info.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(user_info.data()),
                                   static_cast<int>(user_info.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return "Basic " + encoded;
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

/// What says where the body ends must not be said twice.
bool is_the_clients(std::string_view name) {
  return has_token(name, "content-length") || has_token(name, "transfer-encoding");
}

/// What must not be sent, if there is something.
std::optional<NetError> check(const HttpRequest& request) {
  const auto printable = [](std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7f'; });
  };
  const bool answered_by_other_rules = request.method == "HEAD" || request.method == "CONNECT";
  if (!is_valid_field(request.method, "") || answered_by_other_rules ||
      !printable(request.target)) {
    return NetError(NetFault::invalid_request, Phase::none, "method or target");
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers[i];
    if (!is_valid_field(name, value) || is_the_clients(name)) {
      // The name may be what is wrong, and the value may be a secret.
      return NetError(NetFault::invalid_request, Phase::none,
                      "header " + std::to_string(i) +
                          (is_valid_field(name, "") ? " (" + std::string(name) + ")" : ""));
    }
  }
  return std::nullopt;
}

/// The bytes of a request up to its body. `proxy`: it is sent to one that passes it on.
std::string head_of(const HttpRequest& request, const Endpoint& endpoint, const Url* proxy) {
  std::string head = request.method + " ";
  if (proxy != nullptr) {
    head += "http://" + authority(endpoint);
  }
  head += request.target + " HTTP/1.1\r\n";
  if (!request.headers.find("host")) {
    append_field(head, "host", authority(endpoint));
  }
  if (proxy != nullptr && !proxy->user_info.empty()) {
    append_field(head, "proxy-authorization", basic_credentials(proxy->user_info));
  }
  if (!request.headers.find("accept-encoding")) {
    append_field(head, "accept-encoding", "identity");
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    append_field(head, "content-length", std::to_string(request.body.size()));
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers[i];
    append_field(head, name, value);
  }
  return head + "\r\n";
}

/// Whether the peer has ended the connection: what a server does with one that it has kept for long enough.
bool closed_by_peer(const error_code& code) {
  return code == NetFault::truncated || code == asio::error::eof ||
         code == asio::error::connection_reset || code == asio::error::broken_pipe;
}

/// Tells the observer when the call is over, before its stream may be gone.
class Told {
 public:
  explicit Told(IoObserver& observer) noexcept : observer_(&observer) {}
  Told(Told&& other) noexcept : observer_(std::exchange(other.observer_, nullptr)) {}
  Told& operator=(Told&&) = delete;
  ~Told() {
    if (observer_ != nullptr) {
      observer_->left();
    }
  }

  IoObserver& operator*() const noexcept { return *observer_; }

 private:
  IoObserver* observer_;
};

}  // namespace

struct HttpResponse::State {
  State(Lease l, HttpParser p, ReadBuffer b, Told o)
      : lease(std::move(l)), parser(std::move(p)), buffer(std::move(b)), observer(std::move(o)) {}

  ByteStream& stream() noexcept { return *lease.stream; }

  Lease lease;  // its stream goes back to the pool at the end of the body
  HttpParser parser;
  ReadBuffer buffer;
  Told observer;
  unsigned in_a_row = 0;
  bool may_be_kept = true;

  void finish() {
    if (lease.stream && may_be_kept && parser.keep_alive() && buffer.bytes().empty()) {
      (*observer).left();
      lease.give_back();
    }
  }

  NetError failed(const NetError& error) {
    lease.abort();
    return {error.code, Phase::progress, error.text};
  }

  using Part = std::optional<NetResult<std::string_view>>;  // made in place: g++ 12 warns of a move

  /// What the bytes that are there give. Nothing: more are needed.
  Part take() {
    if (!parser.done() && !buffer.bytes().empty()) {
      const auto step = parser.parse_body(buffer.bytes());
      if (step.has_error()) {
        return Part(std::in_place, failed(step.error()));
      }
      buffer.consume(step->consumed);
      if (!step->body.empty()) {
        if (parser.done()) {
          finish();
        }
        return Part(std::in_place, step->body);
      }
    }
    if (parser.done()) {
      finish();
      return Part(std::in_place, std::string_view());
    }
    return std::nullopt;
  }

  NetResult<std::string_view> ended(const error_code& code) {
    if (code != asio::error::eof) {
      return failed(NetError(code, Phase::progress));
    }
    if (const auto error = parser.end()) {
      return failed(*error);
    }
    return std::string_view();
  }
};

HttpResponse::HttpResponse(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
HttpResponse::HttpResponse(HttpResponse&&) noexcept = default;
HttpResponse& HttpResponse::operator=(HttpResponse&&) noexcept = default;
HttpResponse::~HttpResponse() = default;

unsigned HttpResponse::status() const noexcept { return state_->parser.head().status; }
const HttpFields& HttpResponse::headers() const noexcept { return state_->parser.head().headers; }

// fill() by hand: one coroutine less for each read, and Asio keeps the memory of two frames only.
asio::awaitable<NetResult<std::string_view>> HttpResponse::read() {
  auto& state = *state_;
  if (state.in_a_row >= reads_in_a_row && state.lease.stream) {
    state.in_a_row = 0;
    co_await asio::post(state.stream().get_executor(), asio::as_tuple(asio::deferred));
  }
  while (true) {
    if (auto part = state.take()) {
      co_return *part;
    }
    const auto read = state.stream().try_read(state.buffer.space());
    if (!read.code) {
      state.buffer.add(read.bytes);
      (*state.observer).heard(read.bytes);
      ++state.in_a_row;
    } else if (read.code != asio::error::would_block) {
      co_return state.ended(read.code);
    } else {
      state.in_a_row = 0;
      state.buffer.park();
      (*state.observer).waiting(&state.stream());
      co_await state.stream().wait_readable();
      const auto cancellation = co_await asio::this_coro::cancellation_state;
      if (cancellation.cancelled() != asio::cancellation_type::none) {
        co_return state.failed(NetError(asio::error::operation_aborted, Phase::progress));
      }
    }
  }
}

asio::awaitable<NetResult<std::string>> HttpResponse::read_all(std::size_t limit) {
  std::string all;
  while (true) {
    const auto part = co_await read();
    if (part.has_error()) {
      co_return part.error();
    }
    if (part->empty()) {
      co_return all;
    }
    if (part->size() > limit - all.size()) {
      abort();
      co_return NetError(NetFault::body_too_large, Phase::progress);
    }
    all += *part;
  }
}

bool HttpResponse::ended() const noexcept { return state_->parser.done(); }

bool HttpResponse::readable() const noexcept {
  return !state_->lease.stream || state_->lease.stream->readable();
}

void HttpResponse::abort() noexcept { state_->lease.abort(); }

struct HttpClient::Core {
  Core(const asio::any_io_executor& executor, HttpClientOptions o)
      : options(std::move(o)),
        pool(std::make_shared<detail::ConnectionPool>(
            executor,
            detail::PoolLimits(options.max_connections, options.max_idle, options.idle_for)
                .with_discarded(options.discarded))),
        buffers(std::make_shared<detail::BufferCache>()) {
    if (!options.resolver) {
      options.resolver = SystemResolver::shared();
    }
    if (!options.dialer) {
      options.dialer = std::make_shared<TcpDialer>(executor);
    }
    if (!options.tls_contexts) {
      options.tls_contexts = std::make_shared<TlsContextCache>();
    }
  }

  /// Reads the CA file when it is first needed.
  NetResult<TlsContext> tls() const {
    return options.tls_contexts->client(TlsClientOptions().with_ca_file(options.ca_file));
  }

  asio::awaitable<Connected> secure(std::unique_ptr<ByteStream> stream, std::string host) {
    const auto context_or = tls();
    if (context_or.has_error()) {
      co_return context_or.error();
    }
    co_return co_await tls_connect(*context_or, std::move(stream), std::move(host));
  }

  /// Phase::connect as a whole.
  asio::awaitable<Connected> connect(const Endpoint& endpoint, const Url* proxy,
                                     IoObserver& observer) {
    const auto& first = proxy != nullptr ? proxy->endpoint : endpoint;
    auto addresses = co_await options.resolver->resolve(first.host);
    if (addresses.has_error()) {
      co_return addresses.error();
    }
    auto stream = co_await options.dialer->dial(*addresses, first.port);
    if (stream.has_error() && is_out_of_descriptors(stream.error().code) && pool->close_idle()) {
      stream = co_await options.dialer->dial(std::move(*addresses), first.port);
    }
    if (stream.has_value() && first.scheme == Scheme::https) {
      stream = co_await secure(std::move(*stream), first.host);
    }
    if (stream.has_value() && proxy != nullptr && endpoint.scheme == Scheme::https) {
      stream = co_await tunnel(std::move(*stream), endpoint, *proxy, observer);
      if (stream.has_value()) {
        stream = co_await secure(std::move(*stream), endpoint.host);
      }
    }
    co_return stream;
  }

  asio::awaitable<Connected> tunnel(std::unique_ptr<ByteStream> stream, const Endpoint& endpoint,
                                    const Url& proxy, IoObserver& observer) {
    const auto place = host_and_port(endpoint);
    std::string head = "CONNECT " + place + " HTTP/1.1\r\n";
    append_field(head, "host", place);
    if (!proxy.user_info.empty()) {
      append_field(head, "proxy-authorization", basic_credentials(proxy.user_info));
    }
    head += "\r\n";
    if (const auto code = co_await detail::write_all(*stream, head, observer)) {
      co_return NetError(code, Phase::connect, "proxy");
    }
    HttpParser parser(HttpParser::Role::response, 0);
    ReadBuffer buffer(buffers);
    auto unanswered = co_await detail::read_head(*stream, buffer, parser, observer, Phase::connect);
    if (unanswered) {
      co_return std::move(*unanswered);
    }
    const auto status = parser.head().status;
    if (status / 100 != 2 || !buffer.bytes().empty()) {
      co_return NetError(NetFault::proxy, Phase::connect, "status " + std::to_string(status));
    }
    co_return stream;
  }

  static bool is_out_of_descriptors(const error_code& code) {
    const auto fault = local_fault_of(code);
    return fault == LocalFault::descriptors || fault == LocalFault::system_descriptors;
  }

  asio::awaitable<NetResult<HttpResponse>> send(const Endpoint& endpoint,
                                                const HttpRequest& request, IoObserver& observer) {
    Told told(observer);
    const auto wait = [&] {
      observer.enter(Phase::pool_wait);
      observer.waiting(nullptr);
    };
    auto lease = co_await pool->lease(endpoint, request.fresh_connection, wait);
    if (!lease) {
      co_return NetError(asio::error::operation_aborted, Phase::pool_wait);
    }
    const auto* proxy = options.proxy.find(endpoint);
    if (!lease->stream) {
      observer.enter(Phase::connect);
      observer.waiting(nullptr);
      auto stream = co_await connect(endpoint, proxy, observer);
      if (stream.has_error()) {
        co_return NetError(stream.error().code, Phase::connect, stream.error().text);
      }
      lease->stream = std::move(*stream);
    }
    if (co_await detail::aborted_by_cancel(*lease->stream)) {
      co_return NetError(asio::error::operation_aborted, Phase::connect);
    }
    const bool passed_on = proxy != nullptr && endpoint.scheme == Scheme::http;
    auto head = head_of(request, endpoint, passed_on ? proxy : nullptr);
    auto answer = co_await exchange(std::move(*lease), std::move(told), std::move(head), request);
    if (answer.has_error() && answer.error().code == NetFault::stale_connection) {
      pool->close_idle(endpoint);  // they have been kept for longer
    }
    co_return answer;
  }

  asio::awaitable<error_code> write(ByteStream& stream, std::string head, const std::string& body,
                                    IoObserver& observer) {
    if (body.size() <= small_body) {
      head += body;
    }
    auto code = co_await detail::write_all(stream, head, observer);
    if (!code && body.size() > small_body) {
      code = co_await detail::write_all(stream, body, observer);
    }
    co_return code;
  }

  asio::awaitable<NetResult<HttpResponse>> exchange(Lease lease, Told told, std::string head,
                                                    const HttpRequest& request) {
    auto& observer = *told;
    auto& stream = *lease.stream;
    observer.enter(Phase::write);
    const auto began = Clock::now();
    const auto unwritten = co_await write(stream, std::move(head), request.body, observer);
    if (unwritten == asio::error::operation_aborted) {
      co_return NetError(unwritten, Phase::write);
    }
    observer.enter(Phase::first_progress);

    std::optional<NetError> error;
    bool heard = false;
    ReadBuffer buffer(buffers);
    for (int interim = 0; interim <= most_interim && !error; ++interim) {
      HttpParser parser(HttpParser::Role::response, 0);
      const auto before = buffer.bytes().size();
      error = co_await detail::read_head(stream, buffer, parser, observer, Phase::first_progress);
      heard = heard || before > 0 || parser.started();
      if (error) {
        break;
      }
      if (const auto status = parser.head().status; status == 101) {
        error.emplace(NetFault::malformed, Phase::first_progress,
                      "unrequested protocol switch (101)");
      } else if (status / 100 == 3) {
        const auto target = parser.head().headers.find("location");
        error.emplace(NetFault::redirect, Phase::first_progress,
                      std::to_string(status) + " to " +
                          std::string(target.value_or("nowhere").substr(0, longest_location)));
      } else if (status / 100 != 1) {
        auto state = std::make_unique<HttpResponse::State>(std::move(lease), std::move(parser),
                                                           std::move(buffer), std::move(told));
        state->may_be_kept = !unwritten;
        co_return HttpResponse(std::move(state));
      }
    }
    if (!error) {
      error.emplace(NetFault::too_many_interim, Phase::first_progress);
    }
    if (unwritten && !heard) {
      error.emplace(unwritten, Phase::write);
    }
    const bool stale = lease.reused && !heard && closed_by_peer(error->code) &&
                       Clock::now() - began <= HttpClientOptions::stale_within;
    if (stale) {
      co_return NetError(NetFault::stale_connection, error->phase, error->code.message());
    }
    co_return std::move(*error);
  }

  HttpClientOptions options;
  std::shared_ptr<detail::ConnectionPool> pool;
  std::shared_ptr<detail::BufferCache> buffers;
};

HttpClient::HttpClient(const asio::any_io_executor& executor, HttpClientOptions options)
    : core_(std::make_shared<Core>(executor, std::move(options))) {}

HttpClient::~HttpClient() { close(); }

asio::awaitable<NetResult<HttpResponse>> HttpClient::send(const Endpoint& endpoint,
                                                          const HttpRequest& request,
                                                          IoObserver& observer) {
  if (auto refused = check(request)) {
    co_return std::move(*refused);
  }
  co_return co_await core_->send(endpoint, request, observer);
}

void HttpClient::close() { core_->pool->close(); }

std::size_t HttpClient::idle_connections() const noexcept {
  return core_->pool->idle_connections();
}

}  // namespace understudy
