// What clients see of quotas, and of credentials that few calls may use at once.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "gateway_world.hpp"

using namespace gateway_test;
using namespace boost::asio::experimental::awaitable_operators;

namespace {

/// An answer with which Anthropic says how much of the 5 hours' window is used.
Reply with_used(const std::string& share) {
  const auto in_an_hour = std::chrono::system_clock::now() + 1h;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(in_an_hour).time_since_epoch();
  return Reply::answer(ten)
      .with_header("anthropic-ratelimit-unified-5h-utilization", share)
      .with_header("anthropic-ratelimit-unified-5h-reset", std::to_string(seconds.count()));
}

const char* const own_credentials = R"(
[model]
provider = "anthropic"
default = "claude-opus-4-7"
[[fallback_providers]]
provider = "spare"
model = "gpt-5.5"
[providers.anthropic]
base_url = "http://lead.test:8001"
credentials = [{ client = true }]
[providers.spare]
protocol = "openai_responses"
base_url = "http://understudy.test:8002/v1"
)";

awaitable<Got> as(HttpClient& http, const std::string& key) {
  HttpRequest request("POST", paths()[1].path);
  request.with_header("content-type", "application/json")
      .with_header("x-api-key", key)
      .with_body(paths()[1].body);
  co_return co_await send(http, std::move(request));
}

constexpr auto lead = "anthropic/claude-opus-4-7";
constexpr auto understudy_name = "openai-codex/gpt-5.5";

}  // namespace

TEST_CASE("a window that is about to end: the next member is asked before the first one refuses") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(with_used("0.5")).reply(with_used("0.99")).reply(with_used("0.1"));
    world.add();
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      for (const auto* member : {lead, lead, understudy_name}) {
        const auto got = co_await post(http, path);
        CHECK(got.header("x-understudy-member") == member);
      }
      const auto status = co_await get(http, "/status");
      CHECK(status.has("passed over anthropic/claude-opus-4-7: its quota is about to run out"));
      CHECK(status.has(
          R"("quotas":[{"credential":"anthropic/ANTHROPIC_API_KEY","window":"5h","left":0.01)"));
      co_await sleep_for(Quotas::longest_statement);
      const auto later = co_await post(http, path);
      CHECK(later.header("x-understudy-member") == lead);
    });
  }
}

TEST_CASE("the quota of one client's own credential says nothing of another's") {
  GatewayWorld world;
  world.add().reply(with_used("1")).reply(with_used("0"));
  world.add();
  const auto configured = world.config(own_credentials);
  world.serve(configured, [&](HttpClient& http) -> awaitable<void> {
    const auto first = co_await as(http, "sk-ant-api03-ann");
    CHECK(first.header("x-understudy-member") == lead);
    const auto low = co_await as(http, "sk-ant-api03-ann");
    CHECK(low.header("x-understudy-member") == "spare/gpt-5.5");
    const auto another = co_await as(http, "sk-ant-api03-bob");
    CHECK(another.header("x-understudy-member") == lead);
    const auto status = co_await get(http, "/status");
    CHECK(status.has(R"("quotas":[])"));  // clients are not listed
  });
}

TEST_CASE("other endpoints count as well: tokens that are counted") {
  GatewayWorld world;
  world.add().reply(with_used("1"));
  world.add();
  world.serve(world.config(own_credentials), [&](HttpClient& http) -> awaitable<void> {
    HttpRequest count("POST", "/v1/messages/count_tokens");
    count.with_header("content-type", "application/json")
        .with_header("anthropic-version", "2023-06-01")
        .with_header("x-api-key", "sk-ant-api03-ann")
        .with_body(R"({"model":"any","messages":[{"role":"user","content":"Hi"}]})");
    const auto counted = co_await send(http, std::move(count));
    CHECK(counted.status == 200);
    const auto low = co_await as(http, "sk-ant-api03-ann");
    CHECK(low.header("x-understudy-member") == "spare/gpt-5.5");
  });
}

TEST_CASE("a plan that allows one call: the second waits until the first one's stream has ended") {
  GatewayWorld world;
  auto& only = world.add();
  only.reply(Reply::answer(ten).dripping(1s));
  world.add();
  world.serve(world.config("[credentials]\nmax_concurrent = 1\n" + report_file),
              [&](HttpClient& http) -> awaitable<void> {
                const auto began = Clock::now();
                const auto [first, second] =
                    co_await (post(http, paths()[1]) && post(http, paths()[1]));
                for (const auto& got : {first, second}) {
                  CHECK(read(got, Protocol::anthropic_messages).ending == Ending::complete);
                  CHECK(got.header("x-understudy-member") == lead);
                }
                CHECK(second.head_after >= 10s);
                CHECK(Clock::now() - began >= 20s);
              });
  CHECK(only.requests() == 2);
}

TEST_CASE("a queue that takes too long: the next member answers, and the report says why") {
  GatewayWorld world;
  world.add().reply(Reply::answer(ten).dripping(5s));
  world.add();
  const auto configured =
      world.config("[credentials]\nmax_concurrent = 100\nqueue_time = \"2s\"\n" + report_file +
                   "[providers.anthropic.stall]\nstale = \"60s\"\n");
  auto limited = configured;
  limited.providers.at("anthropic").max_concurrent = 1;
  world.serve(limited, [&](HttpClient& http) -> awaitable<void> {
    const auto [first, second] = co_await (post(http, paths()[1]) && post(http, paths()[1]));
    CHECK(first.header("x-understudy-member") == lead);
    CHECK(second.header("x-understudy-member") == understudy_name);
    const auto status = co_await get(http, "/status");
    CHECK(status.has("passed over anthropic/claude-opus-4-7: its credentials are all in use"));
    CHECK(status.has(R"("marks":[])"));
  });
}

TEST_CASE("a client that leaves while it waits for a credential frees its place") {
  GatewayWorld world;
  auto& only = world.add();
  only.reply(Reply::answer(ten).dripping(1s));
  world.add();
  world.serve(world.config("[credentials]\nmax_concurrent = 1\n" + report_file),
              [&](HttpClient& http) -> awaitable<void> {
                auto impatient = [&]() -> awaitable<void> {
                  co_await (sleep_for(3s) || post(http, paths()[1]));
                };
                co_await (post(http, paths()[1]) && impatient());
                co_await post(http, paths()[1]);
                const auto pool = world.state->credentials("anthropic");
                CHECK(pool->slots().load(0).in_use == 0);
                CHECK(pool->slots().load(0).queued == 0);
              });
  CHECK(only.requests() == 2);
}
