#include "../../lib/gateway/admission.hpp"

#include "gateway_world.hpp"

using namespace gateway_test;

TEST_CASE("keys: only those in the configuration, as Bearer or x-api-key; health is open to all") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto config = world.config(report_file + "[server]\nkeys = [\"first\", \"second\"]\n");
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    const auto with = [&](const char* name, const char* value) -> awaitable<unsigned> {
      HttpRequest request("POST", paths()[0].path);
      request.with_header(name, value).with_body(paths()[0].body);
      const auto got = co_await send(http, std::move(request));
      co_return got.status;
    };
    CHECK(co_await with("authorization", "Bearer second") == 200);
    CHECK(co_await with("x-api-key", "first") == 200);
    CHECK(co_await with("x-api-key", "third") == 401);
    CHECK(co_await with("authorization", "second") == 401);
    CHECK(co_await with("authorization", "bearer second") == 200);
    CHECK(co_await with("authorization", "BEARER  second") == 200);
    CHECK(co_await with("authorization", "Basic second") == 401);
    CHECK(co_await with("authorization", "Bearer ") == 401);
    const auto with_both = [&](const char* bearer, const char* plain) -> awaitable<unsigned> {
      HttpRequest request("POST", paths()[0].path);
      request.with_header("authorization", bearer).with_header("x-api-key", plain);
      request.with_header("content-type", "application/json").with_body(paths()[0].body);
      const auto got = co_await send(http, std::move(request));
      co_return got.status;
    };
    CHECK(co_await with_both("Bearer an SDK's own", "first") == 200);
    CHECK(co_await with_both("Bearer second", "an SDK's own") == 200);
    CHECK(co_await with_both("Bearer neither", "nor") == 401);
    const auto without = co_await post(http, paths()[1]);
    CHECK(without.status == 401);
    CHECK(without.has("authentication_error"));
    CHECK(co_await status_at(http, "/v1/models") == 401);
    CHECK(co_await status_at(http, "/status") == 401);
    CHECK(co_await status_at(http, "/healthz") == 200);
  });
}

TEST_CASE(
    "Codex asks for a WebSocket where there is none: the error says at once to use HTTP, so that "
    "it "
    "does not try for 6 s") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file + "[server]\nwebsocket = false\n"),
              [&](HttpClient& http) -> awaitable<void> {
                HttpRequest request("GET", "/v1/responses");
                request.with_header("connection", "Upgrade").with_header("upgrade", "websocket");
                const auto got = co_await send(http, std::move(request));
                CHECK(got.status == 426);
                CHECK(got.has("use HTTP"));
                CHECK(co_await status_at(http, "/v1/responses") == 405);
              });
}

TEST_CASE("a coding that is not known, or too many: rejected by name, and no provider is asked") {
  for (const char* const coding : {"compress", "lz4", "identity, snappy", "gzip, br, zstd"}) {
    GatewayWorld world;
    auto& lead = world.add();
    world.add();
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      for (const auto& path : paths()) {
        HttpRequest request("POST", path.path);
        request.with_header("content-type", "application/json")
            .with_header("content-encoding", coding)
            .with_body("\x28\xb5\x2f\xfd");
        const auto got = co_await send(http, std::move(request));
        CHECK(got.status == 415);
        CHECK(got.has("`content-encoding: " + std::string(coding) + "`"));
        CHECK(got.has("zstd, br, gzip, deflate, identity"));
        CHECK(got.header("accept-encoding") == "zstd, br, gzip, deflate, identity");
      }
      CHECK(lead.requests() == 0);
    });
  }
}
