#include "../../lib/gateway/client_exchange.hpp"

#include "gateway_world.hpp"

using namespace gateway_test;

TEST_CASE("every answer has an id: the client's own, if that has only harmless characters") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto with = [&](const Path& path, const char* id) -> awaitable<Got> {
      HttpRequest request("POST", path.path);
      request.with_header("x-request-id", id)
          .with_header("content-type", "application/json")
          .with_body(path.body);
      co_return co_await send(http, std::move(request));
    };
    const auto own = co_await with(paths()[0], "trace-7.a_B");
    CHECK(own.header("x-request-id") == "trace-7.a_B");
    CHECK(own.header("request-id") == "none");
    const auto odd = co_await with(paths()[1], "two words");
    CHECK(odd.header("x-request-id").starts_with("req_"));
    CHECK(odd.header("request-id") == odd.header("x-request-id"));
    const auto refused = co_await get(http, "/nothing");
    CHECK(refused.header("x-request-id").starts_with("req_"));
  });
}
