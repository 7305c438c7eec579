/// A configured client, and the providers that its configuration names, over memory and in virtual time.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "understudy/client/client.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/memory_network.hpp"
#include "understudy/testing/scripted_resolver.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace client_test {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;
using testing::Fault;
using testing::FaultServer;
using testing::Reply;
using R = FailoverReason;

/// The founding report's file, with where its providers are for the test.
inline const std::string report_file = R"(
[model]
default = "claude-opus-4-7"
provider = "anthropic"

[[fallback_providers]]
provider = "openai-codex"
model = "gpt-5.5"

[fallback]
eager_on_timeout = true

[providers.anthropic]
base_url = "http://lead.test:8001"

[providers.openai-codex]
base_url = "http://understudy.test:8002/v1"
)";

/// Servers listen on ports 8001, 8002... whatever host is asked for.
class ClientWorld {
 public:
  ClientWorld() {
    variables["ANTHROPIC_API_KEY"] = "the lead's key";
    variables["OPENAI_API_KEY"] = "the understudy's key";
  }
  ClientWorld(const ClientWorld&) = delete;
  ClientWorld& operator=(const ClientWorld&) = delete;

  FaultServer& add() {
    const auto port = static_cast<std::uint16_t>(8001 + servers.size());
    acceptors.push_back(network->listen(port));
    return servers.emplace_back();
  }

  Environment environment() const {
    return [this](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    };
  }

  Config config(const std::string& text) const {
    auto parsed = parse_config(text, "test.toml", environment());
    if (parsed.has_error()) {
      FAIL(to_string(parsed.error()));
    }
    return *parsed;
  }

  ClientStateOptions state_options() const {
    return ClientStateOptions()
        .with_environment(environment())
        .with_http(HttpClientOptions().with_dialer(network).with_resolver(
            std::make_shared<testing::ScriptedResolver>()))
        .with_seed(1);
  }

  /// Runs `use(client)` while all servers serve, to the end of everything.
  template <class Use>
  void run(const Config& configured, Use use) {
    if (!state) {
      state = ClientState::make(configured, state_options()).value();
    }
    auto all = [&](Scope& scope) -> awaitable<void> {
      for (std::size_t i = 0; i < servers.size(); ++i) {
        auto serve = [this, i] { return servers[i].serve(*acceptors[i]); };
        scope.spawn(std::move(serve));
      }
      Client client(co_await asio::this_coro::executor, configured, state, options);
      co_await use(client);
      co_await client.close();
      co_await sleep_for(100ms);  // the servers notice who has gone
      scope.cancel(StopReason::shutdown);
    };
    auto scoped = [&]() -> awaitable<int> {
      co_await with_scope(std::move(all));
      co_return 0;
    };
    time.run(context, scoped());
    for (const auto& server : servers) {
      CHECK(server.open_connections() == 0);
    }
  }

  std::deque<FaultServer> servers;  // before the context, which may end amid their work
  testing::VirtualTime time;
  asio::io_context context;
  std::shared_ptr<testing::MemoryNetwork> network =
      std::make_shared<testing::MemoryNetwork>(context.get_executor());
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::map<std::string, std::string> variables;
  std::shared_ptr<ClientState> state;
  ClientOptions options;
};

inline Request question(std::string model = {}) {
  Request request(std::move(model));
  request.messages.emplace_back(Role::user, "Is the north tank full?");
  return request;
}

/// All of an answer, and how it ended.
class Heard {
 public:
  std::string text;
  std::size_t retracts = 0;
  Failure failure;
};

inline awaitable<void> listen(Delivery& answer, Heard& heard) {
  while (true) {
    const auto more = co_await answer.ready();
    if (more.has_error()) {
      heard.failure = more.error();
      co_return;
    }
    if (!*more) {
      co_return;
    }
    while (const Event* event = answer.try_next()) {
      if (const auto* said = std::get_if<llm::Text>(&event->body)) {
        heard.text += said->text;
      } else if (std::holds_alternative<llm::Retract>(event->body)) {
        heard.text.clear();
        ++heard.retracts;
      }
    }
  }
}

/// The value of a header of a request that a server got.
inline std::string sent(const FaultServer& server, std::size_t connection,
                        std::string_view header) {
  return std::string(server.connections()
                         .at(connection)
                         .requests.at(0)
                         .head.headers.find(header)
                         .value_or("none"));
}

}  // namespace client_test
