// Headers and credentials of clients, through the gateway to the provider that they are for, and back.
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

const char* const claude_then_gpt = R"(
[model]
provider = "anthropic"
default = "claude-opus-5-5"
[[fallback_providers]]
provider = "openai"
model = "gpt-5.5"
[providers.anthropic]
base_url = "http://lead.test:8001"
CREDENTIALS
[providers.openai]
protocol = "openai_responses"
base_url = "http://understudy.test:8002/v1"
credentials = [{ value = "the understudy's own" }]
)";

std::string with_credentials(const std::string& line, const std::string& server = {}) {
  std::string text = claude_then_gpt;
  const std::string mark = "CREDENTIALS";
  text.replace(text.find(mark), mark.size(), line);
  return text + server;
}

HttpRequest claude_code(const char* credential_header, const std::string& credential) {
  HttpRequest request("POST", "/v1/messages?beta=true");
  request.with_header("content-type", "application/json")
      .with_header("anthropic-version", "2024-01-01")
      .with_header("X-Claude-Code-Session-Id", "session-1")
      .with_header("user-agent", "claude-cli/2.1.332")
      .with_header("x-other", "secret thing")
      .with_header(credential_header, credential)
      .with_body(paths()[1].body);
  return request;
}

std::string header(const FaultServer& server, std::size_t request, const char* name) {
  std::size_t at = 0;
  for (const auto& connection : server.connections()) {
    for (const auto& one : connection.requests) {
      if (at++ == request) {
        return std::string(one.head.headers.find(name).value_or("none"));
      }
    }
  }
  return "no request";
}

Reply with_headers(Reply reply) {
  return reply.with_header("anthropic-ratelimit-unified-status", "allowed")
      .with_header("request-id", "req_provider")
      .with_header("x-secret-of-the-host", "1");
}

}  // namespace

TEST_CASE(
    "Claude Code's headers reach Anthropic, its quota headers come back; a GPT fallback gets "
    "none") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(with_headers(Reply::answer()));
  lead.reply(Reply::status(529, "overloaded"));
  world.serve(world.config(with_credentials("credentials = [{ value = \"key\" }]")),
              [&](HttpClient& http) -> awaitable<void> {
                const auto got = co_await send(http, claude_code("x-api-key", "client's"));
                CHECK(got.status == 200);
                CHECK(got.header("anthropic-ratelimit-unified-status") == "allowed");
                CHECK(got.header("x-secret-of-the-host") == "none");
                CHECK(got.header("x-understudy-provider-request-id") == "req_provider");
                CHECK(got.header("request-id").starts_with("req_"));
                CHECK(got.header("request-id") != "req_provider");
                co_await send(http, claude_code("x-api-key", "client's"));
              });
  CHECK(header(lead, 0, "anthropic-version") == "2024-01-01");
  CHECK(header(lead, 0, "x-claude-code-session-id") == "session-1");
  CHECK(header(lead, 0, "user-agent") == "claude-cli/2.1.332");
  CHECK(header(lead, 0, "x-other") == "none");
  CHECK(header(lead, 0, "x-api-key") == "key");
  CHECK(header(understudy, 0, "authorization") == "Bearer the understudy's own");
  for (const auto* name :
       {"anthropic-version", "x-claude-code-session-id", "user-agent", "x-api-key"}) {
    CAPTURE(name);
    CHECK(header(understudy, 0, name) == "none");
  }
}

TEST_CASE("the client's own credential goes to the provider that takes it, and to no other") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer()).reply(Reply::answer()).reply(Reply::status(529, "overloaded"));
  world.serve(world.config(with_credentials("credentials = [{ client = true }]")),
              [&](HttpClient& http) -> awaitable<void> {
                co_await send(http, claude_code("x-api-key", "sk-ant-api03-own"));
                co_await send(http, claude_code("authorization", "Bearer sk-ant-oat01-own"));
                const auto rescued =
                    co_await send(http, claude_code("x-api-key", "sk-ant-api03-own"));
                CHECK(rescued.header("x-understudy-member") == "openai/gpt-5.5");
                CHECK_FALSE(rescued.has("sk-ant"));
                // A client of OpenAI's protocol has a credential of another maker.
                Path chat = paths()[0];
                HttpRequest request("POST", chat.path);
                request.with_header("content-type", "application/json")
                    .with_header("authorization", "Bearer sk-openai")
                    .with_body(chat.body);
                const auto other = co_await send(http, std::move(request));
                CHECK(other.header("x-understudy-member") == "openai/gpt-5.5");
              });
  CHECK(header(lead, 0, "x-api-key") == "sk-ant-api03-own");
  CHECK(header(lead, 0, "authorization") == "none");
  CHECK(header(lead, 1, "authorization") == "Bearer sk-ant-oat01-own");
  CHECK(header(lead, 1, "x-api-key") == "none");
  CHECK(header(lead, 1, "anthropic-beta").find("oauth-2025-04-20") != std::string::npos);
  CHECK(lead.requests() == 3);
  CHECK(understudy.requests() == 2);
  CHECK(header(understudy, 0, "authorization") == "Bearer the understudy's own");
  CHECK(header(understudy, 1, "authorization") == "Bearer the understudy's own");
}

TEST_CASE("a client whose own credential has expired hears of it, so that it renews it") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::status(401, "expired sk-ant-oat01-old")).reply(Reply::answer());
  world.serve(world.config(with_credentials("credentials = [{ client = true }]")),
              [&](HttpClient& http) -> awaitable<void> {
                const auto refused =
                    co_await send(http, claude_code("authorization", "Bearer sk-ant-oat01-old"));
                CHECK(refused.status == 401);
                CHECK_FALSE(refused.has("sk-ant-oat01-old"));
                const auto renewed =
                    co_await send(http, claude_code("authorization", "Bearer sk-ant-oat01-new"));
                CHECK(renewed.status == 200);
                CHECK(renewed.header("x-understudy-member") == "anthropic/claude-opus-5-5");
                const auto shown = co_await get(http, "/status");
                CHECK_FALSE(shown.has("sk-ant-oat01"));
              });
  CHECK(understudy.requests() == 0);
}

TEST_CASE("with keys of its own, the gateway's key comes beside the client's credential") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  const auto configured = with_credentials("credentials = [{ client = true }]",
                                           "[server]\nkeys = [\"a key of the gateway\"]\n");
  world.serve(world.config(configured), [&](HttpClient& http) -> awaitable<void> {
    const auto without = co_await send(http, claude_code("x-api-key", "sk-ant-api03-own"));
    CHECK(without.status == 401);
    auto request = claude_code("x-api-key", "sk-ant-api03-own");
    request.with_header("x-understudy-key", "a key of the gateway");
    const auto both = co_await send(http, std::move(request));
    CHECK(both.status == 200);
    // The gateway's key alone is not a credential for a provider.
    const auto key = co_await send(http, claude_code("x-api-key", "a key of the gateway"));
    CHECK(key.header("x-understudy-member") == "openai/gpt-5.5");
  });
  CHECK(lead.requests() == 1);
  CHECK(header(lead, 0, "x-api-key") == "sk-ant-api03-own");
  CHECK(header(lead, 0, "x-understudy-key") == "none");
}
