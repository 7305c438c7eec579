#include "../../lib/gateway/request_handler.hpp"

#include "gateway_world.hpp"
#include "understudy/runtime/race.hpp"

using namespace gateway_test;

namespace {

/// A bug of ours.
class Buggy final : public Provider {
 public:
  awaitable<Result<Stream>> open(const Request&, Attempt&) override {
    throw std::runtime_error("a bug");
    co_return FailoverReason::unknown;
  }
};

/// What stands behind each place where `what` does, up to a comma or the line's end.
std::vector<std::string> all_after(const std::string& text, std::string_view what) {
  std::vector<std::string> found;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    const auto begin = at + what.size();
    found.push_back(text.substr(begin, text.find_first_of(",\n}", begin) - begin));
  }
  return found;
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

TEST_CASE("a stream, from a provider that answers whole") {
  auto not_streamed = report_file;
  not_streamed.insert(not_streamed.find("\n\n[providers.openai-codex]"), "\nstream = false");
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add();
    world.serve(world.config(not_streamed), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(got.header("x-understudy-member") == "anthropic/claude-opus-4-7");
      const auto heard = read(got, path.protocol);
      CHECK(heard.ending == Ending::complete);
      CHECK(heard.answer.text() == ten);
    });
  }
}

TEST_CASE("a conversation that one provider keeps: refused, for another would answer without it") {
  struct Row {
    const Path& path;
    const char* said;
    unsigned status;
    const char* code;
  };
  const auto& all = paths();
  const std::vector<Row> rows{
      {all[1], R"("thread":{"type":"create"})", 400,
       R"("error_code":"thread_unsupported_request")"},
      {all[1], R"("thread":null)", 200, ""},
      {all[2], R"("previous_response_id":"resp_1")", 400, R"("code":"unsupported_parameter")"},
      {all[2], R"("conversation":"conv_1")", 400, R"("code":"unsupported_parameter")"},
      {all[2], R"("previous_response_id":null)", 200, ""},
      {all[2], R"("model":"responses","previous_response_id":"resp_1")", 200, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.said);
    GatewayWorld world;
    world.add();
    world.add();
    const auto config = world.config(report_file + R"(
[[routes]]
model = "responses"
chain = [{ provider = "openai-codex", model = "gpt-5.5" }]
)");
    world.serve(config, [&](HttpClient& http) -> awaitable<void> {
      std::string body = row.path.body;
      const std::string_view model = R"("model":"any",)";
      const bool own_model = std::string_view(row.said).starts_with("\"model");
      body.replace(1, own_model ? model.size() : 0, std::string(row.said) + ",");
      const Path path{row.path.protocol, row.path.path, body.c_str()};
      const auto got = co_await post(http, path);
      CHECK(got.status == row.status);
      CHECK(got.has(row.code));
      CHECK((world.servers[0].requests() + world.servers[1].requests() == 0) ==
            (row.status == 400));
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
    "comments also amid an answer, where its provider thinks for long, or a tool call grows "
    "unseen") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    for (const auto& reply : {Reply::answer(ten).after(4, Fault::pause(50s)),
                              Reply::answer(ten)
                                  .call("call_1", "write", R"({"text": "all of it"})")
                                  .after(13, Fault::pause(50s))}) {
      GatewayWorld world;
      world.add().reply(reply);
      world.add();
      world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
        const auto got = co_await post(http, path);
        CHECK(got.has("three"));
        std::size_t comments = 0;
        for (auto at = got.body.find("\n: keep-alive\n\n"); at != std::string::npos;
             at = got.body.find("\n: keep-alive\n\n", at + 1)) {
          ++comments;
        }
        CHECK(comments == 3);  // after 15, 30 and 45 s
        const auto heard = read(got, path.protocol);
        CHECK(heard.ending == Ending::complete);
        CHECK(heard.answer.text() == ten);
      });
    }
  }
}

TEST_CASE(
    "an answer that breaks off ends with an error event, and no client takes it for complete") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::answer().dripping(10ms).after(5, Fault::truncated_chunk()));
    world.add();
    auto config = world.config(report_file);
    config.main.delivery.on_partial = OnPartial::fail;
    world.serve(config, [&](HttpClient& http) -> awaitable<void> {
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
      {Reply::status(429, "slow down", "rate_limit_error").with_header("retry-after", "300"), 429,
       429, "false"},
      {Reply::status(429, "slow down", "rate_limit_error"), 429, 429, "false"},
      {Reply::status(529, "Overloaded", "overloaded_error"), 503, 529, "false"},
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
        if (row.chat == 429) {
          CHECK(got.header("retry-after") != "none");
        }
      });
    }
  }
}

