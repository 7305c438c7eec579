// A question to the chain of a configuration file; the answer as it comes; and who gave it, and why.
//
//     quickstart understudy.toml "Is the north tank full?"
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include "understudy/client/client.hpp"

using namespace understudy;

// [quickstart]
asio::awaitable<void> ask(const Config& config, std::string question) {
  Client client(co_await asio::this_coro::executor, config, ClientState::make(config).value());
  llm::Request request;
  request.messages.emplace_back(llm::Role::user, std::move(question));
  auto answer = co_await client.stream(std::move(request));
  while (const llm::Event* event = co_await answer.next()) {
    if (const auto* text = std::get_if<llm::Text>(&event->body)) {
      std::cout << text->text << std::flush;
    }
  }
  std::cout << "\n" << answer.report().why() << "\n";
  co_await client.close();
}
// [quickstart]

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: quickstart CONFIG QUESTION\n";
    return 2;
  }
  try {
    const auto config = load_config(argv[1]).value();  // throws with all that is wrong with it
    asio::io_context context;
    asio::co_spawn(context, ask(config, argv[2]), [](const std::exception_ptr& error) {
      if (error) {
        std::rethrow_exception(error);
      }
    });
    context.run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
