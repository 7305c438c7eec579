#include "../../lib/gateway/listings.hpp"

#include "gateway_world.hpp"

using namespace gateway_test;

TEST_CASE("models, and rejected requests") {
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

TEST_CASE("status: chains, credentials by label, cooldowns and their reasons, and the last calls") {
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

TEST_CASE("status keeps only the last calls") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    for (std::size_t i = 0; i < Records::most_recent + 5; ++i) {
      co_await post(http, paths()[0]);
    }
    const auto status = co_await get(http, "/status");
    std::size_t calls = 0;
    for (auto at = status.body.find("\"report\":"); at != std::string::npos;
         at = status.body.find("\"report\":", at + 1)) {
      ++calls;
    }
    CHECK(calls == Records::most_recent);
  });
}

namespace {

/// Metrics of an embedding program.
class OwnMetrics final : public understudy::gateway::Metrics {
 public:
  void call_ended(const understudy::gateway::CallRecord& record) override { last = record.status; }
  understudy::gateway::Exposition expose(const understudy::gateway::Gauges& gauges) const override {
    return "last " + std::to_string(last) + ", in flight " +
           std::to_string(gauges.calls_in_flight) + "\n";
  }

  unsigned last = 0;
};

}  // namespace

TEST_CASE("metrics: the text of the embedding program's own") {
  GatewayWorld world;
  world.records =
      std::make_shared<Records>(RecordsOptions().with_metrics(std::make_shared<OwnMetrics>()));
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    co_await post(http, paths()[0]);
    const auto metrics = co_await get(http, "/metrics");
    CHECK(metrics.status == 200);
    CHECK(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(metrics.body == "last 200, in flight 0\n");
  });
}

TEST_CASE("metrics: 404 where the embedding program has none") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto metrics = co_await get(http, "/metrics");
    CHECK(metrics.status == 404);
    CHECK(metrics.has("this gateway exports no metrics"));
  });
}
