// Routes by pattern, and chains that pass the client's model through.
#include "gateway_world.hpp"
#include "understudy/llm/codec.hpp"

using namespace gateway_test;

namespace {

const char* const by_pattern = R"(
[model]
provider = "first"
default = "*"
[[fallback_providers]]
provider = "second"
model = "spare"
[[routes]]
model = "claude-haiku-*"
chain = [{ provider = "second", model = "*" }]
[[routes]]
model = "claude-haiku-4-5"
chain = [{ provider = "second", model = "exact" }]
[providers.first]
protocol = "openai_chat"
base_url = "http://first.test:8001/v1"
[providers.second]
protocol = "openai_chat"
base_url = "http://second.test:8002/v1"
)";

awaitable<Got> ask(HttpClient& http, const std::string& model) {
  HttpRequest request("POST", "/v1/chat/completions");
  request.with_header("content-type", "application/json")
      .with_body(R"({"model":")" + model +
                 R"(","stream":true,"messages":[{"role":"user","content":"Is it full?"}]})");
  co_return co_await send(http, std::move(request));
}

/// The models that a provider was asked for, in order.
std::vector<std::string> asked(const FaultServer& server) {
  std::vector<std::string> models;
  for (const auto& connection : server.connections()) {
    for (const auto& request : connection.requests) {
      models.push_back(member_text(request.body, "model").value_or("none"));
    }
  }
  return models;
}

}  // namespace

TEST_CASE(
    "a request takes the route of its name, a route by pattern, or the main chain with its model") {
  GatewayWorld world;
  auto& first = world.add();
  auto& second = world.add();
  world.serve(world.config(by_pattern), [&](HttpClient& http) -> awaitable<void> {
    for (const auto* model : {"gpt-5.5", "claude-haiku-4-5", "claude-haiku-3", "my/own:model"}) {
      CAPTURE(model);
      const auto got = co_await ask(http, model);
      CHECK(got.status == 200);
    }
  });
  CHECK(asked(first) == std::vector<std::string>{"gpt-5.5", "my/own:model"});
  CHECK(asked(second) == std::vector<std::string>{"exact", "claude-haiku-3"});
}

TEST_CASE(
    "a model that a provider does not have is asked of the next member, and hides no other model") {
  GatewayWorld world;
  auto& first = world.add();
  auto& second = world.add();
  first.reply_to("gpt-0", Reply::status(404, "The model `gpt-0` does not exist"));
  world.serve(world.config(by_pattern), [&](HttpClient& http) -> awaitable<void> {
    const auto unknown = co_await ask(http, "gpt-0");
    CHECK(unknown.header("x-understudy-member") == "second/spare");
    const auto known = co_await ask(http, "gpt-5.5");
    CHECK(known.header("x-understudy-member") == "first/*");
    CHECK(known.header("x-understudy-attempts") == "1");
  });
  CHECK(asked(first) == std::vector<std::string>{"gpt-0", "gpt-5.5"});
  CHECK(asked(second) == std::vector<std::string>{"spare"});
}

TEST_CASE("a stalled member rests for all models that it passes through") {
  GatewayWorld world;
  auto& first = world.add();
  world.add();
  first.reply(Reply::answer().before_head(Fault::silence()));
  world.serve(world.config(by_pattern), [&](HttpClient& http) -> awaitable<void> {
    const auto rescued = co_await ask(http, "gpt-5.5");
    CHECK(rescued.status == 200);
    const auto next = co_await ask(http, "gpt-5.4");
    CHECK(next.header("x-understudy-member") == "second/spare");
  });
  CHECK(asked(first) == std::vector<std::string>{"gpt-5.5"});
}

TEST_CASE("model lists name no patterns") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(by_pattern), [&](HttpClient& http) -> awaitable<void> {
    const auto list = co_await get(http, "/v1/models");
    CHECK(list.has("\"claude-haiku-4-5\""));
    CHECK_FALSE(list.has("*"));
  });
}

TEST_CASE("a slash at the end, and a version too few or too many") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(by_pattern), [&](HttpClient& http) -> awaitable<void> {
    for (const auto* target : {"/", "/v1/models/", "/models", "/status/"}) {
      CAPTURE(target);
      const auto status = co_await status_at(http, target);
      CHECK(status == 200);
    }
    for (const auto* target : {"/chat/completions", "/v1/v1/chat/completions/"}) {
      CAPTURE(target);
      Path path = paths()[0];
      path.path = target;
      const auto got = co_await post(http, path);
      CHECK(got.status == 200);
    }
  });
}
