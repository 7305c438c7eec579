// How an answer ends, as a client sees it: streamed and whole, in its provider's protocol and in the others.
#include <algorithm>
#include <string>

#include "../llm/strict_client.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

std::string chunk(const std::string& delta, const std::string& more = {}) {
  return R"(data: {"id":"c","object":"chat.completion.chunk","created":7,"model":"big","choices":[{)"
         R"("index":0,"delta":{)" +
         delta + "}" + more + "}]}\n\n";
}

std::string words(const std::string& said, const std::string& more = {}) {
  return chunk("\"content\":\"" + said + "\"", more);
}

std::string finish(const std::string& word) { return ",\"finish_reason\":\"" + word + "\""; }

std::string call(const std::string& arguments) {
  return chunk(
      R"("tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look_up","arguments":")" +
      arguments + "\"}}]");
}

const std::string done = "data: [DONE]\n\n";
const std::string whole_text =
    words("one two three four five six seven eight nine ten") + chunk("", finish("stop")) + done;

Reply streamed(std::string body) { return Reply::page(200, "text/event-stream", std::move(body)); }

const std::string two_speak_chat = std::string(speaks_chat) + R"(
[[fallback_providers]]
provider = "second"
model = "other"
[providers.second]
protocol = "openai_chat"
base_url = "http://second.test:8002/v1"
)";

/// What a client of `path` gets from a provider that sends `first`, with or without another that answers.
class Exchange {
 public:
  Exchange(const Path& path, bool streams, const std::string& first, bool rescued) {
    GatewayWorld world;
    auto& lead = world.add();
    for (int i = 0; i < 4; ++i) {
      lead.reply(streamed(chunk(R"("role":"assistant","content":"")") + first));
    }
    if (rescued) {
      world.add().reply(streamed(chunk(R"("role":"assistant")") + whole_text));
    }
    const auto config = world.config(rescued ? two_speak_chat : std::string(speaks_chat));
    std::string body = path.body;
    if (!streams) {
      body.erase(body.find(R"("stream":true,)"), std::string_view(R"("stream":true,)").size());
    }
    const Path asked{path.protocol, path.path, body.c_str()};
    world.serve(config, [&](HttpClient& http) -> awaitable<void> {
      got = co_await post(http, asked);
      const auto log = co_await get(http, "/status");
      status = log.body;
    });
    heard = read(got, path.protocol, streams ? BodyShape::stream : BodyShape::whole);
    // Our own decoder would infer a finish that was lost on the way.
    const auto strict = strict_client::read(path.protocol, got.body);
    complaint = streams ? strict.complaint : "";
    complete = streams ? strict.complete : got.status == 200;
    failed = got.status != 200 || heard.ending == Ending::failed;
  }

  Got got;
  Read heard;
  std::string status;
  std::string complaint;  // of the strictest client
  bool complete = false;  // as it sees it
  bool failed = false;
};

template <class Check>
void for_every_client(Check check) {
  for (const auto& path : paths()) {
    for (const bool streams : {true, false}) {
      CAPTURE(path.path);
      CAPTURE(streams);
      check(path, streams);
    }
  }
}

/// Answers that are broken, though they look whole to a client that trusts the framing.
const std::vector<std::pair<const char*, std::string>> broken{
    {"[DONE] without a finish", words("one two three") + done},
    {"the end of the body without a finish", words("one two three")},
    {"a delta with a broken byte",
     words("one two three") + R"(data: {"choices":[{"index":0,"delta":{"content":" four}}]})" +
         "\n\n" + words(" five") + chunk("", finish("stop")) + done},
    {"a broken byte in a member that nobody reads",
     words("one two three") +
         R"(data: {"choices":[{"index":0,"delta":{"content":" four"}}],"x":tru})" + "\n\n" +
         chunk("", finish("stop")) + done},
    {"arguments that are not JSON",
     words("one two three") + call("{\\\"path\\\":") + chunk("", finish("tool_calls")) + done},
};

}  // namespace

TEST_CASE("an answer that breaks behind a neat end is an error, and never a complete answer") {
  for (const auto& [what, stream] : broken) {
    CAPTURE(what);
    for_every_client([&](const Path& path, bool streams) {
      const Exchange outcome(path, streams, stream, false);
      CHECK(outcome.failed);
      CHECK_FALSE(outcome.complete);
      CHECK_FALSE(outcome.got.has("[DONE]"));
      CHECK_FALSE(outcome.got.has("message_stop"));
      CHECK_FALSE(outcome.got.has("response.completed"));
    });
  }
}

TEST_CASE("an answer that breaks behind a neat end is resumed by the next member") {
  for (const auto& [what, stream] : broken) {
    CAPTURE(what);
    for_every_client([&](const Path& path, bool streams) {
      const Exchange outcome(path, streams, stream, true);
      CHECK_FALSE(outcome.failed);
      CHECK(outcome.heard.ending == Ending::complete);
      CHECK(outcome.complete);
      CHECK(outcome.complaint == "");
      CHECK(outcome.heard.answer.text() == ten);
    });
  }
}

