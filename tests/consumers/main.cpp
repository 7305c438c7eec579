// A program of somebody else's: the same one for each way to get at the library.
#include <understudy/gateway/gateway.hpp>
#include <understudy/runtime/scope.hpp>
#include <understudy/version.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>

namespace asio = boost::asio;

int main() {
  asio::io_context context;
  int value = 0;
  auto program = [&]() -> asio::awaitable<void> {
    value = co_await understudy::with_scope([&](understudy::Scope& scope) -> asio::awaitable<int> {
      int seen = 0;
      scope.spawn([&]() -> asio::awaitable<void> {
        seen = 41;
        co_return;
      });
      co_await scope.join();
      co_return seen + 1;
    });
  };
  std::exception_ptr error;
  asio::co_spawn(context, program, [&](std::exception_ptr e) { error = e; });
  context.run();
  std::printf("understudy %s: %d\n", understudy::version(), value);
  const understudy::gateway::Records records;
  return !error && value == 42 && records.calls_in_flight() == 0 ? 0 : 1;
}
