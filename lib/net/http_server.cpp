#include "understudy/net/http_server.hpp"

#include "request_target.hpp"

#include <array>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <list>
#include <new>

#include "understudy/net/detail/http_io.hpp"
#include "understudy/net/detail/wake_up.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy {
namespace {

using detail::HttpParser;
using detail::ReadBuffer;
using namespace std::chrono_literals;

/// A connection that ends is read on for a while: closed with unread bytes it would be reset, and the reset takes
/// the answer away from a client that has not read it (RFC 9112 9.6).
struct Linger {
  Clock::duration each_wait;
  Clock::duration in_all;
};
constexpr Linger after_a_request{1s, 1s};
/// A client that is still sending may read nothing before it has sent all: as long as nginx waits.
constexpr Linger amid_a_request{5s, 30s};
constexpr std::size_t linger_bytes = std::size_t{256} * 1024 * 1024;
/// After accept() failed, for want of a descriptor say: meanwhile what becomes free is for the calls under way.
constexpr Clock::duration accept_again_after = 100ms;
/// A write buffer that grew beyond this is given back after use.
constexpr std::size_t kept_capacity = std::size_t{64} * 1024;

/// Ends the stream when a limit runs out. Told of waits by whoever reads or writes. Its alarm is left to
/// sleep to an earlier limit, then looks, and sleeps on: a request costs no timer.
class Watch final : public IoObserver {
 public:
  explicit Watch(const asio::any_io_executor& executor)
      : alarm_(
            executor, [](void* watch, Clock::time_point) { static_cast<Watch*>(watch)->woke(); },
            this) {}

  /// The stream it ends; it must live until the next call of this, or clear().
  void on(ByteStream& stream) noexcept { stream_ = &stream; }

  /// From now on.
  void within(Clock::duration limit) { end_by(Clock::now() + limit); }

  /// The stream is closed when the limit runs out, not aborted: what was written still goes to a client that is slow.
  void close_gently() noexcept { gently_ = true; }

  /// When something is waited for: each wait for itself, and all of them by a time.
  void each_wait_within(Clock::duration limit) noexcept { each_ = limit; }
  void waits_end_by(Clock::time_point time) noexcept { by_ = time; }

  /// The first byte within `idle`, all of the head within `head` from then on.
  void head_begins_within(Clock::duration idle, Clock::duration head) {
    within(idle);
    head_ = head;
  }

  void clear() {
    gently_ = false;
    each_ = {};
    head_ = {};
    by_ = Clock::time_point::max();
    due_ = Clock::time_point::max();
  }

  bool expired() const noexcept { return expired_; }

  void enter(Phase) override {}
  void left() override {}
  void waiting(const ByteStream*) override {
    const bool each = each_ != Clock::duration::zero();
    const auto due = each ? std::min(Clock::now() + each_, by_) : by_;
    if (due != Clock::time_point::max()) {
      end_by(due);
    }
  }
  void heard(std::size_t) override {
    if (head_ != Clock::duration::zero()) {
      within(std::exchange(head_, {}));
    }
  }

 private:
  void end_by(Clock::time_point due) {
    due_ = due;
    if (due_ < alarm_.due()) {
      alarm_.set(due_);
    }
  }

  void woke() {
    if (Clock::now() < due_) {
      alarm_.set(due_);
    } else {
      expired_ = true;
      gently_ ? stream_->close() : stream_->abort();
    }
  }

  ByteStream* stream_ = nullptr;
  Clock::time_point due_ = Clock::time_point::max();
  Clock::duration each_{};
  Clock::duration head_{};
  Clock::time_point by_ = Clock::time_point::max();
  bool expired_ = false;
  bool gently_ = false;
  detail::Alarm alarm_;
};

/// What a request that cannot be read is answered with.
unsigned status_for(const error_code& code) {
  if (code == NetFault::header_too_large) {
    return 431;
  }
  if (code == NetFault::body_too_large) {
    return 413;
  }
  return code == NetFault::transfer_encoding ? 501 : 400;
}

}  // namespace

