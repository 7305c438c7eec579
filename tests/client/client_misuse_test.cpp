// Mistakes of an embedding program that the library catches.
#include <doctest/doctest.h>

#ifndef __SANITIZE_THREAD__  // a fork with threads in the child is beyond it

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <thread>

#include "understudy/client/client.hpp"

using namespace understudy;

namespace {

/// A client without a strand on an io_context that two threads run.
void misuse() {
  const auto config = parse_config(
      "[model]\nprovider = \"here\"\ndefault = \"m\"\n[providers.here]\n"
      "protocol = \"openai_chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\n",
      "test.toml", {});
  asio::io_context context(2);
  Client client(context.get_executor(), *config, ClientState::make(*config).value());
  for (int i = 0; i < 500; ++i) {
    auto call = [&]() -> asio::awaitable<void> {
      llm::Request request;
      request.messages.emplace_back(llm::Role::user, std::string(1 << 20, 'a'));
      co_await client.complete(std::move(request));
    };
    asio::co_spawn(context, std::move(call), asio::detached);
  }
  std::thread other([&] { context.run(); });
  context.run();
  other.join();
}

}  // namespace

TEST_CASE("a Client that two threads use at the same time ends the program and names the mistake") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const auto child = fork();
  if (child == 0) {
    alarm(60);
    dup2(ends[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    misuse();
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CAPTURE(said);
  CHECK(WIFSIGNALED(status));
  CHECK(said.find("used by two threads at the same time") != std::string::npos);
  CHECK(said.find("SharedClient") != std::string::npos);
}

#endif
