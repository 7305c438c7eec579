#include "../../tools/understudy/serve/gateway.hpp"

#include <doctest/doctest.h>

#include "../client/client_world.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/runtime/race.hpp"

using namespace client_test;
using understudy::tool::Gateway;
using understudy::tool::GatewayStop;

namespace {

const std::string ten = "one two three four five six seven eight nine ten";

struct Path {
  Protocol protocol;
  const char* path;
  const char* body;  // a question, to be streamed
};

const std::vector<Path>& paths() {
  static const std::vector<Path> all{
      {Protocol::openai_chat, "/v1/chat/completions",
       R"({"model":"any","stream":true,"messages":[{"role":"user","content":"Is it full?"}]})"},
      {Protocol::anthropic_messages, "/v1/messages",
       R"({"model":"any","stream":true,"max_tokens":99,"messages":[{"role":"user","content":"Is it full?"}]})"},
      {Protocol::openai_responses, "/v1/responses",
       R"({"model":"any","stream":true,"input":"Is it full?"})"},
  };
  return all;
}

/// What a client got.
struct Got {
  unsigned status = 0;
  HttpFields headers;
  std::string body;
  Clock::duration head_after{};
  bool broken = false;

  std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or("none"));
  }
  bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

/// A gateway before the providers of a ClientWorld.
class GatewayWorld : public ClientWorld {
 public:
  /// Runs `use(http)` against the gateway at gateway.test:9000.
  template <class Use>
  void serve(const Config& configured, Use use) {
    auto& port = acceptors.emplace_back(network->listen(9000));
    run(configured, [&](Client& client) -> awaitable<void> {
      Gateway gateway(configured, client, *state);
      HttpServer server(HttpServerOptions().with_max_body(configured.server.max_body),
                        [&](HttpExchange& exchange) { return gateway.answer(exchange); });
      auto body = [&](Scope& scope) -> awaitable<void> {
        auto listening = [&] { return server.serve(*port); };
        scope.spawn(std::move(listening));
        HttpClient http(co_await asio::this_coro::executor,
                        HttpClientOptions().with_dialer(network).with_resolver(
                            std::make_shared<testing::ScriptedResolver>()));
        co_await use(http);
        http.close();
        scope.cancel(StopReason::shutdown);
      };
      co_await with_scope(std::move(body));
    });
  }
};

awaitable<Got> send(HttpClient& http, HttpRequest request) {
  Got got;
  IgnoreIo nobody;
  const auto began = Clock::now();
  const Endpoint there(Scheme::http, "gateway.test", 9000);
  auto response = co_await http.send(there, request, nobody);
  REQUIRE(response.has_value());
  got.head_after = Clock::now() - began;
  got.status = response->status();
  got.headers = response->headers();
  const auto body = co_await response->read_all(1 << 20);
  got.broken = body.has_error();
  if (body) {
    got.body = *body;
  }
  co_return got;
}

awaitable<Got> post(HttpClient& http, const Path& path) {
  HttpRequest request("POST", path.path);
  request.with_header("content-type", "application/json").with_body(path.body);
  co_return co_await send(http, std::move(request));
}

awaitable<Got> get(HttpClient& http, std::string target) {
  co_return co_await send(http, HttpRequest("GET", std::move(target)));
}

awaitable<unsigned> status_at(HttpClient& http, std::string target) {
  const auto got = co_await get(http, std::move(target));
  co_return got.status;
}

/// A body as the client's protocol has it.
struct Read {
  Answer answer;
  Ending ending = Ending::cut;
};

Read read(const Got& got, Protocol protocol, BodyShape shape = BodyShape::stream) {
  Read read;
  EventDecoder decoder(protocol, shape);
  decoder.feed(got.body);
  while (const Event* event = decoder.next()) {
    read.answer.add(*event);
  }
  decoder.end();
  while (const Event* event = decoder.next()) {
    read.answer.add(*event);
  }
  read.ending = decoder.ending();
  return read;
}

}  // namespace

TEST_CASE("a stream in the client's protocol, whatever the provider's") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::answer().think("well").dripping(10ms));
    world.add();
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(got.status == 200);
      CHECK(got.header("content-type").starts_with("text/event-stream"));
      CHECK(got.header("x-understudy-member") == "anthropic/claude-opus-4-7");
      CHECK(got.header("x-understudy-attempts") == "1");
      const auto heard = read(got, path.protocol);
      CHECK(heard.ending == Ending::complete);
      CHECK(heard.answer.text() == ten);
      CHECK(heard.answer.finish == FinishReason::stop);
      CHECK(heard.answer.model == "claude-opus-4-7");
    });
  }
}

