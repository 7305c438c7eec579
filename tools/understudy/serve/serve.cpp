// `understudy serve`: the gateway as a program.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <thread>

#include "../command.hpp"
#include "../configured.hpp"
#include "descriptors.hpp"
#include "line_writer.hpp"
#include "understudy/runtime/live_children.hpp"
#include "understudy/runtime/local_fault.hpp"
#include "worker.hpp"

namespace understudy::tool {
namespace {

struct Options {
  std::string config;
  bool allow_open = false;
};

/// What is wrong with where it would listen, whom it would let in, and its certificate.
void check(const ServerConfig& server, bool allow_open, std::vector<ConfigError>& errors) {
  error_code unparsed;
  const auto address = asio::ip::make_address(server.host, unparsed);
  if (unparsed) {
    errors.emplace_back(ConfigPlace(), "server.listen: `" + server.host + "` is no address",
                        "write \"127.0.0.1:8080\"");
  } else if (!address.is_loopback() && !allow_open && server.keys.empty()) {
    errors.emplace_back(ConfigPlace(),
                        "no `server.keys`, and " + server.host +
                            ", where it listens, can be reached from elsewhere",
                        "set `server.keys`, or pass --allow-open; another `server.listen` takes a "
                        "restart");
  }
}

unsigned threads_of(const ServerConfig& server) {
  return server.threads.value_or(std::max(1U, std::thread::hardware_concurrency()));
}

/// `server.max_connections`, or what the limit on descriptors has room for if that is less.
std::size_t connections_of(const ServerConfig& server) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(
      server.max_connections, connections_within(descriptor_limit(), threads_of(server))));
}

/// Says so where the configuration asks for more connections than there can be.
void note_connections(const ServerConfig& server, Records& records) {
  if (const auto connections = connections_of(server); connections < server.max_connections) {
    records.note(LogConfig::Level::warn,
                 "server.max_connections is " + std::to_string(connections) + " and not " +
                     std::to_string(server.max_connections) + ": this process may have " +
                     std::to_string(descriptor_limit()) + " descriptors, and a call needs two; " +
                     std::string(remedy(LocalFault::descriptors)));
  }
}

/// Gives what cannot change while it runs the values that are in force. Whether the file has others.
bool keep_unchangeable(Config& config, const Config& in_force) {
  auto& server = config.server;
  const auto& was = in_force.server;
  const bool moved =
      was.host != server.host || was.port != server.port || was.threads != server.threads;
  const bool logs =
      in_force.log.format != config.log.format || in_force.log.prompts != config.log.prompts;
  server.host = was.host;
  server.port = was.port;
  server.threads = was.threads;
  config.log.format = in_force.log.format;
  config.log.prompts = in_force.log.prompts;
  return moved || logs;
}

/// With the certificate that the configuration names. Errors: all of them.
boost::system::result<Setup, ConfigErrors> setup_of(Config config, bool allow_open) {
  ConfigErrors errors{config.file, {}};
  check(config.server, allow_open, errors.errors);
  auto listening = server_options(config.server);
  const auto threads = threads_of(config.server);
  const auto connections = connections_of(config.server);
  listening.with_max_connections(connections < config.server.max_connections
                                     ? connections / threads
                                     : (connections + threads - 1) / threads);
  if (const auto& tls = config.server.tls) {
    auto context = TlsContext::server(tls->certificate_file, tls->key_file);
    if (context) {
      listening.with_tls(std::move(*context));
    } else {
      errors.errors.emplace_back(ConfigPlace(), "server.tls: " + to_string(context.error()),
                                 "name PEM files: the certificate with its chain, and its key");
    }
  }
  if (!errors.errors.empty()) {
    return errors;
  }
  return Setup(std::move(config), std::move(listening));
}

