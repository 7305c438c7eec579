#include "understudy/client/tool_loop.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "client_world.hpp"

using namespace client_test;

namespace {

Tool read_tool() {
  return {"read", "Reads a file.",
          R"({"type":"object","properties":{"path":{"type":"string"}},"required":["path"]})"};
}

/// A chain of one provider that answers as told, and a loop over it.
struct LoopWorld : ClientWorld {
  LoopWorld() : server(add()) {
    tools.add(read_tool(), [this](std::string arguments) -> awaitable<std::string> {
      ++running;
      most_running = std::max(most_running, running);
      seen.push_back(arguments);
      co_await sleep_for(takes);
      --running;
      co_return "contents";
    });
    talk.say("Read it.");
  }

  void run_loop(const ToolLimits& limits = ToolLimits()) {
    const auto configured = config(
        "[model]\nprovider = \"first\"\ndefault = \"m\"\n[providers.first]\n"
        "protocol = \"openai_chat\"\nbase_url = \"http://first.test:8001/v1\"\n");
    run(configured, [&](Client& client) -> awaitable<void> {
      const auto began = Clock::now();
      outcome = co_await run_tools(client, talk, tools, limits);
      took = Clock::now() - began;
    });
  }
  std::string last_body() const { return server.connections().back().requests.back().body; }

  FaultServer& server;
  Toolbox tools;
  Conversation talk;
  ToolLoopOutcome outcome;
  Clock::duration took{};
  Clock::duration takes = 0s;
  std::size_t running = 0;
  std::size_t most_running = 0;
  std::vector<std::string> seen;
};

Reply calls(int count) {
  auto reply = Reply::answer("");
  for (int i = 0; i < count; ++i) {
    const auto n = std::to_string(i);
    reply.call("call_" + n, "read", R"({"path":"f)" + n + "\"}");
  }
  return reply;
}

}  // namespace

TEST_CASE(
    "calls run in parallel within the limit, and their results are in the order of the calls") {
  LoopWorld world;
  world.server.reply(calls(5)).reply(Reply::answer("done"));
  world.takes = 10s;
  world.run_loop(ToolLimits().with_parallel(2));
  CHECK(world.outcome.result->text() == "done");
  CHECK(world.outcome.calls == 5);
  CHECK(world.most_running == 2);
  CHECK(world.took == 30s);
  const auto body = world.last_body();
  for (int i = 0; i < 4; ++i) {
    const auto at = [&](int n) {
      return body.find(R"("tool_call_id":"call_)" + std::to_string(n));
    };
    CHECK(at(i) < at(i + 1));
    CHECK(at(i + 1) != std::string::npos);
  }
}

TEST_CASE("what goes wrong in a tool is told to the model, which goes on") {
  struct Case {
    const char* what;
    Reply call;
    const char* told;
  };
  const std::vector<Case> cases{
      {"an unknown tool", Reply::answer("").call("c", "write", "{}"), "no tool named write"},
      {"arguments that are not JSON", Reply::answer("").call("c", "throws", "{\"a\":"), ""},
      {"an exception", Reply::answer("").call("c", "throws", "{}"),
       "the tool failed: no such file"},
      {"a tool that hangs", Reply::answer("").call("c", "hangs", "{}"), "longer than 5 s"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    LoopWorld world;
    world.tools.add(Tool("throws", "", ""), [](std::string) -> awaitable<std::string> {
      throw std::runtime_error("no such file");
      co_return "";
    });
    world.tools.add(Tool("hangs", "", ""), [](std::string) -> awaitable<std::string> {
      co_await sleep_for(24h);
      co_return "";
    });
    world.server.reply(one.call).reply(Reply::answer("I see"));
    world.run_loop(ToolLimits().with_time(5s));
    if (*one.told == '\0') {  // an answer that cannot be used is not an answer
      continue;
    }
    REQUIRE(world.outcome.result.has_value());
    CHECK(world.outcome.result->text() == "I see");
    CHECK(world.last_body().find(one.told) != std::string::npos);
  }
}

TEST_CASE("the bound on answers ends the loop with its calls open") {
  LoopWorld world;
  world.server.reply(calls(1));
  world.run_loop(ToolLimits().with_answers(3));
  REQUIRE(world.outcome.result.has_value());
  CHECK(world.outcome.reports.size() == 3);
  CHECK(world.outcome.calls == 2);
  CHECK(world.talk.open_calls().size() == 1);
}

TEST_CASE("a bound of no answers is one: no tool runs whose result nobody would read") {
  LoopWorld world;
  world.server.reply(calls(1));
  world.run_loop(ToolLimits().with_answers(0));
  CHECK(world.outcome.reports.size() == 1);
  CHECK(world.outcome.calls == 0);
  CHECK(world.talk.open_calls().size() == 1);
}

TEST_CASE("a failure ends the loop; the conversation is as before the call that failed") {
  LoopWorld world;
  world.server.reply(calls(1)).reply(Reply::status(400, "no"));
  world.run_loop();
  CHECK(world.outcome.result.has_error());
  CHECK(world.talk.open_calls().empty());
  CHECK(world.talk.request().messages.size() == 3);
}

TEST_CASE("tools are checked when they are added") {
  Toolbox tools;
  const auto none = [](std::string) -> awaitable<std::string> { co_return ""; };
  tools.add(read_tool(), none);
  CHECK_THROWS_AS(tools.add(read_tool(), none), std::invalid_argument);
  CHECK_THROWS_AS(tools.add(Tool("bad", "", "{\"type\":"), none), std::invalid_argument);
  CHECK_THROWS_AS(tools.add(Tool("list", "", "[]"), none), std::invalid_argument);
}

TEST_CASE("a malformed schema fails the call before anything is sent, and is named") {
  ClientWorld world;
  auto& server = world.add();
  world.add();
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    auto request = question();
    request.tools.emplace_back("level", "The level.", "{\"type\": object}");
    const auto whole = co_await client.complete(request);
    REQUIRE(whole.result.has_error());
    CHECK(whole.result.error().code() == R::format_error);
    CHECK(to_string(whole.result.error()).find("`level`") != std::string::npos);
    auto streamed = co_await client.stream(request);
    const auto ready = co_await streamed.ready();
    CHECK(ready.has_error());
    request.tools.clear();
    request.output.emplace().schema = "nonsense";
    const auto formatted = co_await client.complete(request);
    CHECK(formatted.result.has_error());
  });
  CHECK(server.requests() == 0);
}
