#include "understudy/client/structured.hpp"

#include <boost/describe.hpp>
#include <string>

#include "client_world.hpp"
#include "understudy/client/typed_tools.hpp"

using namespace client_test;

namespace structured_test {

struct Level {
  std::string tank;
  int percent = 0;
};
BOOST_DESCRIBE_STRUCT(Level, (), (tank, percent))

struct LevelQuery {
  std::string tank;
};
BOOST_DESCRIBE_STRUCT(LevelQuery, (), (tank))

/// A provider that answers as told, and is asked for a Level.
struct StructuredWorld : ClientWorld {
  StructuredWorld() : server(add()) {}

  void ask() {
    with_client([&](Client& client) -> awaitable<void> {
      Request request;
      request.messages.emplace_back(Role::user, "How full is the north tank?");
      outcome = co_await complete_as<Level>(client, std::move(request));
    });
  }
  template <class Body>
  void with_client(Body body) {
    const auto configured = config(
        "[model]\nprovider = \"first\"\ndefault = \"m\"\n[providers.first]\n"
        "protocol = \"openai_chat\"\nbase_url = \"http://first.test:8001/v1\"\n");
    run(configured, std::move(body));
  }
  std::string last_body() const { return server.connections().back().requests.back().body; }

  FaultServer& server;
  StructuredOutcome<Level> outcome;
};

TEST_CASE("an answer is a value of the type that was asked for by its schema") {
  StructuredWorld world;
  world.server.reply(Reply::answer(R"({"tank":"north","percent":93})"));
  world.ask();
  REQUIRE(world.outcome.result.has_value());
  CHECK(world.outcome.result->percent == 93);
  CHECK(world.outcome.reports.size() == 1);
  const auto body = world.last_body();
  CHECK(body.find(R"("json_schema")") != std::string::npos);
  CHECK(body.find(R"("required":["tank","percent"])") != std::string::npos);
}

TEST_CASE("JSON in a fence of Markdown, with words around it, is read") {
  StructuredWorld world;
  world.server.reply(
      Reply::answer("Here it is:\n```json\n{\"tank\":\"north\",\"percent\":93}\n```\nGood luck."));
  world.ask();
  REQUIRE(world.outcome.result.has_value());
  CHECK(world.outcome.result->tank == "north");
}

TEST_CASE("an answer of another form is asked for once more, and the model is told what is wrong") {
  StructuredWorld world;
  world.server.reply(Reply::answer(R"({"tank":"north","percent":"93 %"})"));
  world.server.reply(Reply::answer(R"({"tank":"north","percent":93})"));
  world.ask();
  REQUIRE(world.outcome.result.has_value());
  CHECK(world.outcome.result->percent == 93);
  CHECK(world.outcome.answers.size() == 2);
  CHECK(world.outcome.reports.size() == 2);
  const auto body = world.last_body();
  CHECK(body.find("93 %") != std::string::npos);
  CHECK(body.find("percent: a number is expected, and a string was found") != std::string::npos);
}

TEST_CASE("a second answer of another form is a failure, and no member is blamed") {
  StructuredWorld world;
  world.server.reply(Reply::answer("I cannot know."));
  world.server.reply(Reply::answer("I still cannot."));
  world.ask();
  REQUIRE(world.outcome.result.has_error());
  CHECK(world.outcome.result.error().code() == FailoverReason::malformed_response);
  CHECK(world.outcome.result.error().message().find("not a JSON object") != std::string::npos);
  CHECK(world.outcome.answers.size() == 2);
  CHECK(world.outcome.reports.back().attempts.back().answered());
}

TEST_CASE("typed tools: arguments of their type run, others are told to the model") {
  StructuredWorld world;
  world.server.reply(Reply::answer("")
                         .call("c1", "level", R"({"tank":"north"})")
                         .call("c2", "level", R"({"tank":7})"));
  world.server.reply(Reply::answer("93 percent."));
  std::vector<std::string> asked;
  Toolbox tools;
  add_tool<LevelQuery>(tools, "level", "The level of a tank",
                       [&](LevelQuery query) -> awaitable<Level> {
                         asked.push_back(query.tank);
                         Level level;
                         level.tank = query.tank;
                         level.percent = 93;
                         co_return level;
                       },
                       {{"tank", "north or south"}});
  ToolLoopOutcome outcome;
  world.with_client([&](Client& client) -> awaitable<void> {
    Conversation talk;
    talk.say("How full is it?");
    outcome = co_await run_tools(client, talk, tools);
  });
  CHECK(outcome.result->text() == "93 percent.");
  CHECK(asked == std::vector<std::string>{"north"});
  const auto body = world.last_body();
  CHECK(body.find(R"({\"tank\":\"north\",\"percent\":93})") != std::string::npos);
  CHECK(body.find("tank: a string is expected, and a number was found") != std::string::npos);
  CHECK(body.find("north or south") != std::string::npos);
}

}  // namespace structured_test
