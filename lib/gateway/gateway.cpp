#include "understudy/gateway/gateway.hpp"

#include <list>
#include <utility>

#include "request_handler.hpp"
#include "understudy/client/client.hpp"

namespace understudy::gateway {

class Gateway::Core {
 public:
  Core(asio::any_io_executor executor, const Setup& setup, std::shared_ptr<ClientState> state,
       std::shared_ptr<Records> records)
      : executor_(std::move(executor)),
        state_(std::move(state)),
        records_(std::move(records)),
        service_(serve_by(setup.config)),
        server_(setup.http, [this](HttpExchange& exchange) { return answer(exchange); }) {}

  asio::awaitable<void> serve(Acceptor& acceptor) {
    if (!draining_) {
      co_await accept(acceptor);
    }
    ended_ = true;
    co_await service_->client.close();
  }

  void reload(Setup setup) {
    if (ended_) {
      return;
    }
    auto previous = std::exchange(service_, serve_by(setup.config));
    if (draining_) {
      service_->handler.drain();
    }
    server_.reconfigure(std::move(setup.http));
    if (root_ != nullptr) {
      // Closes the connections that the old client keeps for later calls. The new client refreshes the credentials
      // that both have.
      auto close = [old = std::move(previous)]() -> asio::awaitable<void> {
        co_await old->client.close();
      };
      root_->spawn(std::move(close));
    }
  }

  void drain() {
    if (std::exchange(draining_, true)) {
      return;
    }
    for (const auto& one : services_) {
      if (const auto service = one.lock()) {
        service->handler.drain();
      }
    }
    if (root_ == nullptr) {
      return;
    }
    server_.drain();
    acceptor_->close();
    auto end = [this, patience = service_->config->server.drain]() -> asio::awaitable<void> {
      co_await sleep_for(patience);
      stop();
    };
    root_->spawn(std::move(end));
  }

  /// The calls first, so that each reports why it ended.
  void stop() {
    draining_ = true;
    for (const auto& one : services_) {
      if (const auto service = one.lock()) {
        service->handler.stop();
      }
    }
    if (root_ != nullptr) {
      root_->cancel(StopReason::shutdown);
    }
  }

 private:
  /// What one configuration needs. It lives as long as its last call.
  struct Service {
    Service(const asio::any_io_executor& executor, std::shared_ptr<const Config> configured,
            const std::shared_ptr<ClientState>& state, Records& records)
        : config(std::move(configured)),
          client(executor, *config, state),
          handler(*config, client, *state, records) {}

    std::shared_ptr<const Config> config;
    Client client;
    detail::RequestHandler handler;
  };

  std::shared_ptr<Service> serve_by(const std::shared_ptr<const Config>& config) {
    auto service = std::make_shared<Service>(executor_, config, state_, *records_);
    services_.remove_if([](const std::weak_ptr<Service>& one) { return one.expired(); });
    services_.push_back(service);
    return service;
  }

  asio::awaitable<void> answer(HttpExchange& exchange) {
    const auto service = service_;
    co_await service->handler.answer(exchange);
  }

  asio::awaitable<void> accept(Acceptor& acceptor) {
    acceptor_ = &acceptor;
    auto body = [&](Scope& scope) -> asio::awaitable<void> {
      root_ = &scope;
      co_await server_.serve(acceptor);
      root_ = nullptr;
      scope.cancel(StopReason::lost);  // what waits for the end of draining
    };
    std::exception_ptr thrown;
    try {
      co_await with_scope(std::move(body));
    } catch (const boost::system::system_error& stopped) {
      if (stopped.code() != StopReason::shutdown) {
        thrown = std::current_exception();
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    root_ = nullptr;
    acceptor_ = nullptr;
    if (thrown) {
      ended_ = true;
      std::rethrow_exception(thrown);
    }
  }

  asio::any_io_executor executor_;
  std::shared_ptr<ClientState> state_;
  std::shared_ptr<Records> records_;
  std::list<std::weak_ptr<Service>> services_;  // whose calls are in flight, the newest last
  std::shared_ptr<Service> service_;            // in force
  HttpServer server_;
  Acceptor* acceptor_ = nullptr;  // while it accepts, and so is root_
  Scope* root_ = nullptr;
  bool draining_ = false;
  bool ended_ = false;
};

Gateway::Gateway(const asio::any_io_executor& executor, const Setup& setup,
                 std::shared_ptr<ClientState> state, std::shared_ptr<Records> records)
    : core_(std::make_unique<Core>(executor, setup, std::move(state), std::move(records))) {}

Gateway::~Gateway() = default;

asio::awaitable<void> Gateway::serve(Acceptor& acceptor) { return core_->serve(acceptor); }
void Gateway::reload(Setup setup) { core_->reload(std::move(setup)); }
void Gateway::drain() { core_->drain(); }
void Gateway::stop() { core_->stop(); }

}  // namespace understudy::gateway
