#include "understudy/net/tcp.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "understudy/runtime/local_fault.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr Clock::duration connection_attempt_delay = 250ms;  // RFC 8305 8
constexpr auto quietly = asio::as_tuple(asio::deferred);

error_code last_error() noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    return asio::error::would_block;
  }
  return {errno, boost::system::system_category()};
}

class TcpStream final : public ByteStream {
 public:
  enum class From : unsigned char { accept, connect };

  TcpStream(tcp::socket socket, From from)
      : ByteStream(socket.get_executor()),
        socket_(std::move(socket)),
        watched_for_writing_(from == From::connect) {
    error_code ignored;  // a socket without these works
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    for (const auto& [option, value] :
         {std::pair(TCP_KEEPIDLE, 60), std::pair(TCP_KEEPINTVL, 60), std::pair(TCP_KEEPCNT, 5)}) {
      ::setsockopt(fd(), IPPROTO_TCP, option, &value, sizeof(value));
    }
  }

  IoResult try_read(std::span<char> buffer) noexcept override {
    if (!socket_.is_open()) {
      return {lost_, 0};
    }
    if (drained_) {
      return IoResult::would_block();
    }
    while (true) {
      const auto n = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n > 0) {
        // Less than was asked for is all there was: the next try would be a system call for nothing.
        // (The wait that must follow looks at the socket's level, not at its edge.)
        drained_ = static_cast<std::size_t>(n) < buffer.size();
        return {{}, static_cast<std::size_t>(n)};
      }
      if (n == 0) {
        return {asio::error::eof, 0};
      }
      if (errno != EINTR) {
        return {last_error(), 0};
      }
    }
  }

  IoResult try_write(std::string_view data) noexcept override {
    if (!socket_.is_open()) {
      return {lost_, 0};
    }
    while (true) {
      const auto n = ::send(fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n >= 0) {
        return {{}, static_cast<std::size_t>(n)};
      }
      if (errno != EINTR) {
        return {last_error(), 0};
      }
    }
  }

  asio::awaitable<void> wait_readable() override {
    forget_writing();
    return wait(tcp::socket::wait_read);
  }

  asio::awaitable<void> wait_writable() override {
    watched_for_writing_ = true;
    writer_waits_ = true;
    return wait(tcp::socket::wait_write);
  }

  bool readable() const noexcept override {
    if (!socket_.is_open()) {
      return true;
    }
    pollfd look{fd(), POLLIN, 0};
    return ::poll(&look, 1, 0) > 0;
  }

  bool peer_gone() const noexcept override {
    if (!socket_.is_open()) {
      return true;
    }
    pollfd look{fd(), POLLRDHUP, 0};
    return ::poll(&look, 1, 0) > 0;
  }

  std::size_t unread() const noexcept override {
    int bytes = 0;
    return socket_.is_open() && ::ioctl(fd(), FIONREAD, &bytes) == 0
               ? static_cast<std::size_t>(bytes)
               : 0;
  }

  void shutdown_send() noexcept override {
    error_code ignored;  // the peer may be gone
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  void abort() noexcept override {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

 private:
  asio::awaitable<void> wait(tcp::socket::wait_type what) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none) {
      const auto [code] = co_await socket_.async_wait(what, quietly);
      // After a wait that was cut short there is no more to read than before it.
      drained_ = drained_ && (code || what != tcp::socket::wait_read);
    }
    writer_waits_ = writer_waits_ && what != tcp::socket::wait_write;
  }

  /// Asio goes on watching for writability what it has once connected, or waited for to write. To be
  /// writable is then news at each wait for bytes, which asks epoll anew: a second wake-up for every token.
  /// A socket that is new to Asio is not watched so.
  void forget_writing() noexcept {
    if (!watched_for_writing_ || writer_waits_ || !socket_.is_open()) {
      return;
    }
    watched_for_writing_ = false;
    error_code code;
    const auto here = socket_.local_endpoint(code);
    if (code) {
      return;
    }
    const auto taken = socket_.release(code);
    if (code) {
      return;
    }
    socket_.assign(here.protocol(), taken, code);
    if (code) {  // the kernel has no room to watch it (ENOMEM, ENOSPC)
      ::close(taken);
      lost_ = code;
    }
  }

  int fd() const noexcept { return const_cast<tcp::socket&>(socket_).native_handle(); }

  tcp::socket socket_;
  error_code lost_ = asio::error::operation_aborted;  // why it is not open any more
  bool drained_ = false;
  bool watched_for_writing_;
  bool writer_waits_ = false;
};

