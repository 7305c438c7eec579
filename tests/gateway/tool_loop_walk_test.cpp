// The tool loop of the library before strict doubles that bind reasoning to its maker: nothing is refused or lost.
#include <string>
#include <vector>

#include "understudy/client/tool_loop.hpp"
#include "walk_stage.hpp"

namespace tool_loop_walk {

using namespace walk_stage;

Tool read_tool() {
  return {"read", "Reads a file.",
          R"({"type":"object","properties":{"path":{"type":"string"}},"required":["path"]})"};
}

Request thinking_request(const std::string& model) {
  Request request(model);
  request.system.emplace_back("You read files.");
  request.max_tokens = 4096;
  request.thinking.mode = Thinking::Mode::adaptive;
  request.thinking.effort = "high";
  return request;
}

TEST_CASE("a tool loop with thinking over each maker's strict double: nothing is refused or lost") {
  for (const char* id : {"anthropic", "openai-responses", "codex", "deepseek", "gemini", "kimi"}) {
    CAPTURE(id);
    Stage stage({host(id)});
    int ran = 0;
    stage.play(stage.configuration(), [&](HttpClient&) -> awaitable<void> {
      const auto configured = stage.config(stage.configuration());
      Client client(stage.context.get_executor(), configured, stage.state, stage.options);
      Toolbox tools;
      tools.add(read_tool(), [&](std::string) -> awaitable<std::string> {
        ++ran;
        co_return "contents of the file";
      });
      Conversation talk(thinking_request("any"));
      for (int i = 0; i < 10; ++i) {
        talk.say("Read file " + std::to_string(i));
        const auto outcome = co_await run_tools(client, talk, tools);
        REQUIRE(outcome.result.has_value());
        CHECK(outcome.calls == 1);
        CHECK(outcome.reports.size() == 2);
      }
      co_await client.close();
    });
    CHECK(ran == 10);
    CHECK(stage.refused() == 0);
    CHECK(stage.answered(0) == 20);
  }
}

TEST_CASE(
    "a tool loop that fails over to another maker and comes back keeps each one's reasoning") {
  const std::vector<std::vector<Host>> chains{
      {host("anthropic"), host("openai-responses")},
      {host("openai-responses"), host("anthropic")},
      {host("deepseek"), host("anthropic")},
  };
  for (const auto& chain : chains) {
    CAPTURE(chain.front().id);
    Stage stage(chain);
    stage.play(stage.configuration("return = \"at_once\"\n"), [&](HttpClient&) -> awaitable<void> {
      const auto configured = stage.config(stage.configuration("return = \"at_once\"\n"));
      Client client(stage.context.get_executor(), configured, stage.state, stage.options);
      Toolbox tools;
      tools.add(read_tool(), [](std::string) -> awaitable<std::string> { co_return "contents"; });
      Conversation talk(thinking_request("any"));
      for (int i = 0; i < 12; ++i) {
        if (i == 4) {
          stage.down.insert(0);
        } else if (i == 8) {
          stage.down.clear();
          co_await sleep_for(10min);  // its cooldown is over
        }
        talk.say("Read file " + std::to_string(i));
        const auto outcome = co_await run_tools(client, talk, tools);
        REQUIRE(outcome.result.has_value());
      }
      co_await client.close();
    });
    CHECK(stage.refused() == 0);
    CHECK(stage.answered(0) == 16);
    CHECK(stage.answered(1) == 8);
    CHECK((stage.restored(0) > 0 || chain.front().id == "deepseek"));  // which seals nothing
  }
}

}  // namespace tool_loop_walk
