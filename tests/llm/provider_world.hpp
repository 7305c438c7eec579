/// Providers that fail as told, a chain of them, and calls to it: in virtual time over memory, or in real
/// time over loopback, plain or with TLS.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/memory_network.hpp"
#include "understudy/testing/scripted_resolver.hpp"
#include "understudy/testing/test_certificates.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace provider_test {

using namespace understudy;
using namespace understudy::llm;
using asio::awaitable;
using testing::FaultServer;

enum class Transport : unsigned char { memory, tcp, tls };

inline const testing::TestCertificates& certificates() {
  static const testing::TestCertificates all;
  return all;
}

/// What came of a call, and all that its consumer got to see.
struct Told {
  Result<Answer> answer = Failure();
  CallReport report;
  std::string text;  // as it came, whatever became of it
  std::size_t events = 0;
  std::size_t retracts = 0;
  Clock::duration took{};
  Clock::duration began_after{};  // until the answer was to be read
  Clock::time_point ended;
  std::size_t idle_connections = 0;  // a little later, as the client sees it
  std::size_t open_connections = 0;  // a little later, as the servers see it
};

inline void require_answer(const Told& told) {
  if (told.answer.has_error()) {
    FAIL("no answer: ", to_string(told.answer.error()), "; ", told.report.to_text());
  }
}

class World {
 public:
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  explicit World(Transport over = Transport::memory) : transport(over) {
    if (transport == Transport::memory) {
      time.emplace();
      network = std::make_shared<testing::MemoryNetwork>(context.get_executor());
      http.with_dialer(network).with_resolver(std::make_shared<testing::ScriptedResolver>());
    } else {
      http.with_ca_file(certificates().ca_file());
    }
    client.emplace(context.get_executor(), http);
  }

  /// The chain's next member, "a", "b"... Without one that listens where `listens` is false.
  FaultServer& add(Protocol protocol = Protocol::anthropic_messages, bool stream = true) {
    const std::string name(1, static_cast<char>('a' + servers.size()));
    const auto url = listen(name);
    chain.push_back(Member(name, "model-" + name).with_base_url(url));
    providers.emplace_back(
        *client, HttpProviderOptions(name, protocol, parse_url(url).value()).with_stream(stream));
    return servers.back();
  }

  /// A server, and its URL.
  std::string listen(const std::string& name) {
    const bool secure = transport == Transport::tls;
    secure ? servers.emplace_back(certificates()) : servers.emplace_back();
    if (transport == Transport::memory) {
      const auto port = static_cast<std::uint16_t>(8000 + servers.size());
      acceptors.push_back(network->listen(port));
      return "http://" + name + ".test:" + std::to_string(port);
    }
    constexpr int receive_buffer = 4096;
    auto acceptor = std::make_unique<TcpAcceptor>(
        context.get_executor(), asio::ip::address_v4::loopback(), std::uint16_t{0}, receive_buffer);
    const auto port = std::to_string(acceptor->port());
    acceptors.push_back(std::move(acceptor));
    return (secure ? "https://127.0.0.1:" : "http://127.0.0.1:") + port;
  }

  /// Asks the chain while all its servers serve. A failure after the first progress is the call's.
  Told ask(Request request = Request("what the client calls it")) {
    if (request.messages.empty()) {
      request.messages.emplace_back(Role::user, "Is the north tank full?");
    }
    if (time) {
      return *time->run(context, run(std::move(request)));
    }
    std::optional<Told> told;
    std::exception_ptr thrown;
    asio::co_spawn(context, run(std::move(request)),
                   [&](const std::exception_ptr& error, std::optional<Told> result) {
                     thrown = error;
                     told = std::move(result);
                   });
    context.restart();
    context.run();
    if (thrown) {
      std::rethrow_exception(thrown);
    }
    return std::move(*told);
  }

  Transport transport;
  std::optional<testing::VirtualTime> time;
  asio::io_context context;
  std::shared_ptr<testing::MemoryNetwork> network;
  HttpClientOptions http;
  std::optional<HttpClient> client;
  std::deque<FaultServer> servers;
  std::deque<HttpProvider> providers;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  Chain chain;
  std::shared_ptr<CredentialPool> pool;  // attached while a call runs
  Policy policy;
  State state;
  bool keep_connections = false;  // from one call to the next, in virtual time

 protected:
  /// The one that is asked.
  Provider& provider_of(const Member& member) {
    return providers[static_cast<std::size_t>(member.provider()[0] - 'a')];
  }

  /// One call, while all serve.
  virtual awaitable<Told> call(const Request& request) {
    Told told;
    const auto began = Clock::now();
    auto open = [&](Attempt& attempt) {
      return provider_of(attempt.member()).open(request, attempt);
    };
    auto outcome = co_await failover(chain, policy, state, std::move(open));
    told.report = std::move(outcome.report);
    if (!outcome.result) {
      told.answer = outcome.result.error();
    } else {
      told.answer = co_await read(std::move(*outcome.result), told);
    }
    told.took = Clock::now() - began;
    co_return told;
  }

  /// From a Stream or a Delivery. What is taken back is gone from `text`.
  template <class Source>
  static awaitable<Result<Answer>> read(Source&& stream, Told& told) {
    Answer answer;
    while (true) {
      const auto more = co_await stream.ready();
      if (more.has_error()) {
        co_return more.error();
      }
      if (!*more) {
        co_return answer;
      }
      while (const Event* event = stream.try_next()) {
        ++told.events;
        answer.add(*event);
        if (const auto* said = std::get_if<Text>(&event->body)) {
          told.text += said->text;
        } else if (std::holds_alternative<Retract>(event->body)) {
          ++told.retracts;
          told.text.clear();
        }
      }
    }
  }

 private:
  awaitable<std::optional<Told>> run(Request request) {
    std::optional<Told> told;
    auto body = [&](Scope& scope) -> awaitable<void> {
      if (!time) {
        scope.deadline(std::chrono::seconds(60));  // hours too long: something hangs
      }
      if (pool) {
        pool->attach(scope);
      }
      for (std::size_t i = 0; i < servers.size(); ++i) {
        auto serve = [this, i] { return servers[i].serve(*acceptors[i]); };
        scope.spawn(std::move(serve));
      }
      told = co_await call(request);
      told->ended = Clock::now();
      co_await sleep_for(std::chrono::milliseconds(100));  // the servers notice who has gone
      for (const auto& server : servers) {
        told->open_connections += server.open_connections();
      }
      told->idle_connections = client->idle_connections();
      if (!keep_connections) {
        client->close();  // else its idle connections keep the context running
      }
      scope.cancel(StopReason::shutdown);
    };
    co_await with_scope(std::move(body));
    co_return told;
  }
};

}  // namespace provider_test