/// One connection.
struct HttpExchange::State {
  enum class Sent : unsigned char { nothing, head, all };

  State(std::unique_ptr<ByteStream> s, std::shared_ptr<const HttpServerOptions> o,
        std::shared_ptr<detail::BufferCache> buffers, const bool& d)
      : stream(std::move(s)),
        shared_options(std::move(o)),
        options(*shared_options),
        draining(d),
        buffer(std::move(buffers)),
        parser(HttpParser::Role::request, options.max_body),
        watch(stream->get_executor()) {
    watch.on(*stream);
  }

  error_code translated(const error_code& code) const {
    return code == asio::error::operation_aborted && watch.expired() ? NetFault::too_slow : code;
  }

  asio::awaitable<error_code> send(std::string_view data) {
    watch.each_wait_within(options.write_stall);
    const auto code = co_await detail::write_all(*stream, data, watch);
    watch.clear();
    if (code) {
      keep = false;
      stream->abort();
    }
    co_return translated(code);
  }

  void put_head(unsigned status, const HttpFields& headers) {
    namespace http = boost::beast::http;
    const auto reason = http::obsolete_reason(http::int_to_status(status));
    out.assign("HTTP/1.1 ").append(std::to_string(status)).append(" ");
    out.append(reason.data(), reason.size()).append("\r\n");
    for (std::size_t i = 0; i < headers.size(); ++i) {
      if (const auto [name, value] = headers[i]; is_valid_field(name, value)) {
        out.append(name).append(": ").append(value).append("\r\n");
      }
    }
    keep = keep && parser.done() && !draining;
    if (!keep) {
      out += "connection: close\r\n";
    } else if (parser.head().minor_version == 0) {
      out += "connection: keep-alive\r\n";
    }
  }

  bool has_room() const noexcept { return parser.head().method != "HEAD"; }

  asio::awaitable<error_code> send_out() {
    // Most often the kernel takes it at once: two coroutines less for each token.
    const auto at_once = out.empty() ? IoResult({}, 0) : stream->try_write(out);
    error_code code;
    if (at_once.bytes < out.size()) {
      code = co_await send(std::string_view(out).substr(at_once.bytes));
    }
    out.clear();
    if (out.capacity() > kept_capacity) {
      out.shrink_to_fit();
    }
    co_return code;
  }

  std::unique_ptr<ByteStream> stream;
  std::shared_ptr<const HttpServerOptions> shared_options;
  const HttpServerOptions& options;
  const bool& draining;
  ReadBuffer buffer;
  mutable HttpParser parser;
  Watch watch;
  std::string out;
  std::string raw;  // what read_raw() returned last
  Sent sent = Sent::nothing;
  bool chunked = false;
  bool continued = false;  // the client was told to go on, or did not wait for it
  bool keep = true;        // another exchange may follow on this connection
  bool idle = true;
  Clock::time_point body_by{};
};

const HttpHead& HttpExchange::request() const noexcept { return state_.parser.head(); }
void HttpExchange::abort() noexcept { state_.stream->abort(); }
bool HttpExchange::begun() const noexcept { return state_.sent != State::Sent::nothing; }
ByteStream& HttpExchange::stream() noexcept { return *state_.stream; }

