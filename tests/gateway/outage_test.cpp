// A total outage, as agents live through it behind the gateway: their own retries, and the gateway's wait.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

/// How an agent tries again (shared measurements of 2026-11-29; docs/gateway.md 5).
struct Agent {
  std::string name;
  std::size_t path;  // of `paths()`
  unsigned retries;
  Clock::duration first_wait;  // doubled each time, where no Retry-After is given
  Clock::duration longest_wait;
};

const std::vector<Agent>& agents() {
  static const std::vector<Agent> all{
      {"Claude Code", 1, 10, 500ms, 8s},
      {"Codex", 2, 4, 200ms, 3s},
      {"an OpenAI SDK, twice", 0, 2, 500ms, 8s},
      {"pi", 0, 3, 1s, 8s},
      {"qwen-code", 0, 6, 1s, 8s},
  };
  return all;
}

struct Turn {
  bool done = false;
  std::size_t posts = 0;
};

awaitable<Turn> take_turn(const Agent& agent, HttpClient& http) {
  Turn turn;
  auto wait = agent.first_wait;
  for (unsigned i = 0; i <= agent.retries && !turn.done; ++i) {
    const auto got = co_await post(http, paths()[agent.path]);
    ++turn.posts;
    turn.done =
        got.status == 200 && read(got, paths()[agent.path].protocol).ending == Ending::complete;
    if (turn.done || got.header("x-should-retry") == "false") {
      break;
    }
    const auto after = got.header("retry-after");
    Clock::duration pause = wait;
    if (after != "none") {
      pause = std::chrono::seconds(std::atoi(after.c_str()));
    }
    co_await sleep_for(pause);
    wait = std::min(2 * wait, agent.longest_wait);
  }
  co_return turn;
}

const std::string two_members = R"(
[[routes]]
model = "any"
chain = [{provider = "a", model = "m"}, {provider = "b", model = "m"}]
[providers.a]
protocol = "anthropic_messages"
base_url = "http://a.test:8001"
[providers.b]
protocol = "openai_chat"
base_url = "http://b.test:8002/v1"
)";

}  // namespace

TEST_CASE("an outage of 3, 12 and 40 s: each agent's turn succeeds, and no provider is flooded") {
  for (const auto outage : {3s, 12s, 40s}) {
    for (const auto& agent : agents()) {
      CAPTURE(agent.name);
      CAPTURE(outage.count());
      GatewayWorld world;
      const auto began = Clock::now();
      auto reply = [=](const testing::SeenRequest&) {
        return Clock::now() - began < outage ? Reply::status(529, "Overloaded", "overloaded_error")
                                             : Reply::answer();
      };
      auto& a = world.add();
      auto& b = world.add();
      a.reply_to("m", reply);
      b.reply_to("m", reply);
      world.serve(world.config(two_members), [&](HttpClient& http) -> awaitable<void> {
        constexpr std::size_t sessions = 20;
        std::size_t posts = 0;
        std::size_t done = 0;
        auto all = [&](Scope& scope) -> awaitable<void> {
          for (std::size_t i = 0; i < sessions; ++i) {
            auto session = [&]() -> awaitable<void> {
              const auto turn = co_await take_turn(agent, http);
              posts += turn.posts;
              done += turn.done ? 1 : 0;
            };
            scope.spawn(std::move(session));
          }
          co_await scope.join();
        };
        co_await with_scope(std::move(all));
        CHECK(done == sessions);
        CHECK(posts <= (outage <= 12s ? 1 : 3) * sessions);
        // The first round of the calls that came before any had failed, and one probe at a time after it.
        constexpr std::size_t floor = 4 * sessions + 60;
        CHECK(a.requests() + b.requests() <= sessions * 12 / 10 + floor);
        MESSAGE(agent.name, ", ", outage.count(), " s: ", posts, " posts, ", a.requests(), " and ",
                b.requests(), " requests to providers for ", sessions, " turns");
      });
    }
  }
}

TEST_CASE("a client that leaves while the gateway waits ends the wait") {
  GatewayWorld world;
  auto& a = world.add();
  auto& b = world.add();
  auto down = [](const testing::SeenRequest&) {
    return Reply::status(529, "Overloaded", "overloaded_error");
  };
  a.reply_to("m", down);
  b.reply_to("m", down);
  world.serve(world.config(two_members), [&](HttpClient& http) -> awaitable<void> {
    auto leaves = [&](Scope& scope) -> awaitable<void> {
      auto ask = [&]() -> awaitable<void> { co_await post(http, paths()[0]); };
      scope.spawn(std::move(ask));
      co_await sleep_for(5s);
      scope.cancel(StopReason::lost);
    };
    try {
      co_await with_scope(std::move(leaves));
    } catch (const boost::system::system_error&) {
    }
    co_await sleep_for(1s);
    const auto requests = a.requests() + b.requests();
    co_await sleep_for(60s);
    CHECK(a.requests() + b.requests() == requests);
  });
}

TEST_CASE(
    "no status line while the gateway waits: the answer that follows has the status 200, a failure "
    "its own") {
  for (const bool recovers : {true, false}) {
    CAPTURE(recovers);
    GatewayWorld world;
    const auto began = Clock::now();
    auto reply = [=](const testing::SeenRequest&) {
      return !recovers || Clock::now() - began < 20s
                 ? Reply::status(529, "Overloaded", "overloaded_error")
                 : Reply::answer();
    };
    world.add().reply_to("m", reply);
    world.add().reply_to("m", reply);
    world.serve(world.config(two_members + "[server]\nkeep_alive = \"1s\"\n"),
                [&](HttpClient& http) -> awaitable<void> {
                  const auto got = co_await post(http, paths()[1]);
                  CHECK(got.status == (recovers ? 200 : 529));
                  CHECK(got.head_after >= 15s);
                  CHECK(got.head_after <= 32s);
                  if (!recovers) {
                    CHECK(got.header("x-should-retry") == "true");
                    CHECK(std::atoi(got.header("retry-after").c_str()) <= 60);
                  }
                });
  }
}

TEST_CASE("a flood of heartbeats within an answer is a stall: another member goes on") {
  GatewayWorld world;
  auto& first = world.add();
  auto& second = world.add();
  std::string flood = R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",)"
                      R"("choices":[{"index":0,"delta":{"content":"one two "}}]})"
                      "\n\n";
  while (flood.size() < (std::size_t{20} << 20U)) {
    flood += ": keep-alive\n\n";
  }
  first.reply(Reply::page(200, "text/event-stream", std::move(flood)));
  const auto configured = std::string(speaks_chat) + R"(
[[fallback_providers]]
provider = "second"
model = "spare"
[providers.second]
protocol = "openai_chat"
base_url = "http://second.test:8002/v1"
)";
  world.serve(world.config(configured), [&](HttpClient& http) -> awaitable<void> {
    Path whole = paths()[0];
    whole.body = R"({"model":"any","messages":[{"role":"user","content":"Is it full?"}]})";
    const auto got = co_await post(http, whole);
    CHECK(got.status == 200);
    CHECK(got.has(ten));
  });
  CHECK(second.requests() == 1);
}
