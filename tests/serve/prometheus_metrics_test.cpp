#include "../../tools/understudy/serve/prometheus_metrics.hpp"

#include <cstring>

#include "../gateway/gateway_world.hpp"

using namespace gateway_test;
using understudy::tool::PrometheusMetrics;

TEST_CASE("how long the certificate is still good for, where there is one") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto metrics = std::make_shared<PrometheusMetrics>();
  world.records = std::make_shared<Records>(RecordsOptions().with_metrics(metrics));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto without = co_await get(http, "/metrics");
    CHECK_FALSE(without.has("understudy_certificate_expiry_seconds"));
    const auto today = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    metrics->certificate_expires(today + 1000s);
    const auto with = co_await get(http, "/metrics");
    CHECK((with.status == 404 || with.has("\nunderstudy_certificate_expiry_seconds 99")));
    metrics->certificate_expires(today - 1000s);
    const auto over = co_await get(http, "/metrics");
    CHECK((over.status == 404 || over.has("\nunderstudy_certificate_expiry_seconds -100")));
    metrics->certificate_expires(std::nullopt);
    const auto gone = co_await get(http, "/metrics");
    CHECK_FALSE(gone.has("understudy_certificate_expiry_seconds"));
  });
}

TEST_CASE("metrics: requests, attempts, failovers and what rests, in Prometheus' text format") {
  GatewayWorld world;
  world.records = std::make_shared<Records>(
      RecordsOptions().with_metrics(std::make_shared<PrometheusMetrics>()));
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

TEST_CASE("metrics of a quota that is about to run out, and of a credential with a limit") {
  GatewayWorld world;
  world.records = std::make_shared<Records>(
      RecordsOptions().with_metrics(std::make_shared<PrometheusMetrics>()));
  world.add().reply(Reply::answer()
                        .with_header("x-ratelimit-limit-requests", "100")
                        .with_header("x-ratelimit-remaining-requests", "1")
                        .with_header("x-ratelimit-reset-requests", "24h0m0s"));
  world.add();
  const auto configured = world.config(std::string("[credentials]\nmax_concurrent = 3\n") +
                                       "[[fallback_providers]]\nprovider = \"second\"\n"
                                       "model = \"spare\"\n" +
                                       speaks_chat +
                                       "credentials = [{ value = \"a key\" }]\n"
                                       "[providers.second]\nprotocol = \"openai_chat\"\n"
                                       "base_url = \"http://second.test:8002/v1\"\n");
  world.serve(configured, [&](HttpClient& http) -> awaitable<void> {
    co_await post(http, paths()[0]);
    co_await post(http, paths()[0]);
    const auto metrics = co_await get(http, "/metrics");
    const auto counts = [&](const std::string& line) {
      CHECK_MESSAGE((metrics.status == 404 || metrics.has(line)), line);
    };
    counts(R"(understudy_passed_over_total{because="quota",member="first/big"} 1)");
    counts(
        R"(understudy_quota_left{credential="first/value 1",model="big",window="requests"} 0.01)");
    counts(R"(understudy_credential_calls{credential="first/value 1",state="in_use"} 0)");
    counts(R"(understudy_credential_calls{credential="first/value 1",state="queued"} 0)");
  });
}