asio::awaitable<NetResult<std::string_view>> HttpExchange::read() {
  auto& state = state_;
  if (!state.continued) {
    state.continued = true;
    const auto expected = request().headers.find("expect");
    if (expected && has_token(*expected, "100-continue") && state.buffer.bytes().empty()) {
      if (const auto code = co_await state.send("HTTP/1.1 100 Continue\r\n\r\n")) {
        co_return NetError(code, Phase::none);
      }
    }
    state.body_by = Clock::now() + state.options.body_within;
  }
  while (!state.parser.done()) {
    if (!state.buffer.bytes().empty()) {
      const auto step = state.parser.parse_body(state.buffer.bytes());
      if (step.has_error()) {
        state.keep = false;
        co_return step.error();
      }
      state.buffer.consume(step->consumed);
      if (!step->body.empty()) {
        co_return step->body;
      }
    }
    if (state.parser.done()) {
      break;
    }
    state.watch.waits_end_by(state.body_by);
    const auto read = co_await detail::fill(*state.stream, state.buffer, state.watch);
    state.watch.clear();
    if (read.code) {
      state.keep = false;
      const auto code = read.code == asio::error::eof ? error_code(NetFault::truncated) : read.code;
      co_return NetError(state.translated(code), Phase::none);
    }
  }
  co_return std::string_view();
}

asio::awaitable<NetResult<std::string>> HttpExchange::read_all() {
  std::string all;
  while (true) {
    const auto part = co_await read();
    if (part.has_error()) {
      co_return part.error();
    }
    if (part->empty()) {
      co_return all;
    }
    all += *part;
  }
}

asio::awaitable<error_code> HttpExchange::respond(unsigned status, const HttpFields& headers,
                                                  std::string_view body) {
  state_.put_head(status, headers);
  state_.out += "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
  if (state_.has_room()) {
    state_.out += body;
  }
  state_.sent = State::Sent::all;
  return state_.send_out();
}

asio::awaitable<error_code> HttpExchange::begin(unsigned status, const HttpFields& headers) {
  state_.chunked = request().minor_version > 0;
  state_.keep =
      state_.keep && state_.chunked;  // for HTTP/1.0 the end of the connection is the body's
  state_.put_head(status, headers);
  state_.out += state_.chunked ? "transfer-encoding: chunked\r\n\r\n" : "\r\n";
  state_.sent = State::Sent::head;
  return state_.send_out();
}

asio::awaitable<error_code> HttpExchange::write(std::string_view part) {
  if (state_.chunked && state_.has_room() && !part.empty()) {
    std::array<char, 16> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), part.size(), 16).ptr;
    state_.out.assign(size.data(), end).append("\r\n").append(part).append("\r\n");
  } else if (state_.has_room()) {
    state_.out = part;
  }
  return state_.send_out();
}

asio::awaitable<error_code> HttpExchange::finish() {
  state_.sent = State::Sent::all;
  if (state_.chunked && state_.has_room()) {
    state_.out = "0\r\n\r\n";
  }
  return state_.send_out();
}

asio::awaitable<error_code> HttpExchange::switch_protocols(const HttpFields& headers) {
  state_.out = "HTTP/1.1 101 Switching Protocols\r\n";
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (const auto [name, value] = headers[i]; is_valid_field(name, value)) {
      state_.out.append(name).append(": ").append(value).append("\r\n");
    }
  }
  state_.out += "\r\n";
  state_.keep = false;
  state_.sent = State::Sent::all;
  return state_.send_out();
}

asio::awaitable<NetResult<std::string_view>> HttpExchange::read_raw() {
  auto& state = state_;
  IgnoreIo unlimited;
  if (state.buffer.bytes().empty()) {
    const auto read = co_await detail::fill(*state.stream, state.buffer, unlimited);
    if (read.code == asio::error::eof) {
      co_return std::string_view();
    }
    if (read.code) {
      co_return NetError(read.code, Phase::none);
    }
  }
  const auto bytes = state.buffer.bytes();
  state.raw.assign(bytes.begin(), bytes.end());
  state.buffer.consume(bytes.size());
  co_return std::string_view(state.raw);
}

asio::awaitable<error_code> HttpExchange::write_raw(std::string_view bytes) {
  state_.out = bytes;
  return state_.send_out();
}

