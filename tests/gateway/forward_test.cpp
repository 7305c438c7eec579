// What the gateway does not read: count_tokens and embeddings.
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

awaitable<Got> ask(HttpClient& http, const char* target, const char* body) {
  HttpRequest request("POST", target);
  request.with_header("content-type", "application/json").with_body(body);
  co_return co_await send(http, std::move(request));
}

Reply json(std::string body) { return Reply::page(200, "application/json", std::move(body)); }

const char* const two_speaking_openai = R"(
[model]
provider = "first"
default = "big"
[[fallback_providers]]
provider = "second"
model = "bigger"
[[routes]]
model = "embed"
chain = [{ provider = "first", model = "embed-1" }, { provider = "second", model = "embed-2" }]
[providers.first]
protocol = "openai_chat"
base_url = "http://first.test:8001/v1"
[providers.second]
protocol = "openai_responses"
base_url = "http://second.test:8002/v1"
)";

}  // namespace

TEST_CASE(
    "count_tokens goes to the first member that speaks Anthropic's protocol, with its model") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply_to("/v1/messages/count_tokens", json(R"({"input_tokens":14})"));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await ask(http, "/v1/messages/count_tokens",
                                  R"({"model":"any","messages":[],"unknown":[1,2]})");
    CHECK(got.status == 200);
    CHECK(got.body == R"({"input_tokens":14})");
    CHECK(got.header("x-understudy-member") == "anthropic/claude-opus-4-7");
    const auto& seen = lead.connections()[0].requests[0];
    CHECK(seen.body == R"({"model":"claude-opus-4-7","messages":[],"unknown":[1,2]})");
    CHECK(seen.head.headers.find("x-api-key") == "the lead's key");
    CHECK(seen.head.headers.find("anthropic-version").has_value());
    CHECK(understudy.requests() == 0);
  });
}

TEST_CASE("count_tokens without a member that speaks Anthropic's protocol: its 404") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(two_speaking_openai), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await ask(http, "/v1/messages/count_tokens", R"({"model":"any"})");
    CHECK(got.status == 404);
    CHECK(got.has(R"("type":"not_found_error")"));
    CHECK(got.has("no member"));
  });
}

TEST_CASE("embeddings: without a route the body's own model, with one the members'; and failover") {
  GatewayWorld world;
  auto& first = world.add();
  auto& second = world.add();
  first.reply_to("/v1/embeddings", json("[1]"))
      .reply_to("embed-1", Reply::status(503, "overloaded"));
  second.reply_to("embed-2", json("[2]"));
  world.serve(world.config(two_speaking_openai), [&](HttpClient& http) -> awaitable<void> {
    const auto own = co_await ask(http, "/v1/embeddings", R"({"input":"x","model":"te-3"})");
    CHECK(own.body == "[1]");
    CHECK(first.connections()[0].requests[0].body == R"({"input":"x","model":"te-3"})");
    const auto routed = co_await ask(http, "/v1/embeddings", R"({"model":"embed","input":"x"})");
    CHECK(routed.body == "[2]");
    CHECK(routed.header("x-understudy-attempts") == "2");
  });
}

TEST_CASE("a forwarded body must be a JSON object with a model") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    for (const char* const body : {"", "[]", "{\"model\":", R"({"input":"x"})", R"({"model":1})"}) {
      CAPTURE(body);
      const auto got = co_await ask(http, "/v1/messages/count_tokens", body);
      CHECK(got.status == 400);
      CHECK(got.has("invalid_request_error"));
    }
    const auto broken = co_await ask(http, "/v1/messages/count_tokens", R"({"model":"m",)");
    CHECK(broken.status == 400);
  });
}

TEST_CASE("a member without count_tokens is still asked for answers") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  for (int i = 0; i < 3; ++i) {
    lead.reply_to("/v1/messages/count_tokens", Reply::status(404, "no such page"));
  }
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto counted = co_await ask(http, "/v1/messages/count_tokens", R"({"model":"any"})");
    CHECK(counted.status >= 400);
    const auto got = co_await post(http, paths()[1]);
    CHECK(got.header("x-understudy-member") == "anthropic/claude-opus-4-7");
    CHECK(got.header("x-understudy-why").find("passed over") == std::string::npos);
  });
}

TEST_CASE("counting tokens does not make a stalled member healthy") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  lead.reply_to("/v1/messages/count_tokens", json(R"({"input_tokens":14})"));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto rescued = co_await post(http, paths()[1]);
    CHECK(rescued.has("gpt-5.5"));
    const auto counted = co_await ask(http, "/v1/messages/count_tokens", R"({"model":"any"})");
    CHECK(counted.status == 200);
    const auto marks = world.state->state().health().marks(Clock::now());
    CHECK(std::any_of(marks.begin(), marks.end(),
                      [](const auto& mark) { return mark.reason == FailoverReason::timeout; }));
  });
}
