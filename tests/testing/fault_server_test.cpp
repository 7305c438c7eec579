#include "understudy/testing/fault_server.hpp"

#include "testing/stage.hpp"

using namespace stage;

TEST_CASE(
    "a good answer, in each protocol, streamed and whole, with the model that was asked for") {
  for (const auto protocol : protocols) {
    for (const bool stream : {true, false}) {
      CAPTURE(to_string(protocol));
      CAPTURE(stream);
      FaultServer server;
      auto reply = Reply::answer().think("let me count").call("call_1", "count", R"({"to": 10})");
      server.reply(std::move(reply));
      const auto outcome = one(server, ask(protocol, stream));
      CHECK(!outcome.code);
      CHECK(outcome.status == 200);
      const auto got = read(protocol, outcome.body, stream);
      CHECK(got.ending == Ending::complete);
      CHECK(got.answer.text() == "one two three four five six seven eight nine ten");
      CHECK(got.answer.model == "m-1");
      CHECK(got.answer.finish == FinishReason::tool_use);
      CHECK(got.answer.usage.input == 3);
      REQUIRE(got.answer.blocks.size() == 3);
      CHECK(got.answer.blocks[1].text == "let me count");
      CHECK(got.answer.blocks[2].name == "count");
      CHECK(got.answer.blocks[2].arguments == R"({"to": 10})");
      CHECK(got.answer.blocks[2].complete);
      REQUIRE(server.requests() == 1);
      const auto& seen = server.connections()[0].requests[0];
      CHECK(seen.model == "m-1");
      CHECK(seen.head.method == "POST");
      CHECK(seen.head.target == target_of(protocol));
      CHECK(seen.head.headers.find("content-type") == "application/json");
      CHECK(seen.body == ask(protocol, stream).body);
    }
  }
}