TEST_CASE("a client that goes away cancels the call, as client_gone, and nobody is marked for it") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    auto impatient = [&]() -> awaitable<void> { co_await post(http, paths()[0]); };
    auto leave = [] { return sleep_for(3s); };
    co_await race(std::move(impatient), std::move(leave));
    co_await sleep_for(50ms);
    CHECK(lead.open_connections() == 0);
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has("client_gone"));
    CHECK(recent.has(R"("broke":true)"));
    CHECK(world.state->state().health().all_well());
    CHECK(understudy.requests() == 0);
  });
}

TEST_CASE("a call that ends by an exception is at its end, and recorded") {
  GatewayWorld world;
  world.add();
  world.add();
  world.options.with_provider("anthropic", std::make_shared<Buggy>());
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const Path whole{Protocol::openai_chat, "/v1/chat/completions",
                     R"({"model":"any","messages":[{"role":"user","content":"Is it full?"}]})"};
    const auto got = co_await post(http, whole);
    CHECK(got.status == 500);
    CHECK_FALSE(got.has("a bug"));
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has(R"("path":"/v1/chat/completions","status":0,"broke":true)"));
    CHECK(recent.has(R"("outcome":"unknown")"));
    CHECK(world.records->calls_in_flight() == 0);
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

TEST_CASE("Codex asks for a WebSocket: told at once to use HTTP, so that it does not try for 6 s") {
  GatewayWorld world;
  world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    HttpRequest request("GET", "/v1/responses");
    request.with_header("connection", "Upgrade").with_header("upgrade", "websocket");
    const auto got = co_await send(http, std::move(request));
    CHECK(got.status == 426);
    CHECK(got.has("use HTTP"));
    CHECK(co_await status_at(http, "/v1/responses") == 405);
  });
}

TEST_CASE("a compressed body: refused by the name of its coding, and no provider is asked") {
  for (const char* const coding : {"gzip", "zstd", "br", "identity, gzip"}) {
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
        CHECK(got.header("accept-encoding") == "identity");
      }
      CHECK(lead.requests() == 0);
    });
  }
}

TEST_CASE("stopped amid a call: its report says shutdown, and nobody is marked for it") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    auto caller = [&]() -> awaitable<void> {
      IgnoreIo nobody;
      const Endpoint there(Scheme::http, "gateway.localhost", 9000);
      HttpRequest request("POST", paths()[0].path);
      request.with_header("content-type", "application/json").with_body(paths()[0].body);
      const auto cut_off = co_await http.send(there, request, nobody);
      CHECK(cut_off.has_error());
      co_await sleep_for(5s);
    };
    auto stop = [&]() -> awaitable<void> {
      co_await sleep_for(1s);
      world.running->stop();
      co_await sleep_for(1s);
    };
    co_await race(std::move(caller), std::move(stop));
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has(R"("outcome":"shutting down")"));
    CHECK(world.state->state().health().all_well());
    CHECK(lead.open_connections() == 0);
  });
}

TEST_CASE(
    "a client that does not read holds its own answer up, not for ever, and no member is to "
    "blame") {
  GatewayWorld world;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += "word ";
  }
  auto& lead = world.add();
  lead.reply(Reply::answer(text));
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    IgnoreIo nobody;
    HttpRequest request("POST", paths()[0].path);
    request.with_header("content-type", "application/json").with_body(paths()[0].body);
    const Endpoint there(Scheme::http, "gateway.localhost", 9000);
    auto response = co_await http.send(there, request, nobody);
    REQUIRE(response.has_value());
    co_await sleep_for(29s);
    CHECK(lead.open_connections() == 1);
    co_await sleep_for(2s);
    CHECK(lead.open_connections() == 0);
    CHECK(world.state->state().health().all_well());
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has(R"("broke":true)"));
  });
}

