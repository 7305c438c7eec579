#include "worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace understudy::tool {

Worker::Worker(const gateway::Setup& setup, std::shared_ptr<ClientState> state,
               std::shared_ptr<gateway::Records> records, std::uint16_t port)
    : acceptor_(context_.get_executor(), asio::ip::make_address(setup.config->server.host), port, 0,
                TcpAcceptor::Port::shared),
      gateway_(context_.get_executor(), setup, std::move(state), std::move(records)) {}

void Worker::start() {
  asio::co_spawn(
      context_, [this] { return gateway_.serve(acceptor_); },
      [this](const std::exception_ptr& error) { failed_ = error; });
  thread_ = std::thread([this] { context_.run(); });
}

void Worker::reload(gateway::Setup setup) {
  asio::post(context_, [this, setup = std::move(setup)] { gateway_.reload(setup); });
}

void Worker::drain() {
  asio::post(context_, [this] { gateway_.drain(); });
}

void Worker::stop() {
  asio::post(context_, [this] { gateway_.stop(); });
}

void Worker::join() {
  thread_.join();
  if (failed_) {
    std::rethrow_exception(failed_);
  }
}

}  // namespace understudy::tool
