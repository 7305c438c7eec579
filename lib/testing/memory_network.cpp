#include "understudy/testing/memory_network.hpp"

#include <deque>

#include "understudy/net/detail/wake_up.hpp"

namespace understudy::testing {

class MemoryNetwork::Listener final : public Acceptor {
 public:
  Listener(const asio::any_io_executor& executor, std::shared_ptr<Listeners> all,
           std::uint16_t port)
      : came_(executor), all_(std::move(all)), port_(port) {
    all_->insert_or_assign(port_, this);
  }
  ~Listener() override { close(); }

  asio::awaitable<Connected> accept() override {
    while (queue_.empty() && !closed_) {
      if (co_await came_.wait()) {
        co_return NetError(asio::error::operation_aborted, Phase::none);
      }
    }
    if (closed_) {
      co_return NetError(asio::error::operation_aborted, Phase::none);
    }
    auto stream = std::move(queue_.front());
    queue_.pop_front();
    co_return std::move(stream);
  }

  void close() noexcept override {
    if (!closed_) {
      closed_ = true;
      all_->erase(port_);
      queue_.clear();
      came_.notify();
    }
  }

  void add(std::unique_ptr<ByteStream> stream) {
    queue_.push_back(std::move(stream));
    came_.notify();
  }

 private:
  detail::WakeUp came_;
  std::shared_ptr<Listeners> all_;
  std::uint16_t port_;
  std::deque<std::unique_ptr<ByteStream>> queue_;
  bool closed_ = false;
};

MemoryNetwork::MemoryNetwork(const asio::any_io_executor& executor, std::size_t capacity)
    : executor_(executor), capacity_(capacity), listeners_(std::make_shared<Listeners>()) {}

MemoryNetwork::~MemoryNetwork() = default;

std::unique_ptr<Acceptor> MemoryNetwork::listen(std::uint16_t port) {
  return std::make_unique<Listener>(executor_, listeners_, port);
}

asio::awaitable<Connected> MemoryNetwork::dial(Addresses addresses, std::uint16_t port) {
  if (black_holes_.contains(port)) {
    detail::WakeUp never(executor_);
    while (!co_await never.wait()) {
    }
    co_return NetError(asio::error::operation_aborted, Phase::connect);
  }
  const auto listener = listeners_->find(port);
  if (listener == listeners_->end()) {
    co_return NetError(asio::error::connection_refused, Phase::connect,
                       addresses.empty() ? "" : addresses.front().to_string());
  }
  auto [near, far] = memory_stream_pair(executor_, capacity_);
  listener->second->add(std::move(far));
  ++dialled_;
  co_return std::move(near);
}

}  // namespace understudy::testing
