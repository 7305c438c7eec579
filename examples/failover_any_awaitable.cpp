// No LLM: failover() works for any awaitable. A query goes to a primary that hangs, and then to its replica;
// the next one goes to the replica at once. Virtual time, so that it ends at once.
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <string>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace std::chrono_literals;
using namespace understudy;

/// A row of a database whose primary takes the query and says nothing more. It knows nothing of failover.
asio::awaitable<std::string> query(std::string server) {
  if (server == "primary") {
    co_await sleep_for(24h);
  }
  co_await sleep_for(3ms);
  co_return "north tank: full (from the " + server + ")";
}

asio::awaitable<int> ask_twice(const Chain& chain, const Policy& policy, State& state) {
  for (int i = 0; i < 2; ++i) {
    const auto began = Clock::now();
    const auto outcome = co_await failover(
        chain, policy, state, [](Attempt& attempt) { return query(attempt.member().provider()); });
    const auto took = std::chrono::duration<double>(Clock::now() - began);
    std::cout << outcome.result.value() << ", after " << took.count() << " s\n  "
              << outcome.report.why() << "\n";
  }
  co_return 0;
}

int main() {
  testing::VirtualTime time;
  asio::io_context context;
  const Chain chain{Member("primary", "tanks"), Member("replica", "tanks")};
  const auto policy = Policy().with_attempt(2s);
  State state;
  return time.run(context, ask_twice(chain, policy, state));
}
