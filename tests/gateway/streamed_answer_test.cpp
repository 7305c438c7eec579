#include "../../lib/gateway/streamed_answer.hpp"

#include <algorithm>

#include "../llm/strict_client.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

/// What stands behind each place where `what` does, up to a comma or the line's end.
std::vector<std::string> all_after(const std::string& text, std::string_view what) {
  std::vector<std::string> found;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    const auto begin = at + what.size();
    found.push_back(text.substr(begin, text.find_first_of(",\n}", begin) - begin));
  }
  return found;
}

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

struct Heartbeats {
  std::size_t comments;
  std::size_t pings;
  std::size_t keepalives;
};

Heartbeats heartbeats_in(const std::string& body) {
  return {count_of(body, "\n: keep-alive\n\n"), count_of(body, "event: ping\n"),
          count_of(body, "event: keepalive\n")};
}

/// What the strictest client of the protocol has to say about it.
std::string complaint_of(const Got& got, Protocol protocol) {
  return strict_client::read(protocol, got.body, true).complaint;
}

}  // namespace

TEST_CASE("a stall before the commit point fails over, and the client sees only comments") {
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
    "heartbeats also within an answer, while its provider thinks for long or a tool call grows "
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
        const auto [comments, pings, keepalives] = heartbeats_in(got.body);
        CHECK(comments + pings + keepalives == 3);  // after 15, 30 and 45 s
        CHECK(pings == (path.protocol == Protocol::anthropic_messages ? 3 : 0));
        const auto numbers = all_after(got.body, "\"sequence_number\":");
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          CHECK(numbers[i] == std::to_string(i));
        }
        const auto heard = read(got, path.protocol);
        CHECK(heard.ending == Ending::complete);
        CHECK(heard.answer.text() == ten);
        CHECK(complaint_of(got, path.protocol) == "");
      });
    }
  }
}

TEST_CASE("an answer that breaks ends with an error event, and no client takes it for complete") {
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
      CHECK(complaint_of(got, path.protocol) == "");
    });
  }
}

TEST_CASE(
    "an answer that breaks is resumed by another member: one valid message, whatever protocols "
    "are spoken") {
  for (const auto& path : paths()) {
    for (const auto lead : protocols) {
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
        CHECK(complaint_of(got, path.protocol) == "");
        // What Responses' clients assemble an answer by: numbers that increase, one id for the message, and
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

TEST_CASE(
    "a client that does not read blocks its own answer, for a bounded time, and no member is "
    "marked") {
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

TEST_CASE(
    "a provider that writes / as \\/ in its model's name: the client gets its bytes unchanged") {
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
    "a provider that ends after its finish without a terminal: every client gets its protocol's "
    "terminal, once") {
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
                      R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},)"
                      R"("usage":{"output_tokens":1}})"
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

TEST_CASE("a sentence that a proxy sends as an event stream reaches the client") {
  for (const auto& path : paths()) {
    CAPTURE(path.path);
    GatewayWorld world;
    world.add().reply(Reply::page(200, "text/event-stream", "upstream connect error: no route\n"));
    world.serve(world.config(speaks_chat), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      CHECK(got.status >= 400);
      CHECK(got.body.find("upstream connect error: no route") != std::string::npos);
    });
  }
}

TEST_CASE("losses: in the header, or in a comment at the end where the header cannot have them") {
  const Path path{Protocol::anthropic_messages, "/v1/messages",
                  R"({"model":"any","stream":true,"max_tokens":99,"top_k":5,)"
                  R"("messages":[{"role":"user","content":"Is it full?"}]})"};
  for (const bool early_head : {false, true}) {
    CAPTURE(early_head);
    GatewayWorld world;
    world.add().reply(Reply::status(529, "Overloaded", "overloaded_error"));
    world.add().reply(early_head ? Reply::answer(ten).before_head(Fault::pause(20s))
                                 : Reply::answer(ten));
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      const auto got = co_await post(http, path);
      const bool in_header = got.header("x-understudy-losses").find("top_k") != std::string::npos;
      CHECK(in_header == !early_head);
      CHECK(got.has("\n\n: understudy-losses: ") == early_head);
      CHECK(got.has("dropped top_k") == early_head);
      CHECK(complaint_of(got, path.protocol) == "");
    });
  }
}

TEST_CASE("losses that do not fit the header are in the comment, and the header is no longer") {
  std::string body = R"({"model":"any","stream":true,"max_tokens":99,)";
  for (int i = 0; i < 40; ++i) {
    body += "\"an_unheard_of_member_" + std::to_string(i) + "\":1,";
  }
  body += R"("messages":[{"role":"user","content":"Is it full?"}]})";
  GatewayWorld world;
  world.add().reply(Reply::status(529, "Overloaded", "overloaded_error"));
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const Path path{Protocol::anthropic_messages, "/v1/messages", body.c_str()};
    const auto got = co_await post(http, path);
    const auto header = got.header("x-understudy-losses");
    CHECK(header.size() <= 512);
    CHECK(header.find("an_unheard_of_member_0") != std::string::npos);
    const auto comment = got.body.find(": understudy-losses: ");
    REQUIRE(comment != std::string::npos);
    CHECK(got.body.find("an_unheard_of_member_39", comment) != std::string::npos);
    CHECK(got.body.find("an_unheard_of_member_0,", comment) == std::string::npos);
  });
}
