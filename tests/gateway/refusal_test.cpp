// A refusal to answer is an answer: each client gets it in its own protocol, with its details.
#include <string>

#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

const std::string explanation = "This request could help to build a weapon.";

/// Anthropic's refusal before any content, or after some.
std::string anthropic_refusal(bool after_text) {
  std::string out =
      "event: message_start\n"
      R"(data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m",)"
      R"("content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}})"
      "\n\n";
  if (after_text) {
    out +=
        "event: content_block_start\n"
        R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
        "\n\nevent: content_block_delta\n"
        R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"First,"}})"
        "\n\nevent: content_block_stop\n"
        R"(data: {"type":"content_block_stop","index":0})"
        "\n\n";
  }
  return out +
         "event: message_delta\n"
         R"(data: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,)"
         R"("stop_details":{"type":"refusal","category":"cyber","explanation":")" +
         explanation +
         R"("}},"usage":{"output_tokens":2}})"
         "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

const std::string chat_refusal =
    R"(data: {"id":"c","model":"big","choices":[{"index":0,"delta":{"role":"assistant","refusal":"I cannot help."}}]})"
    "\n\n"
    R"(data: {"id":"c","model":"big","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
    "\n\ndata: [DONE]\n\n";

const std::string responses_refusal =
    "event: response.created\n"
    R"(data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","output":[]}})"
    "\n\nevent: response.incomplete\n"
    R"(data: {"type":"response.incomplete","sequence_number":1,"response":{"id":"resp_1","status":"incomplete",)"
    R"("incomplete_details":{"reason":"content_filter"},"output":[]}})"
    "\n\n";

Reply streamed(const std::string& text) { return Reply::stream("text/event-stream", {text}); }

Got asked(const Reply& first, const Path& path, bool streams, OnContentPolicy what,
          std::size_t& asked_next, bool refuse_next = false) {
  GatewayWorld world;
  world.add().reply(first);
  auto& next = world.add();
  if (refuse_next) {
    next.reply(streamed(responses_refusal));
  }
  auto config = world.config(report_file);
  config.main.policy.on_content_policy = what;
  std::string body = path.body;
  if (!streams) {
    body.replace(body.find(R"("stream":true)"), 13, R"("stream":false)");
  }
  Got got;
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    const Path own{path.protocol, path.path, body.c_str()};
    got = co_await post(http, own);
  });
  asked_next = next.requests();
  return got;
}

}  // namespace

TEST_CASE("a refusal with its details reaches every client as a 200, and nobody else is asked") {
  for (const auto& path : paths()) {
    for (const bool streams : {true, false}) {
      for (const bool after_text : {false, true}) {
        CAPTURE(path.path);
        CAPTURE(streams);
        CAPTURE(after_text);
        std::size_t next = 0;
        const auto got = asked(streamed(anthropic_refusal(after_text)), path, streams,
                               OnContentPolicy::stop, next);
        CHECK(got.status == 200);
        CHECK(next == 0);
        CHECK(got.has(explanation));
        CHECK(got.has("First,") == after_text);
        const auto heard = read(got, path.protocol, streams ? BodyShape::stream : BodyShape::whole);
        CHECK(heard.ending == Ending::complete);
        switch (path.protocol) {
          case Protocol::anthropic_messages:
            CHECK(got.has(R"("stop_reason":"refusal")"));
            CHECK(got.has(R"("stop_details":{"type":"refusal","category":"cyber")"));
            CHECK(heard.answer.text() == (after_text ? "First," : ""));
            break;
          case Protocol::openai_chat:
            CHECK(got.has(R"("finish_reason":"content_filter")"));
            CHECK(heard.answer.text().find(explanation + " (cyber)") != std::string::npos);
            break;
          case Protocol::openai_responses:
            CHECK(got.has(R"("incomplete_details":{"reason":"content_filter"})"));
            CHECK(heard.answer.text().find(explanation + " (cyber)") != std::string::npos);
            break;
        }
      }
    }
  }
}

TEST_CASE("Codex, which always streams, gets a refusal as text of a complete answer") {
  // It ends its session over an incomplete one.
  const Path codex{Protocol::openai_responses, "/v1/responses",
                   R"({"model":"any","stream":true,"client_metadata":{},"input":"Is it full?"})"};
  std::size_t next = 0;
  const auto got =
      asked(streamed(anthropic_refusal(false)), codex, true, OnContentPolicy::stop, next);
  CHECK(got.status == 200);
  CHECK_FALSE(got.has("response.incomplete"));
  CHECK(got.has(R"("status":"completed")"));
  CHECK(read(got, codex.protocol).answer.text().find(explanation) != std::string::npos);
}

TEST_CASE("a refusal in a refusal part is an answer too") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(streamed(chat_refusal));
    world.serve(world.config(speaks_chat), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(got.status == 200);
      CHECK(got.has("I cannot help."));
      CHECK(read(got, path.protocol).ending == Ending::complete);
    });
  }
}

TEST_CASE("with `on_content_policy = \"fail_over\"` a refusal before any text moves on") {
  for (const bool streams : {true, false}) {
    CAPTURE(streams);
    std::size_t next = 0;
    const auto got = asked(streamed(anthropic_refusal(false)), paths()[0], streams,
                           OnContentPolicy::fail_over, next);
    CHECK(got.status == 200);
    CHECK(next == 1);
    CHECK(got.has("three"));
    CHECK_FALSE(got.has(explanation));
  }
}

TEST_CASE("a whole answer that was refused after some text moves on too: the client has nothing") {
  std::size_t next = 0;
  const auto got =
      asked(streamed(anthropic_refusal(true)), paths()[0], false, OnContentPolicy::fail_over, next);
  CHECK(next == 1);
  CHECK(got.has("three"));
  CHECK_FALSE(got.has("First,"));
}

TEST_CASE("if every member refuses, the last refusal is the answer") {
  for (const bool streams : {true, false}) {
    CAPTURE(streams);
    std::size_t next = 0;
    const auto got = asked(streamed(anthropic_refusal(false)), paths()[0], streams,
                           OnContentPolicy::fail_over, next, true);
    CHECK(got.status == 200);
    CHECK(next == 1);
    CHECK(got.has("content_filter"));
    CHECK(got.has("The model declined to answer this request."));
  }
}
