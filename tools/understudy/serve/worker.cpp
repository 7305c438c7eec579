#include "worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <utility>

namespace understudy::tool {

/// What one configuration makes. It lives as long as its last call.
struct Worker::Service {
  Service(const asio::any_io_executor& executor, std::shared_ptr<const Config> configured,
          const std::shared_ptr<ClientState>& state, Records& records)
      : config(std::move(configured)),
        client(executor, *config, state),
        gateway(*config, client, *state, records) {}

  std::shared_ptr<const Config> config;
  Client client;
  Gateway gateway;
};

Worker::Worker(const Setup& setup, std::shared_ptr<ClientState> state, Records& records,
               std::uint16_t port)
    : records_(records),
      state_(std::move(state)),
      acceptor_(context_.get_executor(), asio::ip::make_address(setup.config->server.host), port, 0,
                TcpAcceptor::Port::shared),
      service_(serve_as(setup.config)),
      server_(setup.listening, [this](HttpExchange& exchange) { return answer(exchange); }) {}

Worker::~Worker() = default;

std::shared_ptr<Worker::Service> Worker::serve_as(const std::shared_ptr<const Config>& config) {
  auto service = std::make_shared<Service>(context_.get_executor(), config, state_, records_);
  services_.remove_if([](const std::weak_ptr<Service>& one) { return one.expired(); });
  services_.push_back(service);
  return service;
}

asio::awaitable<void> Worker::answer(HttpExchange& exchange) {
  const auto service = service_;
  co_await service->gateway.answer(exchange);
}

void Worker::start() {
  asio::co_spawn(
      context_, [this] { return work(); },
      [this](const std::exception_ptr& error) { failed_ = error; });
  thread_ = std::thread([this] { context_.run(); });
}

void Worker::apply(Setup setup) {
  asio::post(context_, [this, setup = std::move(setup)] {
    if (root_ != nullptr) {
      // What the old client keeps for later calls is of no more use; its pools of credentials, where they stay
      // the same, are refreshed by the new one.
      auto close =
          [old = std::exchange(service_, serve_as(setup.config))]() -> asio::awaitable<void> {
        co_await old->client.close();
      };
      root_->spawn(std::move(close));
      server_.reconfigure(setup.listening);
    }
  });
}

void Worker::drain() {
  asio::post(context_, [this] {
    for (const auto& one : services_) {
      if (const auto service = one.lock()) {
        service->gateway.drain();
      }
    }
    server_.drain();
    acceptor_.close();
    if (root_ != nullptr) {
      auto last = [this, patience = service_->config->server.drain]() -> asio::awaitable<void> {
        co_await sleep_for(patience);
        end();
      };
      root_->spawn(std::move(last));
    }
  });
}

void Worker::stop() {
  asio::post(context_, [this] { end(); });
}

void Worker::join() {
  thread_.join();
  if (failed_) {
    std::rethrow_exception(failed_);
  }
}

asio::awaitable<void> Worker::work() {
  auto body = [this](Scope& scope) -> asio::awaitable<void> {
    root_ = &scope;
    co_await server_.serve(acceptor_);
    root_ = nullptr;
    scope.cancel(StopReason::lost);  // the end of draining
  };
  try {
    co_await with_scope(std::move(body));
  } catch (const boost::system::system_error& stopped) {
    root_ = nullptr;
    if (stopped.code() != StopReason::shutdown) {
      throw;
    }
  }
  co_await service_->client.close();
}

/// The calls first, so that each reports why it ended.
void Worker::end() {
  for (const auto& one : services_) {
    if (const auto service = one.lock()) {
      service->gateway.stop();
    }
  }
  if (root_ != nullptr) {
    root_->cancel(StopReason::shutdown);
  }
}

}  // namespace understudy::tool
