#include "../../lib/gateway/listings.hpp"

#include "gateway_world.hpp"
#include "understudy/llm/codec.hpp"

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

TEST_CASE("Claude Code's picker shows every model, and one that is picked gets its route") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  const auto config = world.config(report_file + R"(
[[routes]]
model = "kimi-k2"
chain = [{ provider = "anthropic", model = "claude-haiku-4-5" }]
)");
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    const auto ask = [&](std::string method, std::string target,
                         std::string body = {}) -> awaitable<Got> {
      HttpRequest request(std::move(method), std::move(target));
      request.with_header("anthropic-version", "2023-06-01")
          .with_header("user-agent", "claude-code/2.1.332")
          .with_header("content-type", "application/json")
          .with_body(std::move(body));
      co_return co_await send(http, std::move(request));
    };
    const auto list = co_await ask("GET", "/v1/models?limit=1000");
    CHECK(list.has(R"("id":"claude-opus-4-7")"));
    CHECK(list.has(R"("id":"anthropic/kimi-k2","type":"model","display_name":"kimi-k2")"));
    CHECK(list.has(R"("has_more":false)"));
    for (const auto* name : {"anthropic%2Fkimi-k2", "anthropic/kimi-k2", "kimi-k2"}) {
      CAPTURE(name);
      const auto one = co_await ask("GET", std::string("/v1/models/") + name);
      CHECK(one.status == 200);
    }
    const auto absent = co_await ask("GET", "/v1/models/anthropic/other");
    CHECK(absent.status == 404);
    for (const auto* path : {"/v1/messages", "/v1/messages/count_tokens"}) {
      CAPTURE(path);
      const auto answered = co_await ask(
          "POST", path,
          R"({"model":"anthropic/kimi-k2","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]})");
      CHECK(answered.header("x-understudy-member") == "anthropic/claude-haiku-4-5");
    }
  });
  for (const auto& request : lead.connections().at(0).requests) {
    CHECK(member_text(request.body, "model") == "claude-haiku-4-5");
  }
}

TEST_CASE("Codex reads `models` of the list, and keeps its own if that is empty") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto codex = co_await get(http, "/v1/models?client_version=0.156.0");
    CHECK(codex.body.ends_with(R"(],"models":[]})"));
    CHECK(understudy::llm::member_text(codex.body, "object") == "list");
    const auto other = co_await get(http, "/v1/models");
    CHECK_FALSE(other.has("\"models\""));
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
