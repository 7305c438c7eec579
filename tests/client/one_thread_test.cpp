#include "client/one_thread.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <string>
#include <thread>

#include "understudy/client/client.hpp"

using namespace understudy;

namespace {

struct Ended {
  bool by_abort = false;
  std::string said;

  bool names_the_mistake() const {
    return by_abort && said.find("used by two threads at the same time") != std::string::npos &&
           said.find("SharedClient") != std::string::npos;
  }
};

/// Runs `what` in a process of its own.
Ended end_of(void (*what)()) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const auto child = fork();
  if (child == 0) {
    alarm(60);
    dup2(ends[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    what();
    _exit(0);
  }
  close(ends[1]);
  Ended ended;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    ended.said.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  ended.by_abort = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  return ended;
}

void two_at_once() {
  std::atomic<bool> busy = false;
  const understudy::detail::OneThread first(busy);
  const understudy::detail::OneThread second(busy);
}

}  // namespace

TEST_CASE("one after the other is not a mistake") {
  std::atomic<bool> busy = false;
  for (int i = 0; i < 2; ++i) {
    const understudy::detail::OneThread alone(busy);
    CHECK(busy);
  }
  CHECK_FALSE(busy);
}

TEST_CASE("two at the same time end the process with a message that names the mistake") {
  const auto ended = end_of(two_at_once);
  CAPTURE(ended.said);
  CHECK(ended.names_the_mistake());
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // threads in a forked child

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

// Whether the two meet is a matter of chance, so it has several tries, and is not among the quick tests.
TEST_CASE("a Client that two threads use ends the program and names the mistake" *
          doctest::test_suite("full")) {
  bool named = false;
  for (int i = 0; i < 5 && !named; ++i) {
    named = end_of(misuse).names_the_mistake();
  }
  CHECK(named);
}

#endif
