#include "../../lib/gateway/listings.hpp"

#include <cstring>

#include "gateway_world.hpp"

using namespace gateway_test;

TEST_CASE("models, and what is refused") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto config = world.config(report_file + R"(
[[routes]]
model = "quick"
chain = [{ provider = "openai-codex", model = "gpt-5.5-mini" }]
[[routes]]
model = "maker/quick 2"
chain = [{ provider = "openai-codex", model = "gpt-5.5-mini" }]
[server]
max_body = "1KiB"
)");
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    const auto models = co_await get(http, "/v1/models");
    CHECK(models.body.starts_with(R"({"object":"list","data":[{"id":"claude-opus-4-7",)"));
    CHECK(models.has(R"("id":"quick")"));
    CHECK(co_await status_at(http, "/v1/models/quick") == 200);
    CHECK(co_await status_at(http, "/v1/models/slow") == 404);
    const auto encoded = co_await get(http, "/v1/models/maker%2fquick%202");
    CHECK(encoded.status == 200);
    CHECK(encoded.has(R"("id":"maker/quick 2")"));
    CHECK(co_await status_at(http, "/v1/models/maker%2") == 404);
    CHECK(co_await status_at(http, "/readyz") == 200);
    CHECK(co_await status_at(http, "/v2/anything") == 404);
    CHECK(co_await status_at(http, "/v1/messages") == 405);
    for (const auto& path : paths()) {
      const Path cut_short{path.protocol, path.path, "{\"model\":"};
      const auto malformed = co_await post(http, cut_short);
      CHECK(malformed.status == 400);
      CHECK(malformed.has("error"));
      const std::string large(2000, ' ');
      const Path too_large{path.protocol, path.path, large.c_str()};
      const auto refused = co_await post(http, too_large);
      CHECK(refused.status == 413);
    }
  });
}

TEST_CASE("status: chains, credentials by label, what rests and why, and the last calls") {
  GatewayWorld world;
  world.add().reply(Reply::status(401, "invalid x-api-key", "authentication_error"));
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    co_await post(http, paths()[1]);
    const auto status = co_await get(http, "/status");
    CAPTURE(status.body);
    CHECK(status.header("content-type") == "application/json");
    CHECK(status.has(
        R"("chains":[{"members":["anthropic/claude-opus-4-7","openai-codex/gpt-5.5"]}])"));
    CHECK(status.has(
        R"("credentials":["anthropic/ANTHROPIC_API_KEY","openai-codex/OPENAI_API_KEY"])"));
    CHECK(status.has(R"("key":"credential anthropic/ANTHROPIC_API_KEY","reason":"auth")"));
    CHECK(status.has(R"("path":"/v1/messages","status":200,"broke":false)"));
    CHECK_FALSE(status.has("'s key"));
  });
}

TEST_CASE("status keeps the last calls alone") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    for (std::size_t i = 0; i < understudy::gateway::Records::most_recent + 5; ++i) {
      co_await post(http, paths()[0]);
    }
    const auto status = co_await get(http, "/status");
    std::size_t calls = 0;
    for (auto at = status.body.find("\"report\":"); at != std::string::npos;
         at = status.body.find("\"report\":", at + 1)) {
      ++calls;
    }
    CHECK(calls == understudy::gateway::Records::most_recent);
  });
}

TEST_CASE("metrics: requests, attempts, failovers and what rests, in Prometheus' text format") {
  GatewayWorld world;
  world.add().reply(Reply::answer().after(1, Fault::silence(10s)));
  world.add().reply(Reply::answer().dripping(10ms));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    co_await post(http, paths()[0]);
    const auto metrics = co_await get(http, "/metrics");
    if (metrics.status == 404) {
      CHECK(metrics.has("built without prometheus-cpp"));
      co_return;
    }
    CHECK(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    const auto counts = [&](const std::string& line) { CHECK_MESSAGE(metrics.has(line), line); };
    counts("understudy_requests_total{protocol=\"openai_chat\",status=\"200\"} 1");
    counts(
        R"(understudy_attempts_total{kind="plain",member="anthropic/claude-opus-4-7",outcome="timeout"} 1)");
    counts(
        R"(understudy_attempts_total{kind="plain",member="openai-codex/gpt-5.5",outcome="answered"} 1)");
    counts(R"(understudy_failovers_total{member="anthropic/claude-opus-4-7",reason="timeout"} 1)");
    counts(R"(understudy_stall_kills_total{clock="progress",phase="first_progress"} 1)");
    counts(R"(understudy_first_progress_seconds_count{member="openai-codex/gpt-5.5"} 1)");
    counts(R"(understudy_cooldowns{reason="timeout"} 1)");
    counts(R"(understudy_stall_kill_lateness_seconds_count 1)");
    counts(R"(understudy_progress_gap_seconds_count{member="openai-codex/gpt-5.5"} 1)");
    counts(R"(understudy_retry_budget{provider="anthropic"} 10)");
    counts("understudy_requests_in_flight 0");
    counts("# TYPE understudy_bytes_after_cancel_total counter");
    const auto counted = [&](const char* name) {
      return std::stoul(metrics.body.substr(metrics.body.find(name) + std::strlen(name)));
    };
    // The lead's heartbeats, every 10 s: one had come, and nobody read it, or none.
    CHECK(counted("\nunderstudy_bytes_after_cancel_total ") < 100);
    CHECK_FALSE(metrics.has("any"));  // the model that the client has asked for
  });
}
