#include "../../lib/gateway/request_handler.hpp"

#include <algorithm>
#include <regex>

#include "../llm/whole_answers.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;

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

namespace {

/// One member, or two, that speak this protocol.
std::string speaking(Protocol protocol, bool two = false) {
  std::string text = R"(
[model]
provider = "first"
default = "big"
)";
  text += two ? "[[fallback_providers]]\nprovider = \"second\"\nmodel = \"big\"\n" : "";
  for (const auto* const name : {"first", "second"}) {
    text += "[providers." + std::string(name) + "]\nprotocol = \"" +
            std::string(to_string(protocol)) + "\"\nbase_url = \"http://" + name + ".test:800" +
            (text.find("http") == std::string::npos ? "1" : "2") + "/v1\"\n";
  }
  return text;
}

/// The request of a client that does not stream.
std::string not_streamed(Protocol protocol) {
  const auto path = std::find_if(paths().begin(), paths().end(),
                                 [&](const Path& p) { return p.protocol == protocol; });
  std::string body = path->body;
  return body.replace(body.find("true"), 4, "false");
}

const char* path_of(Protocol protocol) {
  return std::find_if(paths().begin(), paths().end(),
                      [&](const Path& p) { return p.protocol == protocol; })
      ->path;
}

}  // namespace

TEST_CASE("a whole answer of a provider that speaks the client's protocol: all that it says") {
  for (const auto& [protocol, name] : whole_answers::all) {
    CAPTURE(name);
    const auto expected = whole_answers::minified(whole_answers::file(name + ".json"));
    const auto body = not_streamed(protocol);
    const Path path{protocol, path_of(protocol), body.c_str()};
    for (const bool streams : {true, false}) {
      GatewayWorld world;
      auto reply = Reply::page(200, streams ? "text/event-stream" : "application/json",
                               whole_answers::file(name + (streams ? ".sse" : ".json")));
      world.add().reply(std::move(reply));
      auto config = speaking(protocol);
      config += streams ? "" : "stream = false\n";
      world.serve(world.config(config), [&](HttpClient& http) -> awaitable<void> {
        const auto got = co_await post(http, path);
        CHECK(got.status == 200);
        CHECK(got.header("content-type") == "application/json");
        CHECK(got.body == expected);
      });
    }
  }
}

TEST_CASE("a whole answer whose first provider broke is the second one's alone") {
  for (const auto& [protocol, name] : whole_answers::all) {
    CAPTURE(name);
    const auto expected = whole_answers::minified(whole_answers::file(name + ".json"));
    const auto stream = whole_answers::file(name + ".sse");
    const auto body = not_streamed(protocol);
    const Path path{protocol, path_of(protocol), body.c_str()};
    GatewayWorld world;
    const auto half = stream.substr(0, stream.find("\n\n", stream.size() / 2) + 2);
    const auto broken = stream.substr(0, stream.find("\n\n", 200)) + "\n\ndata: {\"x\":[}\n\n" +
                        stream.substr(stream.find("\n\n", 200) + 2);
    world.add()
        .reply(Reply::page(200, "text/event-stream", half))
        .reply(Reply::page(200, "text/event-stream", broken));
    world.add().reply(Reply::page(200, "text/event-stream", stream));
    world.serve(world.config(speaking(protocol, true)), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(got.status == 200);
      CHECK(got.header("x-understudy-member") == "second/big");
      // Its reasoning is not the client's home's, so its seals are in carriers. Those of Chat stand elsewhere then.
      const bool moves = protocol == Protocol::openai_chat &&
                         (expected.find("thought_signature") != std::string::npos ||
                          expected.find("reasoning_details") != std::string::npos);
      static const std::regex carrier(R"(us1\.[A-Za-z0-9_-]*\.)");
      CHECK((moves || std::regex_replace(got.body, carrier, "") == expected));
      CHECK((!moves ||
             (got.has("\"us1.") && !got.has("\"gAAAAAB\"") && !got.has("thought_signature"))));
    });
  }
}

TEST_CASE("a whole answer of a provider of another protocol is the typed one") {
  for (const auto& [protocol, name] : whole_answers::all) {
    for (const auto& asked : paths()) {
      if (asked.protocol == protocol) {
        continue;
      }
      CAPTURE(name);
      const auto body = not_streamed(asked.protocol);
      const Path path{asked.protocol, asked.path, body.c_str()};
      GatewayWorld world;
      world.add().reply(Reply::page(200, "text/event-stream", whole_answers::file(name + ".sse")));
      world.serve(world.config(speaking(protocol)), [&](HttpClient& http) -> awaitable<void> {
        const auto got = co_await post(http, path);
        CHECK(got.status == 200);
        const auto heard = read(got, asked.protocol, BodyShape::whole);
        CHECK(heard.ending == Ending::complete);
      });
    }
  }
}

TEST_CASE(
    "a call that no member could answer: the protocol's error, and whether the client is to try "
    "again") {
  struct Row {
    Reply reply;
    unsigned chat;
    unsigned messages;
    const char* retry;
  };
  const std::vector<Row> rows{
      {Reply::status(401, "invalid x-api-key", "authentication_error"), 401, 401, "false"},
      {Reply::status(429, "slow down", "rate_limit_error").with_header("retry-after", "50"), 429,
       429, "true"},
      {Reply::status(400, "max_tokens: must be at least 1", "invalid_request_error"), 400, 400,
       "false"},
      {Reply::status(429, "slow down", "rate_limit_error").with_header("retry-after", "300"), 429,
       429, "false"},
      {Reply::status(429, "slow down", "rate_limit_error"), 429, 429, "true"},
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
        if (row.chat == 429) {
          CHECK(got.header("retry-after") != "none");
        }
      });
    }
  }
}

TEST_CASE(
    "a client's anthropic-beta goes to members that speak that protocol, beside the provider's "
    "own") {
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