TEST_CASE("every answer has an id: the client's own, if that is a plain word") {
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

TEST_CASE(
    "an answer that breaks off is gone on with by another member: one valid message, whoever "
    "speaks what") {
  for (const auto& path : paths()) {
    for (const auto lead :
         {Protocol::anthropic_messages, Protocol::openai_chat, Protocol::openai_responses}) {
      CAPTURE(path.path);
      CAPTURE(to_string(lead));
      GatewayWorld world;
      world.add().reply(Reply::answer("")
                            .think("well, well")
                            .say(ten)
                            .dripping(10ms)
                            .after(7, Fault::truncated_chunk()));
      world.add();
      auto config = world.config(report_file);
      config.providers.at("anthropic").protocol = lead;
      world.serve(config, [&](HttpClient& http) -> awaitable<void> {
        const auto got = co_await post(http, path);
        CHECK(got.status == 200);
        CHECK_FALSE(got.has("event: error"));
        const auto heard = read(got, path.protocol);
        CHECK(heard.ending == Ending::complete);
        CHECK(heard.answer.text() == ten);
        CHECK(heard.answer.model == "claude-opus-4-7");
        // What Responses' clients put an answer together by: numbers that go up, one id for the message, and
        // the whole text at its end.
        const auto numbers = all_after(got.body, "\"sequence_number\":");
        CHECK(std::is_sorted(numbers.begin(), numbers.end(), [](const auto& a, const auto& b) {
          return std::stoul(a) < std::stoul(b);
        }));
        CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
        if (path.protocol == Protocol::openai_responses) {
          auto messages = all_after(got.body, "\"type\":\"response.output_text.delta\"");
          CHECK(messages.size() >= 2);
          CHECK(got.has("\"text\":\"" + ten + "\""));
        }
        if (path.protocol == Protocol::anthropic_messages) {
          CHECK(all_after(got.body, "event: message_start").size() == 1);
          CHECK(all_after(got.body, "event: message_stop").size() == 1);
          CHECK(all_after(got.body, "event: content_block_start").size() == 2);
          CHECK(all_after(got.body, "event: content_block_stop").size() == 2);
          const auto indices = all_after(got.body, "\"index\":");
          CHECK(std::is_sorted(indices.begin(), indices.end()));
          CHECK(indices.back() == "1");
        }
      });
    }
  }
}

TEST_CASE("a client that goes in mid-answer, or while another member is asked: client_gone") {
  for (const auto& fault : {Fault::silence(), Fault::close()}) {
    GatewayWorld world;
    auto& lead = world.add();
    auto& understudy = world.add();
    lead.reply(Reply::answer(ten).after(3, fault));
    understudy.reply(Reply::answer(ten).before_head(Fault::silence()));
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      auto impatient = [&]() -> awaitable<void> { co_await post(http, paths()[0]); };
      auto leave = [] { return sleep_for(3s); };
      co_await race(std::move(impatient), std::move(leave));
      co_await sleep_for(50ms);
      const auto recent = co_await get(http, "/status");
      CHECK(recent.has(R"("outcome":"client_gone","took_ms")"));
      CHECK_FALSE(recent.has("cancelled"));
      CHECK(understudy.open_connections() == 0);
    });
  }
}

TEST_CASE(
    "a client's anthropic-beta goes on to who speaks that protocol, beside the provider's own") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  // The first key is not one for long contexts: the beta is left out then, and the others stay.
  lead.reply(Reply::status(400, "The long context beta is not yet available for this subscription.",
                           "invalid_request_error"));
  lead.reply(Reply::status(529, "Overloaded", "overloaded_error"));
  const auto config = world.config(report_file + R"(
[providers.anthropic.headers]
anthropic-beta = "files-1, context-1m-2025-08-07"
)");
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    HttpRequest request("POST", "/v1/messages");
    request.with_header("anthropic-beta", "tools-2,files-1")
        .with_header("content-type", "application/json")
        .with_body(paths()[1].body);
    const auto got = co_await send(http, std::move(request));
    CHECK(got.status == 200);
    const auto& asked = lead.connections()[0].requests;
    REQUIRE(asked.size() >= 2);
    CHECK(asked[0].head.headers.find("anthropic-beta") == "files-1,context-1m-2025-08-07,tools-2");
    CHECK(asked[1].head.headers.find("anthropic-beta") == "files-1,tools-2");
    CHECK_FALSE(understudy.connections()[0].requests[0].head.headers.find("anthropic-beta"));
  });
}

namespace {

/// What Anthropic streams until the stop reason; the model's name as it is written in JSON.
std::string anthropic_answer(const std::string& model) {
  return "event: message_start\n"
         R"(data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":")" +
         model +
         R"(","content":[],"usage":{"input_tokens":1,"output_tokens":1}}})"
         "\n\nevent: content_block_start\n"
         R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
         "\n\nevent: content_block_delta\n"
         R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Yes."}})"
         "\n\nevent: content_block_stop\n"
         R"(data: {"type":"content_block_stop","index":0})"
         "\n\n";
}

}  // namespace