asio::awaitable<void> HttpExchange::gone() {
  while (true) {
    const auto space = state_.buffer.space();
    if (space
            .empty()) {  // of requests sent ahead: nothing more can be read before this one is answered
      detail::WakeUp never(state_.stream->get_executor());
      co_await never.wait();
      co_return;
    }
    const auto read = state_.stream->try_read(space);
    if (!read.code) {
      state_.buffer.add(read.bytes);
    } else if (read.code != asio::error::would_block) {
      co_return;
    } else {
      state_.buffer.park();
      co_await state_.stream->wait_readable();
      const auto cancellation = co_await asio::this_coro::cancellation_state;
      if (cancellation.cancelled() != asio::cancellation_type::none) {
        co_return;
      }
    }
  }
}

struct HttpServer::Core {
  using Connection = HttpExchange::State;

  /// A connection's place in the list.
  struct Listed {
    explicit Listed(std::list<Connection*>& l) : list(l), place(l.insert(l.end(), nullptr)) {}
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;
    ~Listed() { list.erase(place); }

    std::list<Connection*>& list;
    std::list<Connection*>::iterator place;
  };

  Core(HttpServerOptions o, Handler h)
      : options(std::make_shared<const HttpServerOptions>(std::move(o))), handler(std::move(h)) {}

  asio::awaitable<void> accept_all(Acceptor& from, Scope& scope) {
    co_await asio::this_coro::throw_if_cancelled(false);
    acceptor = &from;
    detail::WakeUp room(scope.get_executor());
    while (!scope.cancelled() && !draining) {
      if (connections.size() >= options->max_connections) {
        has_room = &room;
        co_await room.wait();
        has_room = nullptr;
        continue;
      }
      bool taken = false;
      try {
        auto accepted = co_await from.accept();
        if (scope.cancelled() || draining) {
          break;
        }
        if (accepted.has_value()) {
          auto one = [this, stream = std::move(*accepted)]() mutable {
            return serve_one(std::move(stream));
          };
          scope.spawn(std::move(one));
          taken = true;
        }
      } catch (const std::bad_alloc&) {
        taken = false;  // as if there were no descriptor
      }
      if (!taken) {
        Timer pause(scope.get_executor());
        pause.expires_after(accept_again_after);
        co_await pause.async_wait(asio::as_tuple(asio::deferred));
      }
    }
    acceptor = nullptr;
    co_await scope.join();
  }

