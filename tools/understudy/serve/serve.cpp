// `understudy serve`: the gateway as a program.
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <deque>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "../command.hpp"
#include "../configured.hpp"
#include "gateway.hpp"
#include "understudy/net/tcp.hpp"

namespace understudy::tool {
namespace {

struct Options {
  std::string config;
  bool allow_open = false;
};

HttpServerOptions listening(const ServerConfig& config) {
  auto options = server_options(config);
  if (config.tls) {
    options.with_tls(
        TlsContext::server(config.tls->certificate_file, config.tls->key_file).value());
  }
  return options;
}

/// One io_context, on a thread of its own, with a client and a listener of its own.
class Worker {
 public:
  Worker(const Config& config, std::shared_ptr<ClientState> state, Records& records,
         std::uint16_t port)
      : config_(config),
        acceptor_(context_.get_executor(), asio::ip::make_address(config.server.host), port, 0,
                  TcpAcceptor::Port::shared),
        client_(context_.get_executor(), config, state),
        gateway_(config, client_, *state, records),
        server_(listening(config.server),
                [this](HttpExchange& exchange) { return gateway_.answer(exchange); }) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::uint16_t port() const noexcept { return acceptor_.port(); }

  void start() {
    asio::co_spawn(
        context_, [this] { return work(); },
        [this](const std::exception_ptr& error) { failed_ = error; });
    thread_ = std::thread([this] { context_.run(); });
  }

  /// No more connections; what is under way has `server.drain` to end. Any thread.
  void drain() {
    asio::post(context_, [this] {
      gateway_.drain();
      server_.drain();
      acceptor_.close();
      if (root_ != nullptr) {
        auto last = [this]() -> asio::awaitable<void> {
          co_await sleep_for(config_.server.drain);
          end();
        };
        root_->spawn(std::move(last));
      }
    });
  }

  /// At once. Any thread.
  void stop() {
    asio::post(context_, [this] { end(); });
  }

  /// Waits for its end; rethrows what ended it.
  void join() {
    thread_.join();
    if (failed_) {
      std::rethrow_exception(failed_);
    }
  }

 private:
  asio::awaitable<void> work() {
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
    co_await client_.close();
  }

  /// The calls first, so that each reports why it ended.
  void end() {
    gateway_.stop();
    if (root_ != nullptr) {
      root_->cancel(StopReason::shutdown);
    }
  }

  const Config& config_;
  asio::io_context context_{1};
  TcpAcceptor acceptor_;
  Client client_;
  Gateway gateway_;
  HttpServer server_;
  Scope* root_ = nullptr;  // on the context's thread alone
  std::exception_ptr failed_;
  std::thread thread_;
};

/// Waits for SIGTERM or SIGINT: the first lets calls end, the second does not.
class Signals {
 public:
  explicit Signals(std::deque<Worker>& workers) : workers_(workers) { wait(); }

  void run_until(const std::function<void()>& all_ended) {
    std::thread waiter([this] { context_.run(); });
    all_ended();
    context_.stop();
    waiter.join();
  }

 private:
  void wait() {
    signals_.async_wait([this](const error_code& error, int) {
      if (error) {
        return;
      }
      std::cerr << (draining_ ? "understudy serve: ends at once\n"
                              : "understudy serve: drains; once more ends at once\n");
      for (auto& worker : workers_) {
        draining_ ? worker.stop() : worker.drain();
      }
      draining_ = true;
      wait();
    });
  }

  std::deque<Worker>& workers_;
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGINT, SIGTERM};
  bool draining_ = false;
};

/// Why the gateway must not listen there; empty: it may.
std::string unsafe(const ServerConfig& server, bool allow_open) {
  error_code unparsed;
  const auto address = asio::ip::make_address(server.host, unparsed);
  if (unparsed) {
    return "server.listen: `" + server.host + "` is no address; write \"127.0.0.1:8080\"";
  }
  return address.is_loopback() || allow_open || !server.keys.empty()
             ? ""
             : "server.listen: " + server.host +
                   " can be reached from elsewhere: set `server.keys`, or pass --allow-open";
}

/// A connection is a descriptor, and each call one more; the usual soft limit of 1,024 is there for select().
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int serve(const Options& options) {
  const auto setup = configured(options.config);
  if (setup.has_error()) {
    std::cerr << to_string(setup.error());
    return bad_usage;
  }
  const auto& server = setup->config.server;
  if (const auto why = unsafe(server, options.allow_open); !why.empty()) {
    std::cerr << "understudy serve: " << why << "\n";
    return bad_usage;
  }
  const auto threads = server.threads.value_or(std::max(1U, std::thread::hardware_concurrency()));
  allow_many_descriptors();
  Records records(setup->config.log);
  std::deque<Worker> workers;
  auto port = server.port;
  for (unsigned i = 0; i < threads; ++i) {
    port = workers.emplace_back(setup->config, setup->state, records, port).port();
  }
  Signals signals(workers);
  for (auto& worker : workers) {
    worker.start();
  }
  std::cerr << "understudy serve: http" << (server.tls ? "s" : "") << "://" << server.host << ":"
            << port << ", " << threads << " threads\n";
  signals.run_until([&] {
    for (auto& worker : workers) {
      worker.join();
    }
  });
  return done;
}

}  // namespace

Command serve_command(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto* const app = program.add_subcommand(
      "serve",
      "The gateway: point an OpenAI or Anthropic client's base URL at it. SIGTERM drains.\n"
      "Exit code 2: the configuration is wrong, or it must not listen there.");
  app->add_option("--config", options->config, "TOML, see examples/understudy.toml")->required();
  app->add_flag("--allow-open", options->allow_open,
                "Listens beyond this machine without `server.keys`");
  return {app, [options] { return serve(*options); }};
}

}  // namespace understudy::tool