TEST_CASE(
    "a provider that writes / as \\/ in its model's name: the client gets its bytes as they came") {
  const auto stream =
      anthropic_answer(R"(meta\/llama)") +
      "event: message_delta\n"
      R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}})"
      "\n\nevent: message_stop\n"
      R"(data: {"type":"message_stop"})"
      "\n\n";
  GatewayWorld world;
  world.add().reply(Reply::page(200, "text/event-stream", stream));
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await post(http, paths()[1]);
    CHECK(got.body.starts_with(stream));
    CHECK(read(got, Protocol::anthropic_messages).answer.model == "meta/llama");
  });
}

namespace {

const char* const speaks_chat = R"(
[model]
provider = "first"
default = "big"
[providers.first]
protocol = "openai_chat"
base_url = "http://first.test:8001/v1"
)";

/// What a Chat provider streams, from its first chunk to its finish.
const std::string chat_chunks =
    R"(data: {"id":"c","model":"big","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})"
    "\n\n"
    R"(data: {"id":"c","model":"big","choices":[{"index":0,"delta":{"content":"Yes."}}]})"
    "\n\n"
    R"(data: {"id":"c","model":"big","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
    "\n\n";

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE(
    "a provider that sends comments before its answer: every client's answer begins once, and "
    "first") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(
        Reply::page(200, "text/event-stream",
                    ": OPENROUTER PROCESSING\n\n" + chat_chunks + "data: [DONE]\n\n"));
    world.serve(world.config(speaks_chat), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      const auto heard = read(got, path.protocol);
      CHECK(heard.ending == Ending::complete);
      CHECK(heard.answer.text() == "Yes.");
      if (path.protocol == Protocol::anthropic_messages) {
        CHECK(count_of(got.body, "event: message_start") == 1);
        CHECK(got.body.find("event: message_start") == got.body.find("event: "));
      } else if (path.protocol == Protocol::openai_responses) {
        CHECK(count_of(got.body, "event: response.created") == 1);
        CHECK(got.body.find("event: response.created") == got.body.find("event: "));
      }
    });
  }
}

TEST_CASE(
    "a provider that ends after its finish without a word: every client gets its protocol's end, "
    "once") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::page(200, "text/event-stream", chat_chunks));
    world.serve(world.config(speaks_chat), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(read(got, path.protocol).ending == Ending::complete);
      for (const auto& [protocol, end] :
           {std::pair(Protocol::openai_chat, "data: [DONE]"),
            std::pair(Protocol::anthropic_messages, "event: message_stop"),
            std::pair(Protocol::openai_responses, "event: response.completed")}) {
        CHECK(count_of(got.body, end) == (protocol == path.protocol ? 1 : 0));
      }
    });
  }
}

TEST_CASE(
    "Anthropic's answer that ends after its stop reason: the same client gets message_stop alone") {
  const auto stream = anthropic_answer("m") +
                      "event: message_delta\n"
                      R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}})"
                      "\n\n";
  GatewayWorld world;
  world.add().reply(Reply::page(200, "text/event-stream", stream));
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const auto got = co_await post(http, paths()[1]);
    CHECK(got.body.starts_with(stream));
    CHECK(count_of(got.body, "event: message_delta") == 1);
    CHECK(count_of(got.body, "event: message_stop") == 1);
    CHECK(count_of(got.body, "event: content_block_stop") == 1);
  });
}

TEST_CASE("several choices, not streamed: refused, for there would be one") {
  for (const auto& [said, status] :
       {std::pair("\"n\":2", 400u), std::pair("\"n\":1", 200u), std::pair("\"n\":null", 200u),
        std::pair("\"stream\":true,\"n\":2", 200u)}) {
    CAPTURE(said);
    GatewayWorld world;
    world.add();
    world.serve(world.config(speaks_chat), [&](HttpClient& http) -> awaitable<void> {
      const auto body = "{" + std::string(said) +
                        R"(,"model":"any","messages":[{"role":"user","content":"Is it full?"}]})";
      const Path path{Protocol::openai_chat, "/v1/chat/completions", body.c_str()};
      const auto got = co_await post(http, path);
      CHECK(got.status == status);
      CHECK(got.has("`n`") == (status == 400));
    });
  }
}
