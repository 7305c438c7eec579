// Serves one of the strict back ends on loopback, and says on standard error what it refuses, as JSON lines:
//
//     strict_backend --backend codex [--port 0] [--everything] [--calls] [--arguments [NAME=]JSON]... [--bodies]
//                    [--without RULE]... [--list]
//
// The first line on standard output is its URL. A user's message that contains "CALL NAME" is answered by a call of the
// tool of that name; with --calls every request that has tools and does not end in a result is. --arguments: those of
// every call, or of calls of the tool NAME (letters, digits, `_` and `-`). --bodies: each line about a request has its
// body, as a JSON string.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>
#include <iostream>
#include <string_view>

#include "understudy/net/tcp.hpp"
#include "understudy/testing/strict_server.hpp"
#include "understudy/text/json_writer.hpp"

using namespace understudy;
using namespace understudy::testing;

namespace {

int usage() {
  std::cerr << "usage: strict_backend --backend ID [--port N] [--everything] [--calls] "
               "[--arguments [NAME=]JSON]... [--bodies] [--without RULE]... | --list\n";
  return 2;
}

void say(std::string_view id, std::string_view event, const Refusal& broken) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("backend", id).member("event", event);
  json.member("rule", broken.rule_id).member("status", broken.status);
  json.member("param", broken.param).member("message", broken.message).end_object();
  std::cerr << line << std::endl;
}

void say(std::string_view id, const StrictExchange& exchange, const Reply& reply, bool bodies) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("backend", id).member("event", "request");
  json.member("method", exchange.head.method).member("target", exchange.head.target);
  json.member("bytes", exchange.body.size()).member("status", reply.code);
  if (bodies) {
    json.member("body", exchange.body);
  }
  json.end_object();
  std::cerr << line << std::endl;
  for (const auto& warning : exchange.warnings) {
    say(id, "warning", warning);
  }
  if (exchange.refusal) {
    say(id, "refusal", *exchange.refusal);
  }
  for (const auto& dropped : exchange.dropped) {
    Refusal note;
    note.status = 200;
    note.rule_id = "dropped";
    note.message = dropped;
    say(id, "dropped", note);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string id;
  std::uint16_t port = 0;
  bool bodies = false;
  StrictServerOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--list") {
      for (const auto one : StrictBackends::embedded().ids()) {
        std::cout << one << "\n";
      }
      return 0;
    }
    if (option == "--everything") {
      options.with_strictness(Strictness::everything);
    } else if (option == "--calls") {
      options.answer.with_calls(StrictAnswerOptions::Calls::always);
    } else if (option == "--bodies") {
      bodies = true;
    } else if (option == "--arguments" && has_value) {
      const std::string_view value = argv[++i];
      const auto end = value.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
      if (end != std::string_view::npos && end > 0 && value[end] == '=') {
        options.answer.with_arguments_of(std::string(value.substr(0, end)),
                                         std::string(value.substr(end + 1)));
      } else {
        options.answer.with_arguments(std::string(value));
      }
    } else if (option == "--backend" && has_value) {
      id = argv[++i];
    } else if (option == "--without" && has_value) {
      options.without_rule(argv[++i]);
    } else if (option == "--port" && has_value) {
      const std::string_view digits = argv[++i];
      const auto end = digits.data() + digits.size();
      if (std::from_chars(digits.data(), end, port).ptr != end) {
        return usage();
      }
    } else {
      return usage();
    }
  }
  const auto& all = StrictBackends::embedded();
  for (const auto one : all.ids()) {
    if (one != id) {
      continue;
    }
    options.with_max_exchanges(1).with_edit(
        [id, bodies](const StrictExchange& exchange, Reply& reply) {
          say(id, exchange, reply, bodies);
        });
    StrictServer server(all.backend(id), std::move(options));
    asio::io_context context;
    TcpAcceptor acceptor(context.get_executor(), asio::ip::address_v4::loopback(), port);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const error_code&, int) { context.stop(); });
    asio::co_spawn(context, server.serve(acceptor), [](const std::exception_ptr&) {});
    std::cout << "http://127.0.0.1:" << acceptor.port() << std::endl;
    context.run();
    return 0;
  }
  return usage();
}