TEST_CASE("a whole answer, for a client that does not ask for a stream") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::answer("all wrong").dripping(10ms).after(2, Fault::truncated_chunk()));
    world.add().reply(Reply::answer().call("call_1", "weather", R"({"city":"Oslo"})"));
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      std::string body = path.body;
      body.replace(body.find("true"), 4, "false");
      const Path not_streamed{path.protocol, path.path, body.c_str()};
      const auto got = co_await post(http, not_streamed);
      CHECK(got.status == 200);
      CHECK(got.header("content-type") == "application/json");
      CHECK(got.header("x-understudy-attempts") == "3");  // and one quick retry
      const auto heard = read(got, path.protocol, BodyShape::whole);
      CHECK(heard.ending == Ending::complete);
      CHECK(heard.answer.text() == ten);
      CHECK(heard.answer.finish == FinishReason::tool_use);
      CHECK(heard.answer.blocks.back().arguments == R"({"city":"Oslo"})");
    });
  }
}

TEST_CASE(
    "a stall before the commit point fails over, and its client sees nothing of it but comments") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::answer().after(1, Fault::silence(10s)));
    world.add();
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      const auto began = Clock::now();
      const auto got = co_await post(http, path);
      CHECK(Clock::now() - began == 240s);
      CHECK(got.head_after == 15s);  // server.keep_alive
      CHECK(got.body.starts_with(": keep-alive\n\n"));
      const auto heard = read(got, path.protocol);
      CHECK(heard.ending == Ending::complete);
      CHECK(heard.answer.text() == ten);
      CHECK(heard.answer.model == "gpt-5.5");
    });
  }
}

TEST_CASE(
    "an answer that breaks off ends with an error event, and no client takes it for complete") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::answer().dripping(10ms).after(5, Fault::truncated_chunk()));
    world.add();
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(got.status == 200);
      CHECK(got.has("error"));
      const auto heard = read(got, path.protocol);
      CHECK(heard.ending == Ending::failed);
      CHECK_FALSE(heard.answer.finish);
      CHECK(heard.answer.text() == "one two three four");
    });
  }
}

TEST_CASE("what nobody could answer: the protocol's error, and no retries beside ours") {
  struct Row {
    Reply reply;
    unsigned chat;
    unsigned messages;
    const char* retry;
  };
  const std::vector<Row> rows{
      {Reply::status(401, "invalid x-api-key", "authentication_error"), 401, 401, "false"},
      {Reply::status(429, "slow down", "rate_limit_error").with_header("retry-after", "30"), 429,
       429, "true"},
      {Reply::status(400, "max_tokens: must be at least 1", "invalid_request_error"), 400, 400,
       "false"},
      {Reply::status(529, "Overloaded", "overloaded_error"), 503, 529, "true"},
      {Reply::status(400, "prompt is too long: 210000 tokens > 200000 maximum",
                     "invalid_request_error"),
       400, 400, "false"},
  };
  for (const auto& row : rows) {
    for (const auto& path : paths()) {
      CAPTURE(path.path);
      CAPTURE(row.chat);
      GatewayWorld world;
      world.add().reply(row.reply);
      world.add().reply(row.reply);
      world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
        const auto got = co_await post(http, path);
        const bool anthropic = path.protocol == Protocol::anthropic_messages;
        CHECK(got.status == (anthropic ? row.messages : row.chat));
        CHECK(got.header("x-should-retry") == row.retry);
        CHECK(got.has("error"));
        CHECK_FALSE(got.has("the lead's key"));
        if (std::string_view(row.retry) == "true") {
          CHECK(got.header("retry-after") != "none");
        }
      });
    }
  }
}

TEST_CASE("a client that goes away cancels the call, as client_gone, and nobody is marked for it") {
  class Why final : public Observer {
   public:
    void attempt_ended(const AttemptReport& attempt) override { code = attempt.failure.code(); }
    error_code code;
  } why;
  GatewayWorld world;
  world.options.with_observer(why);
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    auto impatient = [&]() -> awaitable<void> { co_await post(http, paths()[0]); };
    auto leave = [] { return sleep_for(3s); };
    co_await race(std::move(impatient), std::move(leave));
    co_await sleep_for(50ms);
    CHECK(lead.open_connections() == 0);
    CHECK(why.code == GatewayStop::client_gone);
    CHECK(world.state->state().health().all_well());
    CHECK(understudy.requests() == 0);
  });
}

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
    const auto without = co_await post(http, paths()[1]);
    CHECK(without.status == 401);
    CHECK(without.has("authentication_error"));
    CHECK(co_await status_at(http, "/v1/models") == 401);
    CHECK(co_await status_at(http, "/status") == 401);
    CHECK(co_await status_at(http, "/healthz") == 200);
  });
}

TEST_CASE("models, status, and what is refused") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto config = world.config(report_file + R"(
[[routes]]
model = "quick"
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
    const auto status = co_await get(http, "/status");
    CHECK(status.body == R"({"marks":[],"draining":false})");
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
