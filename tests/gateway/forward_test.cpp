// What the gateway does not read: count_tokens, embeddings, files, audio and all the others.
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

TEST_CASE("a configured `accept` does not stand beside the one of a forwarded request") {
  GatewayWorld world;
  auto& first = world.add();
  world.add();
  first.reply_to("/v1/embeddings", json("[1]"));
  std::string file = two_speaking_openai;
  const std::string_view at = "[providers.second]";
  file.insert(file.find(at), "headers = {accept = \"text/plain\", x-team = \"tanks\"}\n");
  world.serve(world.config(file), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await ask(http, "/v1/embeddings", R"({"input":"x","model":"te-3"})");
    CHECK(got.status == 200);
    const auto& headers = first.connections()[0].requests[0].head.headers;
    std::size_t accepts = 0;
    for (std::size_t i = 0; i < headers.size(); ++i) {
      accepts += headers[i].first == "accept" ? 1 : 0;
    }
    CHECK(accepts == 1);
    CHECK(headers.find("x-team") == "tanks");
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

TEST_CASE("a body whose model is to be replaced must be a JSON object with a model") {
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

TEST_CASE(
    "files, batches and stored responses are asked of the first member alone, in any method") {
  GatewayWorld world;
  auto& first = world.add();
  auto& second = world.add();
  first.reply_to("/v1/files?limit=2", json(R"({"data":[]})"))
      .reply_to("/v1/files/file-1", Reply::page(404, "application/json", R"({"error":"no file"})"))
      .reply_to("/v1/batches", Reply::status(503, "overloaded"));
  world.serve(world.config(two_speaking_openai), [&](HttpClient& http) -> awaitable<void> {
    const auto listed = co_await get(http, "/v1/files?limit=2");
    CHECK(listed.status == 200);
    CHECK(listed.body == R"({"data":[]})");
    const auto gone = co_await send(http, HttpRequest("DELETE", "/v1/files/file-1"));
    CHECK(gone.status == 404);
    CHECK(gone.body == R"({"error":"no file"})");
    const auto failed = co_await ask(http, "/v1/batches", R"({"input_file_id":"f"})");
    CHECK(failed.status == 503);
    CHECK(failed.header("content-type") == "application/json");
  });
  CHECK(second.requests() == 0);
  CHECK(first.connections()[0].requests[0].head.method == "GET");
  CHECK(first.connections()[0].requests[1].head.method == "DELETE");
}

TEST_CASE("a body that is not JSON goes on as it is, with its type") {
  GatewayWorld world;
  auto& first = world.add();
  world.add();
  const std::string form =
      "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nw\r\n--b--\r\n";
  first.reply_to("/v1/audio/transcriptions", json(R"({"text":"Nine tanks."})"));
  world.serve(world.config(two_speaking_openai), [&](HttpClient& http) -> awaitable<void> {
    HttpRequest request("POST", "/v1/audio/transcriptions");
    request.with_header("content-type", "multipart/form-data; boundary=b").with_body(form);
    const auto got = co_await send(http, std::move(request));
    CHECK(got.body == R"({"text":"Nine tanks."})");
  });
  const auto& seen = first.connections()[0].requests[0];
  CHECK(seen.body == form);
  CHECK(seen.head.headers.find("content-type") == "multipart/form-data; boundary=b");
}

TEST_CASE("a body without a model gets none, where the client's model is sent") {
  GatewayWorld world;
  auto& first = world.add();
  world.add();
  first.reply_to("/v1/moderations", json("{}"));
  world.serve(world.config(two_speaking_openai), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await ask(http, "/v1/moderations", R"({"input":"x"})");
    CHECK(got.status == 200);
  });
  CHECK(first.connections()[0].requests[0].body == R"({"input":"x"})");
}

TEST_CASE("a long answer is passed on as it comes; if it breaks, the client's connection is cut") {
  GatewayWorld world;
  auto& first = world.add();
  world.add();
  const std::string sound(std::size_t{3} << 20U, 's');
  first.reply_to("/v1/audio/speech", Reply::page(200, "audio/mpeg", sound));
  first.reply_to("/v1/audio/translations",
                 Reply::page(200, "audio/mpeg", sound).reset_at(std::size_t{2} << 20U));
  world.serve(world.config(two_speaking_openai), [&](HttpClient& http) -> awaitable<void> {
    HttpRequest request("POST", "/v1/audio/speech");
    request.with_header("content-type", "application/json").with_body(R"({"model":"tts"})");
    IgnoreIo ignore;
    auto response =
        co_await http.send(Endpoint(Scheme::http, "gateway.localhost", 9000), request, ignore);
    REQUIRE(response.has_value());
    CHECK(response->headers().find("content-type") == "audio/mpeg");
    const auto body = co_await response->read_all(std::size_t{4} << 20U);
    REQUIRE(body.has_value());
    CHECK(*body == sound);
    HttpRequest again("POST", "/v1/audio/translations");
    again.with_header("content-type", "application/json").with_body(R"({"model":"tts"})");
    const auto broken = co_await send(http, std::move(again));
    CHECK(broken.status == 200);
    CHECK(broken.broken);
  });
}

TEST_CASE("carriers of reasoning are opened in what is forwarded") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  lead.reply_to("/v1/messages/count_tokens", json(R"({"input_tokens":14})"));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await ask(
        http, "/v1/messages/count_tokens",
        R"({"model":"any","messages":[{"role":"user","content":"a"},{"role":"assistant","content":[)"
        R"({"type":"thinking","thinking":"b","signature":"us1.eyJwcm92aWRlciI6InAxIn0.x"},)"
        R"({"type":"text","text":"c"}]},{"role":"user","content":"d"}]})");
    CHECK(got.status == 200);
  });
  CHECK(lead.connections()[0].requests[0].body.find("us1.") == std::string::npos);
}