/// RFC 8305 4: the preferred family first, then in turn.
Addresses interleaved(const Addresses& addresses) {
  Addresses first;
  Addresses second;
  for (const auto& address : addresses) {
    (address.is_v6() == addresses.front().is_v6() ? first : second).push_back(address);
  }
  Addresses mixed;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) {
      mixed.push_back(first[i]);
    }
    if (i < second.size()) {
      mixed.push_back(second[i]);
    }
  }
  return mixed;
}

/// What the attempts to reach one host share.
struct Dialing {
  explicit Dialing(const asio::any_io_executor& e) : executor(e), pace(e) {}

  asio::any_io_executor executor;
  Timer pace;
  std::size_t failed = 0;
  std::optional<tcp::socket> connected;
  std::optional<NetError> first_error;
};

asio::awaitable<void> dial_one(Dialing& dialing, Scope& scope, tcp::endpoint endpoint) {
  co_await asio::this_coro::throw_if_cancelled(false);
  tcp::socket socket(dialing.executor);
  const auto [code] = co_await socket.async_connect(endpoint, quietly);
  if (scope.cancelled()) {
    co_return;
  }
  if (!code) {
    dialing.connected.emplace(std::move(socket));
    scope.cancel(StopReason::lost);
    co_return;
  }
  ++dialing.failed;
  // What this machine lacks explains the call's failure better than what one of the addresses has said.
  if (!dialing.first_error ||
      (local_fault_of(code) && !local_fault_of(dialing.first_error->code))) {
    dialing.first_error.emplace(code, Phase::connect, endpoint.address().to_string());
  }
  dialing.pace.cancel();
}

asio::awaitable<void> dial_all(Dialing& dialing, Scope& scope, const Addresses& addresses,
                               std::uint16_t port) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::size_t begun = 0;
  for (const auto& address : addresses) {
    if (scope.cancelled()) {
      break;
    }
    const tcp::endpoint endpoint(address, port);
    auto one = [&dialing, &scope, endpoint] { return dial_one(dialing, scope, endpoint); };
    scope.spawn(std::move(one));
    ++begun;
    if (begun < addresses.size() && dialing.failed < begun && !scope.cancelled()) {
      dialing.pace.expires_after(connection_attempt_delay);
      co_await dialing.pace.async_wait(quietly);
    }
  }
  co_await scope.join();
}

}  // namespace

asio::awaitable<Connected> TcpDialer::dial(Addresses addresses, std::uint16_t port) {
  if (addresses.empty()) {
    co_return NetError(NetFault::no_address, Phase::connect);
  }
  const auto in_turn = interleaved(addresses);
  Dialing dialing(executor_);
  const auto body = [&](Scope& scope) { return dial_all(dialing, scope, in_turn, port); };
  co_await with_scope(body);
  if (dialing.connected) {
    co_return std::make_unique<TcpStream>(std::move(*dialing.connected), TcpStream::From::connect);
  }
  if (dialing.first_error && dialing.failed == addresses.size()) {
    co_return *dialing.first_error;
  }
  co_return NetError(asio::error::operation_aborted, Phase::connect);
}

struct TcpAcceptor::Socket {
  explicit Socket(const asio::any_io_executor& executor) : acceptor(executor) {}

  tcp::acceptor acceptor;
};

TcpAcceptor::TcpAcceptor(const asio::any_io_executor& executor, const asio::ip::address& address,
                         std::uint16_t port, int receive_buffer, Port use)
    : socket_(std::make_unique<Socket>(executor)) {
  auto& acceptor = socket_->acceptor;
  const tcp::endpoint endpoint(address, port);
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  if (use == Port::shared) {
    acceptor.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>(true));
  }
  if (receive_buffer > 0) {
    acceptor.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
  }
  acceptor.bind(endpoint);
  acceptor.listen();
  port_ = acceptor.local_endpoint().port();
}

TcpAcceptor::~TcpAcceptor() = default;

asio::awaitable<Connected> TcpAcceptor::accept() {
  tcp::socket peer(socket_->acceptor.get_executor());
  const auto [code] = co_await socket_->acceptor.async_accept(peer, quietly);
  if (code) {
    co_return NetError(code, Phase::none);
  }
  co_return std::make_unique<TcpStream>(std::move(peer), TcpStream::From::accept);
}

void TcpAcceptor::close() noexcept {
  error_code ignored;
  socket_->acceptor.close(ignored);
}

}  // namespace understudy
