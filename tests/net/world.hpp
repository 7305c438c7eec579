/// A network in virtual time, and peers that say word for word what a test wants.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "understudy/net/byte_stream.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/testing/memory_network.hpp"
#include "understudy/testing/scripted_resolver.hpp"
#include "understudy/testing/test_certificates.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace net_test {

using namespace understudy;
using asio::awaitable;

inline awaitable<error_code> say(ByteStream& stream, std::string_view text) {
  while (!text.empty()) {
    const auto written = stream.try_write(text);
    if (written.code == asio::error::would_block) {
      co_await stream.wait_writable();
    } else if (written.code) {
      co_return written.code;
    } else {
      text.remove_prefix(written.bytes);
    }
  }
  co_return error_code();
}

/// Reads until what came ends with `end`, or the connection does; an empty `end` is never reached.
inline awaitable<std::string> hear(ByteStream& stream, std::string_view end) {
  std::string all;
  char byte = 0;
  while (end.empty() || !all.ends_with(end)) {
    const auto read = stream.try_read({&byte, 1});
    if (read.code == asio::error::would_block) {
      co_await stream.wait_readable();
    } else if (read.code) {
      all += "<" + read.code.message() + ">";
      break;
    } else {
      all += byte;
    }
  }
  co_return all;
}

/// Made once for the program.
inline const testing::TestCertificates& certificates() {
  static const testing::TestCertificates made;
  return made;
}

/// What an observer was told.
class Recorder final : public IoObserver {
 public:
  void enter(Phase phase) override { phases.push_back(phase); }
  void waiting(const ByteStream*) override {}
  void heard(std::size_t n) override { bytes += n; }
  void left() override {}

  std::vector<Phase> phases;
  std::size_t bytes = 0;
};

struct World {
  using Peer = std::function<awaitable<void>(ByteStream&)>;

  World() : World(HttpClientOptions()) {}
  explicit World(HttpClientOptions options)
      : network(std::make_shared<testing::MemoryNetwork>(context.get_executor())),
        resolver(std::make_shared<testing::ScriptedResolver>()),
        client(context.get_executor(), options.with_dialer(network).with_resolver(resolver)) {}

  /// Runs `call` while each connection to `port` is given to `peer`, whose end closes it.
  template <class Call>
  auto run(Peer peer, Call call, std::uint16_t port = 80) {
    return time.run(context, run_both(std::move(peer), std::move(call), port));
  }

  testing::VirtualTime time;
  asio::io_context context;
  std::shared_ptr<testing::MemoryNetwork> network;
  std::shared_ptr<testing::ScriptedResolver> resolver;
  HttpClient client;

 private:
  awaitable<void> serve(Acceptor& acceptor, const Peer& peer, Scope& scope) {
    while (true) {
      auto stream = co_await acceptor.accept();
      if (stream.has_error()) {
        co_return;
      }
      auto one = [&peer, own = std::move(*stream)] { return peer(*own); };
      scope.spawn(std::move(one));
    }
  }

  template <class Call>
  auto run_both(Peer peer, Call call, std::uint16_t port) -> decltype(call()) {
    const auto acceptor = network->listen(port);
    const auto body = [&](Scope& scope) -> decltype(call()) {
      const auto server = [&] { return serve(*acceptor, peer, scope); };
      scope.spawn(server);
      if constexpr (std::is_void_v<typename decltype(call())::value_type>) {
        co_await call();
        scope.cancel(StopReason::shutdown);
      } else {
        auto result = co_await call();
        scope.cancel(StopReason::shutdown);
        co_return result;
      }
    };
    if constexpr (std::is_void_v<typename decltype(call())::value_type>) {
      co_await with_scope(body);
    } else {
      co_return co_await with_scope(body);
    }
  }
};

/// How a call ended.
struct Outcome {
  unsigned status = 0;
  std::string body;
  error_code code;  // of the send, or of a read
  Phase phase = Phase::none;
  std::string text;
};

inline const Endpoint& http_endpoint() {
  static const Endpoint endpoint(Scheme::http, "api.test", 80);
  return endpoint;
}

inline awaitable<Outcome> fetch(HttpClient& client, const Endpoint& endpoint,
                                const HttpRequest& request, IoObserver& observer) {
  Outcome outcome;
  auto response = co_await client.send(endpoint, request, observer);
  if (response.has_error()) {
    outcome.code = response.error().code;
    outcome.phase = response.error().phase;
    outcome.text = response.error().text;
    co_return outcome;
  }
  outcome.status = response->status();
  while (true) {
    const auto part = co_await response->read();
    if (part.has_error()) {
      outcome.code = part.error().code;
      outcome.text = part.error().text;
      co_return outcome;
    }
    if (part->empty()) {
      co_return outcome;
    }
    outcome.body += *part;
  }
}

inline awaitable<Outcome> fetch(HttpClient& client, const Endpoint& endpoint = http_endpoint()) {
  HttpRequest request("GET", "/");
  IgnoreIo nobody;
  co_return co_await fetch(client, endpoint, request, nobody);
}

}  // namespace net_test