/// The workers, and what is done to all of them.
class Workers {
 public:
  Workers(Options options, Setup setup, std::shared_ptr<ClientState> state)
      : options_(std::move(options)),
        config_(setup.config),
        state_(std::move(state)),
        records_(config_->log) {
    note_connections(config_->server, records_);
    const auto threads = threads_of(config_->server);
    auto port = config_->server.port;
    for (unsigned i = 0; i < threads; ++i) {
      port = workers_.emplace_back(setup, state_, records_, port).port();
    }
    for (auto& worker : workers_) {
      worker.start();
    }
    state_->on_warning(
        [this](std::string_view text) { records_.note(LogConfig::Level::warn, text); });
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { state_->on_warning({}); }

  std::string where() const {
    const auto& server = config_->server;
    return std::string(server.tls ? "https" : "http") + "://" + server.host + ":" +
           std::to_string(workers_.front().port()) + ", " + std::to_string(workers_.size()) +
           " threads";
  }

  void reload() {
    auto config = load_config(options_.config);
    if (config.has_error()) {
      records_.refused(config.error());
      return;
    }
    const bool wants_restart = keep_unchangeable(*config, *config_);
    auto setup = setup_of(std::move(*config), options_.allow_open);
    if (setup.has_error()) {
      records_.refused(setup.error());
      return;
    }
    if (const auto read = state_->reload(*setup->config); read.has_error()) {
      records_.refused(read.error());
      return;
    }
    if (wants_restart) {
      records_.note(LogConfig::Level::warn,
                    "server.listen, server.threads, log.format and log.prompts are as they were at "
                    "the start: restart for others");
    }
    if (setup->config->server.max_connections != config_->server.max_connections) {
      note_connections(setup->config->server, records_);
    }
    config_ = setup->config;
    records_.set_level(config_->log.level);
    for (auto& worker : workers_) {
      worker.apply(*setup);
    }
    records_.reloaded();
  }

  void drain() {
    for (auto& worker : workers_) {
      worker.drain();
    }
  }

  void stop() {
    for (auto& worker : workers_) {
      worker.stop();
    }
  }

  void join() {
    for (auto& worker : workers_) {
      worker.join();
    }
  }

 private:
  Options options_;
  std::shared_ptr<const Config> config_;  // in force
  std::shared_ptr<ClientState> state_;
  Records records_;
  std::deque<Worker> workers_;
};

/// How long the second SIGTERM leaves the workers to end by themselves: calls under way get their error.
constexpr unsigned end_within = 1;  // seconds

/// SIGHUP reads the configuration again; the first SIGTERM or SIGINT lets calls end, the second does not.
///
/// The thread that waits for signals does nothing that can block, so that the second one always ends the program: also
/// while a configuration is being read from a file system that hangs, and when a worker is busy.
class Signals {
 public:
  explicit Signals(Workers& workers) : workers_(workers) {
    std::signal(SIGALRM, [](int) { ::_exit(failed); });
    wait();
  }

  /// Until all workers have ended.
  void run() {
    std::thread waiter([this] { context_.run(); });
    workers_.join();
    reloading_.join();
    context_.stop();
    waiter.join();
  }

 private:
  void wait() {
    signals_.async_wait([this](const error_code& error, int signal) {
      if (error) {
        return;
      }
      if (signal == SIGHUP) {
        if (!draining_) {
          asio::post(reloading_, [this] { workers_.reload(); });
        }
      } else {
        end();
      }
      wait();
    });
  }

  void end() {
    if (draining_) {
      ::alarm(end_within);
      workers_.stop();
    } else {
      workers_.drain();
    }
    LineWriter lines(STDERR_FILENO);
    lines.give_up_after({});
    lines.write(draining_ ? "understudy serve: ends at once\n"
                          : "understudy serve: drains; once more ends at once\n");
    draining_ = true;
  }

  Workers& workers_;
  asio::thread_pool reloading_{1};
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGINT, SIGTERM, SIGHUP};
  bool draining_ = false;
};

/// Why it cannot listen there. The workers share the port, and so would with another gateway's: this asks
/// without sharing.
error_code unavailable(const ServerConfig& server) {
  using asio::ip::tcp;
  asio::io_context context;
  tcp::acceptor alone(context);
  const tcp::endpoint place(asio::ip::make_address(server.host), server.port);
  error_code code;
  alone.open(place.protocol(), code);
  if (!code) {
    alone.set_option(tcp::acceptor::reuse_address(true), code);  // what has ended may linger there
  }
  if (!code) {
    alone.bind(place, code);
  }
  return code;
}

int serve(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a log without a reader must not end the calls
  allow_many_descriptors();
  auto config = load_config(options.config);
  if (config.has_error()) {
    std::cerr << to_string(config.error()) << "\n";
    return bad_usage;
  }
  auto setup = setup_of(std::move(*config), options.allow_open);
  if (setup.has_error()) {
    std::cerr << to_string(setup.error()) << "\n";
    return bad_usage;
  }
  auto state = state_for(*setup->config);
  if (state.has_error()) {
    std::cerr << to_string(state.error()) << "\n";
    return bad_usage;
  }
  if (const auto code = unavailable(setup->config->server)) {
    const auto& server = setup->config->server;
    std::cerr << "understudy serve: cannot listen at " << server.host << ":" << server.port << ": "
              << code.message() << "\n"
              << (code == asio::error::address_in_use
                      ? "Another program listens there: end it, or write another `server.listen`\n"
                      : "");
    return failed;
  }
  Workers workers(options, std::move(*setup), std::move(*state));
  Signals signals(workers);
  // In one piece: the log writes there too, from a thread of its own.
  LineWriter(STDERR_FILENO).write("understudy serve: " + workers.where() + "\n");
  signals.run();
  if (const auto left = live_children().value_or(0); left != 0) {
    std::cerr << "understudy serve: " << left
              << " coroutines outlived their calls: please report it\n";
    return failed;
  }
  return done;
}

}  // namespace

Command serve_command(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto* const app = program.add_subcommand(
      "serve",
      "The gateway: point an OpenAI or Anthropic client's base URL at it. SIGTERM drains, SIGHUP "
      "reads\n"
      "the configuration again.\n"
      "Exit code 2: the configuration is wrong, or it must not listen there; 1: it cannot.");
  app->add_option("--config", options->config, "TOML, see examples/understudy.toml")->required();
  app->add_flag("--allow-open", options->allow_open,
                "Listens beyond this machine without `server.keys`");
  return {app, [options] { return serve(*options); }};
}

}  // namespace understudy::tool
