#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <string>

#include "understudy/net/byte_stream.hpp"
#include "understudy/net/detail/wake_up.hpp"

namespace understudy {
namespace {

/// One direction.
struct Pipe {
  Pipe(const asio::any_io_executor& executor, std::size_t c)
      : capacity(c), readable(executor), writable(executor) {}

  std::size_t capacity;
  std::string bytes;
  std::size_t taken = 0;  // of bytes
  bool ended = false;     // the writer is done
  bool broken = false;    // the reader is gone, or the writer reset it
  detail::WakeUp readable;
  detail::WakeUp writable;

  std::size_t size() const noexcept { return bytes.size() - taken; }
};

struct Connection {
  Connection(const asio::any_io_executor& executor, std::size_t capacity)
      : pipes{Pipe(executor, capacity), Pipe(executor, capacity)} {}

  std::array<Pipe, 2> pipes;
};

class MemoryStream final : public ByteStream {
 public:
  MemoryStream(const asio::any_io_executor& executor, std::shared_ptr<Connection> connection,
               std::size_t side)
      : ByteStream(executor),
        connection_(std::move(connection)),
        in_(connection_->pipes[side]),
        out_(connection_->pipes[1 - side]) {}
  ~MemoryStream() override { close(); }

  IoResult try_read(std::span<char> buffer) noexcept override {
    if (closed_) {
      return IoResult::aborted();
    }
    if (in_.broken) {
      return {asio::error::connection_reset, 0};
    }
    const auto n = std::min(buffer.size(), in_.size());
    if (n == 0) {
      return in_.ended ? IoResult(asio::error::eof, 0) : IoResult::would_block();
    }
    std::copy_n(in_.bytes.data() + in_.taken, n, buffer.data());
    in_.taken += n;
    if (in_.size() == 0) {
      in_.bytes.clear();
      in_.taken = 0;
    }
    in_.writable.notify();
    return {{}, n};
  }

  IoResult try_write(std::string_view data) noexcept override {
    if (closed_) {
      return IoResult::aborted();
    }
    if (out_.broken) {
      return {asio::error::connection_reset, 0};
    }
    if (out_.ended) {
      return {asio::error::broken_pipe, 0};
    }
    const auto n = std::min(data.size(), out_.capacity - out_.size());
    if (n == 0) {
      return IoResult::would_block();
    }
    out_.bytes.erase(0, out_.taken);
    out_.taken = 0;
    out_.bytes.append(data.substr(0, n));
    out_.readable.notify();
    return {{}, n};
  }

  asio::awaitable<void> wait_readable() override {
    const auto keep = connection_;
    while (!readable() && !co_await in_.readable.wait()) {
    }
  }

  asio::awaitable<void> wait_writable() override {
    const auto keep = connection_;
    while (!writable() && !co_await out_.writable.wait()) {
    }
  }

  bool readable() const noexcept override {
    return closed_ || in_.broken || in_.ended || in_.size() > 0;
  }

  bool peer_gone() const noexcept override { return in_.broken || in_.ended; }

  std::size_t unread() const noexcept override { return closed_ ? 0 : in_.size(); }

  void shutdown_send() noexcept override {
    out_.ended = true;
    out_.readable.notify();
  }

  void close() noexcept override {
    if (!closed_) {
      // What the other end wrote and nobody read is answered with a reset, as by TCP.
      out_.broken |= in_.size() > 0;
      in_.broken = true;
      shutdown_send();
      leave();
    }
  }

  void abort() noexcept override {
    if (!closed_) {
      in_.broken = true;
      out_.broken = true;
      leave();
    }
  }

 private:
  bool writable() const noexcept {
    return closed_ || out_.broken || out_.ended || out_.size() < out_.capacity;
  }

  void leave() noexcept {
    closed_ = true;
    for (auto& pipe : connection_->pipes) {
      pipe.readable.notify();
      pipe.writable.notify();
    }
  }

  std::shared_ptr<Connection> connection_;
  Pipe& in_;
  Pipe& out_;
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> memory_stream_pair(
    const asio::any_io_executor& executor, std::size_t capacity) {
  auto connection = std::make_shared<Connection>(executor, capacity);
  auto first = std::make_unique<MemoryStream>(executor, connection, 0);
  auto second = std::make_unique<MemoryStream>(executor, std::move(connection), 1);
  return {std::move(first), std::move(second)};
}

}  // namespace understudy
