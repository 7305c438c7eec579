// `understudy serve`: the library's gateway as a program.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <iostream>
#include <memory>

#include "../command.hpp"
#include "../configured.hpp"
#include "descriptors.hpp"
#include "line_writer.hpp"
#include "serve_setup.hpp"
#include "signals.hpp"
#include "understudy/runtime/live_children.hpp"
#include "workers.hpp"

namespace understudy::tool {
namespace {

/// Why it cannot listen there. The workers share the port, and would share it with another gateway too: this binds
/// without sharing.
error_code unavailable(const ServerConfig& server) {
  using asio::ip::tcp;
  asio::io_context context;
  tcp::acceptor alone(context);
  const tcp::endpoint place(asio::ip::make_address(server.host), server.port);
  error_code code;
  alone.open(place.protocol(), code);
  if (!code) {
    alone.set_option(tcp::acceptor::reuse_address(true),
                     code);  // a process that has ended may linger there
  }
  if (!code) {
    alone.bind(place, code);
  }
  return code;
}

int serve(const ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a log without a reader must not end the calls
  allow_many_descriptors();
  auto config = load_config(options.config);
  if (config.has_error()) {
    std::cerr << to_string(config.error()) << "\n";
    return bad_usage;
  }
  auto setup = serve_setup(std::move(*config), options.allow_open);
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
    std::cerr << "understudy serve: cannot listen on " << server.host << ":" << server.port << ": "
              << code.message() << "\n"
              << (code == asio::error::address_in_use
                      ? "Another program listens on that port: stop it, or change `server.listen`\n"
                      : "");
    return failed;
  }
  Workers workers(options, *setup, std::move(*state));
  Signals signals(workers);
  // In one write: the log writes there too, from a thread of its own.
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
  auto options = std::make_shared<ServeOptions>();
  auto* const app = program.add_subcommand(
      "serve",
      "The gateway: point an OpenAI or Anthropic client's base URL at it. SIGTERM drains, SIGHUP "
      "reads\n"
      "the configuration again.\n"
      "Exit code 2: the configuration is invalid, or does not permit this address; 1: cannot "
      "listen.");
  app->add_option("--config", options->config, "TOML, see examples/understudy.toml")->required();
  app->add_flag("--allow-open", options->allow_open,
                "Accepts clients from other machines without `server.keys`");
  return {app, [options] { return serve(*options); }};
}

}  // namespace understudy::tool
