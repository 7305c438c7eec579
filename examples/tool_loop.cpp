// A model that uses the program's tools: two calls run in parallel, one fails, and the model gets to know of both. The
// provider is a simulated one, so that it runs anywhere.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <stdexcept>

#include "understudy/client/tool_loop.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace understudy;

asio::awaitable<std::string> level(std::string arguments) {
  if (arguments.find("north") == std::string::npos) {
    throw std::runtime_error("this tank has no gauge");  // the model gets this as the call's result
  }
  co_return R"({"percent": 93})";
}

Toolbox tank_tools() {
  Toolbox tools;
  tools.add(
      llm::Tool("level", "The level of a tank, in percent.",
                R"({"type":"object","properties":{"tank":{"type":"string"}},"required":["tank"]})"),
      level);
  return tools;
}

asio::awaitable<void> talk(const Config& config, testing::FaultServer& provider,
                           TcpAcceptor& port) {
  auto body = [&](Scope& scope) -> asio::awaitable<void> {
    scope.spawn([&] { return provider.serve(port); });
    Client client(scope.get_executor(), config, ClientState::make(config).value());
    const auto tools = tank_tools();
    llm::Conversation conversation;
    conversation.say("Which of the tanks is full?");
    const auto outcome = co_await run_tools(client, conversation, tools);
    std::cout << outcome.result.value().text() << "\n"
              << outcome.calls << " calls, " << outcome.reports.size() << " answers, "
              << conversation.request().messages.size() << " messages\n";
    co_await client.close();
    scope.cancel(StopReason::shutdown);  // the provider ends here
  };
  co_await with_scope(std::move(body));
}

int main() {
  asio::io_context context;
  testing::FaultServer provider;
  provider.reply(testing::Reply::answer("")
                     .call("call_1", "level", R"({"tank":"north"})")
                     .call("call_2", "level", R"({"tank":"south"})"));
  provider.reply(testing::Reply::answer("The north tank is; the south tank has no gauge."));
  TcpAcceptor port(context.get_executor(), asio::ip::address_v4::loopback(), 0);
  const auto config = parse_config(
                          "[model]\nprovider = \"local\"\ndefault = \"qwen3\"\n"
                          "[providers.local]\npreset = \"ollama\"\nbase_url = \"http://127.0.0.1:" +
                              std::to_string(port.port()) + "/v1\"\n",
                          "tool_loop.cpp")
                          .value();
  int status = 0;
  auto all = [&] { return talk(config, provider, port); };
  asio::co_spawn(context, std::move(all), [&](const std::exception_ptr& error) {
    try {
      error ? std::rethrow_exception(error) : void();
    } catch (const boost::system::system_error& stopped) {
      status = stopped.code() == StopReason::shutdown ? 0 : 1;
    }
  });
  context.run();
  return status;
}