  asio::awaitable<void> serve_one(std::unique_ptr<ByteStream> stream) {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
      const Listed listed(connections);
      const auto configured = options;
      if (configured->tls) {
        stream = co_await secure(std::move(stream), *configured);
      }
      if (stream && draining) {  // drain() does not see a connection amid its handshake
        stream->close();
      } else if (stream) {
        Connection connection(std::move(stream), configured, buffers, draining);
        *listed.place = &connection;
        co_await converse(connection);
      }
    } catch (const std::bad_alloc&) {
      stream.reset();  // the end of this connection, not of all the others
    }
    if (has_room != nullptr) {
      has_room->notify();
    }
  }

  asio::awaitable<std::unique_ptr<ByteStream>> secure(std::unique_ptr<ByteStream> stream,
                                                      const HttpServerOptions& configured) {
    Watch watch(stream->get_executor());
    watch.on(*stream);
    watch.within(configured.head_within);
    auto secured = co_await tls_accept(*configured.tls, std::move(stream));
    co_return secured.has_value() ? std::move(*secured) : nullptr;
  }

  asio::awaitable<void> converse(Connection& connection) {
    do {
      connection.parser = HttpParser(HttpParser::Role::request, connection.options.max_body);
      connection.sent = Connection::Sent::nothing;
      connection.continued = false;
      connection.idle = true;
      if (connection.buffer.bytes().empty()) {
        connection.watch.head_begins_within(connection.options.idle,
                                            connection.options.head_within);
      } else {
        connection.watch.within(connection.options.head_within);
      }
      const auto unread = co_await detail::read_head(
          *connection.stream, connection.buffer, connection.parser, connection.watch, Phase::none);
      connection.watch.clear();
      connection.idle = false;
      HttpExchange exchange(connection);
      if (unread) {
        co_await refuse(exchange, *unread);
      } else {
        co_await answer(exchange);
      }
    } while (connection.keep && !draining);
    co_await end(connection);
  }

  asio::awaitable<void> refuse(HttpExchange& exchange, const NetError& error) {
    exchange.state_.keep = false;
    if (error.code.category() == net_category() && error.code != NetFault::truncated) {
      const auto status = status_for(error.code);
      HttpFields headers;
      std::string body;
      if (exchange.state_.options.refusal) {
        body = exchange.state_.options.refusal(status, to_string(error), headers);
      } else {
        headers.add("content-type", "text/plain; charset=utf-8");
        body = to_string(error) + "\n";
      }
      co_await exchange.respond(status, headers, body);
    }
  }

  asio::awaitable<void> answer(HttpExchange& exchange) {
    auto& connection = exchange.state_;
    connection.keep = connection.parser.keep_alive();
    if (const auto wrong = detail::settle_target(connection.parser.head())) {
      co_await refuse(exchange, *wrong);
      co_return;
    }
    bool threw = false;
    co_await asio::this_coro::throw_if_cancelled(true);
    try {
      co_await handler(exchange);
    } catch (...) {  // a handler's trouble is its connection's, not the server's
      threw = true;
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    if (co_await detail::aborted_by_cancel(*connection.stream)) {
      connection.keep = false;
    } else if (connection.sent == Connection::Sent::nothing) {
      connection.keep = false;
      co_await exchange.respond(500, HttpFields(), threw ? "" : "no answer\n");
    } else if (connection.sent == Connection::Sent::head || threw) {
      connection.keep = false;
      connection.stream->abort();
    }
  }

  /// Sends what is left, and reads on for a while what the client may still be sending.
  asio::awaitable<void> end(Connection& connection) {
    auto& stream = *connection.stream;
    stream.shutdown_send();
    const auto& linger = connection.parser.done() || draining ? after_a_request : amid_a_request;
    const auto until = Clock::now() + linger.in_all;
    connection.watch.close_gently();
    connection.watch.each_wait_within(linger.each_wait);
    connection.watch.waits_end_by(until);
    std::size_t read_on = 0;
    while (read_on < linger_bytes && Clock::now() < until) {
      connection.buffer.consume(connection.buffer.bytes().size());
      const auto read = co_await detail::fill(stream, connection.buffer, connection.watch);
      if (read.code) {
        break;
      }
      read_on += read.bytes;
    }
    connection.watch.clear();
    stream.close();
  }

  std::shared_ptr<const HttpServerOptions> options;  // for the next connection
  Handler handler;
  std::shared_ptr<detail::BufferCache> buffers = std::make_shared<detail::BufferCache>();
  std::list<Connection*> connections;  // null during a handshake
  Acceptor* acceptor = nullptr;
  detail::WakeUp* has_room = nullptr;
  bool draining = false;
};

HttpServer::HttpServer(HttpServerOptions options, Handler handler)
    : core_(std::make_unique<Core>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() = default;

asio::awaitable<void> HttpServer::serve(Acceptor& acceptor) {
  const auto body = [&](Scope& scope) { return core_->accept_all(acceptor, scope); };
  co_await with_scope(body);
}

void HttpServer::drain() {
  core_->draining = true;
  if (core_->acceptor != nullptr) {
    core_->acceptor->close();
  }
  if (core_->has_room != nullptr) {
    core_->has_room->notify();
  }
  for (auto* connection : core_->connections) {
    if (connection != nullptr && connection->idle) {
      connection->stream->close();
    }
  }
}

void HttpServer::reconfigure(HttpServerOptions options) {
  core_->options = std::make_shared<const HttpServerOptions>(std::move(options));
  if (core_->has_room != nullptr) {
    core_->has_room->notify();
  }
}

std::size_t HttpServer::connections() const noexcept { return core_->connections.size(); }

}  // namespace understudy