TEST_CASE("`stop` beside every piece of text: every client gets all of it, and one end") {
  const auto stream = words("one two three", finish("stop")) + words(" four", finish("stop")) +
                      chunk("", finish("stop")) + words(" five", finish("stop")) + done;
  for_every_client([&](const Path& path, bool streams) {
    const Exchange outcome(path, streams, stream, false);
    CHECK_FALSE(outcome.failed);
    CHECK(outcome.heard.ending == Ending::complete);
    CHECK(outcome.complete);
    CHECK(outcome.complaint == "");
    CHECK(outcome.heard.answer.text() == "one two three four five");
    CHECK(outcome.heard.answer.finish == FinishReason::stop);
  });
}

TEST_CASE("arguments that were sent again: every client gets a call that it can run") {
  const auto stream = call("{\\\"city\\\"") + call("{\\\"city\\\":\\\"Quito\\\"}") +
                      chunk("", finish("tool_calls")) + done;
  for_every_client([&](const Path& path, bool streams) {
    const Exchange outcome(path, streams, stream, false);
    CHECK_FALSE(outcome.failed);
    CHECK(outcome.complete);
    CHECK(outcome.complaint == "");
    REQUIRE(outcome.heard.answer.blocks.size() == 1);
    CHECK(outcome.heard.answer.blocks[0].complete);
    CHECK(outcome.heard.answer.blocks[0].arguments == R"({"city":"Quito"})");
    CHECK(outcome.heard.answer.finish == FinishReason::tool_use);
  });
}

TEST_CASE("arguments that were sent again: a client of Chat is told that the answer has finished") {
  const auto calls = call("{\\\"city\\\"") + call("{\\\"city\\\":\\\"Quito\\\"}");
  for (const auto& stream : {calls + chunk("", finish("tool_calls")) + done, calls + done}) {
    for_every_client([&](const Path& path, bool streams) {
      if (path.protocol == Protocol::openai_chat) {
        const Exchange outcome(path, streams, stream, false);
        CHECK(outcome.got.has(R"("finish_reason":"tool_calls")"));  // our own decoder infers it
      }
    });
  }
}

TEST_CASE("calls and [DONE] without a finish: every client gets the calls and an end") {
  const auto stream = call("{\\\"city\\\":\\\"Quito\\\"}") + done;
  for_every_client([&](const Path& path, bool streams) {
    const Exchange outcome(path, streams, stream, false);
    CHECK_FALSE(outcome.failed);
    CHECK(outcome.heard.ending == Ending::complete);
    CHECK(outcome.complete);
    CHECK(outcome.complaint == "");
    CHECK(outcome.heard.answer.finish == FinishReason::tool_use);
    CHECK(outcome.status.find("\"inferred_finish\":true") != std::string::npos);
  });
}

TEST_CASE("noise between events is dropped and counted") {
  const auto stream = words("one two three") + "data: noise\n\n" + words(" four") +
                      chunk("", finish("stop")) + done;
  for_every_client([&](const Path& path, bool streams) {
    const Exchange outcome(path, streams, stream, false);
    CHECK_FALSE(outcome.failed);
    CHECK(outcome.heard.answer.text() == "one two three four");
    CHECK_FALSE(outcome.got.has("noise"));
    CHECK(outcome.status.find("\"undecodable\":1") != std::string::npos);
  });
}

TEST_CASE(
    "Codex gets `response.completed` for whatever another protocol's answer ends with, as long as "
    "it has text") {
  struct Row {
    FinishReason finish;
    std::string text;
    bool codex;
    const char* event;
  };
  for (const auto& row : {Row{FinishReason::length, "half an answer", true, "response.completed"},
                          Row{FinishReason::length, "half an answer", false, "response.incomplete"},
                          Row{FinishReason::refusal, "I will not", true, "response.completed"},
                          Row{FinishReason::refusal, "", true, "response.completed"},
                          Row{FinishReason::stop, "all of it", true, "response.completed"}}) {
    CAPTURE(row.event);
    CAPTURE(row.text);
    GatewayWorld world;
    world.add().reply(Reply::answer(row.text).think("well").with_finish(row.finish));
    world.serve(
        world.config(R"([[routes]]
model = "any"
chain = [{provider = "a", model = "m"}]
[providers.a]
protocol = "anthropic_messages"
base_url = "http://a.test:8001"
)"),
        [&](HttpClient& http) -> awaitable<void> {
          HttpRequest request("POST", paths()[2].path);
          request.with_header("content-type", "application/json").with_body(paths()[2].body);
          request.with_header("user-agent", row.codex ? "codex_exec/0.171.0" : "OpenAI/JS 7");
          const auto got = co_await send(http, std::move(request));
          CAPTURE(got.body);
          CHECK(got.has(std::string("event: ") + row.event));
          if (row.finish == FinishReason::refusal && row.text.empty()) {
            CHECK(got.has("declined to answer"));
          }
        });
  }
}
