#include "understudy/testing/strict_server.hpp"

#include "testing/stage.hpp"
#include "testing/strict_requests.hpp"

namespace strict_server_tests {

using namespace stage;
using strict_requests::request;

namespace {

HttpRequest to(const StrictBackend& backend, std::string_view extra = {}) {
  HttpRequest sent("POST", "/base" + std::string(backend.path()));
  sent.with_header("authorization", "Bearer key-1")
      .with_header("anthropic-version", "2023-06-01")
      .with_header("chatgpt-account-id", "account-1")
      .with_header("content-type", "application/json")
      .with_body(request(backend, extra));
  return sent;
}

/// Sends the requests one after the other.
std::vector<Outcome> ask_all(StrictServer& server, const std::vector<HttpRequest>& requests) {
  World world;
  std::vector<Outcome> outcomes;
  const auto acceptor = world.network->listen(80);
  const auto call = [&]() -> awaitable<void> {
    for (const auto& one : requests) {
      outcomes.push_back(co_await stage::one(world.client, one));
    }
  };
  const auto both = [&]() -> awaitable<void> { co_await race(server.serve(*acceptor), call()); };
  world.time.run(world.context, both());
  return outcomes;
}

}  // namespace

TEST_CASE("strict server: it refuses and answers as its back end, and records both") {
  const auto& backend = StrictBackends::embedded().backend("codex");
  StrictServer server(backend);
  auto anonymous = HttpRequest("POST", "/responses");
  anonymous.with_body(request(backend));
  const auto got = ask_all(server, {to(backend, R"("temperature":1)"), to(backend), anonymous});
  REQUIRE(got.size() == 3);
  CHECK(got[0].status == 400);
  CHECK(got[0].body == R"({"detail":"Unsupported parameter: temperature"})");
  CHECK(got[1].status == 200);
  CHECK(read(Protocol::openai_responses, got[1].body).answer.text() ==
        "This is an answer of the strict double of codex.");
  CHECK(got[2].status == 401);
  REQUIRE(server.exchanges().size() == 3);
  CHECK(server.exchanges()[0].refusal->rule_id == "cx.top");
  CHECK(!server.exchanges()[1].refusal);
  CHECK(server.exchanges()[1].body == request(backend));
  CHECK(server.exchanges()[1].head.target == "/base/responses");
  CHECK(server.server().connections()[0].requests[0].body.empty());
}

TEST_CASE("strict server: every back end is served, streamed and whole") {
  for (const auto id : StrictBackends::embedded().ids()) {
    CAPTURE(id);
    const auto& backend = StrictBackends::embedded().backend(id);
    StrictServer server(backend, StrictServerOptions().with_strictness(Strictness::everything));
    auto sent = to(backend, R"("stream":true)");
    if (id == "vertex-anthropic") {
      sent.target = "/v1/projects/p/models/claude-opus-5-5:streamRawPredict";
    }
    const auto got = ask_all(server, {sent});
    CHECK(got[0].status == 200);
    const auto protocol = backend.protocol() == "anthropic_messages" ? Protocol::anthropic_messages
                          : backend.protocol() == "openai_chat"      ? Protocol::openai_chat
                                                                     : Protocol::openai_responses;
    const auto answer = read(protocol, got[0].body);
    CHECK(answer.ending == Ending::complete);
    CHECK(answer.answer.text().find(std::string(id)) != std::string::npos);
    CHECK(answer.undecodable == 0);
  }
}

TEST_CASE("strict server: warnings, ignored rules, faults, bounded records") {
  const auto& backend = StrictBackends::embedded().backend("anthropic");
  StrictServerOptions options;
  options.without_rule("a.top").with_credentials_required(false).with_max_exchanges(2);
  options.with_edit([](const StrictExchange& exchange, Reply& reply) {
    if (exchange.body.find("cut me") != std::string::npos) {
      reply.after(3, Fault::close());
    }
  });
  StrictServer server(backend, options);
  const auto got =
      ask_all(server, {to(backend), to(backend, R"("new_member":1)"),
                       to(backend, R"("stream":true,"metadata":{"user_id":"cut me"})")});
  CHECK(got[0].status == 200);
  CHECK(got[1].status == 200);
  CHECK(got[2].code == NetFault::truncated);
  REQUIRE(server.exchanges().size() == 2);
  REQUIRE(server.exchanges()[0].warnings.size() == 1);
  CHECK(server.exchanges()[0].warnings[0].rule_id == "a.top");
}

TEST_CASE("strict server: other requests") {
  const auto& backend = StrictBackends::embedded().backend("codex");
  StrictServer server(backend);
  auto upgrade = HttpRequest("GET", "/responses");
  upgrade.with_header("upgrade", "websocket");
  const auto got =
      ask_all(server, {HttpRequest("GET", "/"), HttpRequest("GET", "/v1/models?limit=1"), upgrade,
                       HttpRequest("POST", "/v1/elsewhere")});
  CHECK(got[0].status == 200);
  CHECK(got[1].body.find("gpt-5.6-sol") != std::string::npos);
  CHECK(got[2].status == 426);
  CHECK(got[3].status == 404);
  CHECK(got[3].body == R"({"detail":"Not found: /v1/elsewhere"})");
}

}  // namespace strict_server_tests
