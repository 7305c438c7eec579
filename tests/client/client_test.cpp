#include "understudy/client/client.hpp"

#include "client_world.hpp"

using namespace client_test;

namespace {

const std::string ten_words = "one two three four five six seven eight nine ten";

}  // namespace

TEST_CASE(
    "the report's file: the lead sends heartbeats for ever, and the understudy goes on after 240 "
    "s, its floor") {
  ClientWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer().after(1, Fault::silence(10s)));
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    const auto began = Clock::now();
    auto answer = co_await client.stream(question());
    Heard heard;
    co_await listen(answer, heard);
    CHECK_FALSE(heard.failure.code());
    CHECK(heard.text == ten_words);
    CHECK(Clock::now() - began == 240s);
    const auto& report = answer.report();
    REQUIRE(report.attempts.size() == 2);
    CHECK(report.attempts[0].failure.code() == R::timeout);
    CHECK(report.attempts[0].failure.evidence().heartbeats == 23);
    CHECK(*report.attempts[0].credential == "ANTHROPIC_API_KEY");
    CHECK(report.answer()->member.name() == "openai-codex/gpt-5.5");
    // Whatever was saved in one call is not paid again by the next.
    const auto second = Clock::now();
    auto next = co_await client.stream(question());
    Heard again;
    co_await listen(next, again);
    CHECK(again.text == ten_words);
    CHECK(Clock::now() - second == 0s);
  });
  CHECK(lead.requests() == 1);
  CHECK(sent(lead, 0, "x-api-key") == "the lead's key");
  CHECK(lead.connections()[0].requests[0].model == "claude-opus-4-7");
  CHECK(lead.connections()[0].end == testing::SeenConnection::End::client_reset);
  CHECK(sent(understudy, 0, "authorization") == "Bearer the understudy's key");
  CHECK(understudy.connections()[0].requests[0].head.target == "/v1/responses");
  CHECK(understudy.connections()[0].requests[0].model == "gpt-5.5");
}

TEST_CASE(
    "complete: a member that breaks in the midst of its answer has failed, and nobody sees it") {
  ClientWorld world;
  world.add().reply(Reply::answer("all wrong").dripping(10ms).after(2, Fault::truncated_chunk()));
  world.add();
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    const auto outcome = co_await client.complete(question());
    REQUIRE(outcome.result.has_value());
    CHECK(outcome.result->text() == ten_words);
    CHECK(outcome.result->finish == FinishReason::stop);
    CHECK(outcome.report.attempts[0].failure.code() == R::connection);
    CHECK(outcome.report.answer()->tokens_spent > 0);
  });
}

TEST_CASE("a whole answer with the provider's own JSON, if that is asked for in its protocol") {
  for (const auto& asked : {std::optional(Protocol::anthropic_messages),
                            std::optional(Protocol::openai_chat), std::optional<Protocol>()}) {
    ClientWorld world;
    world.add();
    world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
      RequestOptions options;
      options.provider_json = asked;
      const auto outcome = co_await client.complete(question(), options);
      REQUIRE(outcome.result.has_value());
      const auto& json = outcome.result->provider_json;
      CHECK(outcome.result->text() == ten_words);
      CHECK(json.empty() == (asked != Protocol::anthropic_messages));
      CHECK((json.find("\"text\":\"" + ten_words + "\"") != std::string::npos) == !json.empty());
    });
  }
}

TEST_CASE("a route: its own chain and settings, for the model that the client asks for") {
  ClientWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  const auto config = world.config(report_file + R"(
[[routes]]
model = "quick"
chain = [{ provider = "anthropic", model = "claude-haiku-4-5" },
         { provider = "openai-codex", model = "gpt-5.5-mini" }]
stall = { first_progress = "2s" }
)");
  world.run(config, [&](Client& client) -> awaitable<void> {
    const auto began = Clock::now();
    auto answer = co_await client.stream(question("quick"));
    Heard heard;
    co_await listen(answer, heard);
    CHECK(heard.text == ten_words);
    CHECK(Clock::now() - began == 2s);
  });
  CHECK(lead.connections()[0].requests[0].model == "claude-haiku-4-5");
  CHECK(understudy.connections()[0].requests[0].model == "gpt-5.5-mini");
}

TEST_CASE("authorization = \"bearer\": a Messages provider gets its key so, and not as x-api-key") {
  ClientWorld world;
  auto& server = world.add();
  const auto config = world.config(R"(
[model]
default = "m"
provider = "setup"
[providers.setup]
protocol = "anthropic_messages"
base_url = "http://lead.test:8001"
authorization = "bearer"
credentials = [{env = "ANTHROPIC_API_KEY"}]
)");
  world.run(config, [&](Client& client) -> awaitable<void> {
    const auto outcome = co_await client.complete(question());
    CHECK(outcome.result.has_value());
  });
  CHECK(sent(server, 0, "authorization") == "Bearer the lead's key");
  const auto& request = server.connections()[0].requests[0];
  CHECK_FALSE(request.head.headers.find("x-api-key"));
  CHECK(request.head.target == "/v1/messages");
}

TEST_CASE("what one call has of its own: deadline, commit point, retract, observer") {
  class Count final : public Observer {
   public:
    void call_ended(const CallReport&) override { ++calls; }
    int calls = 0;
  } of_client, of_call;
  ClientWorld world;
  world.options.with_observer(of_client);
  world.add().reply(Reply::answer().dripping(1s));
  world.add();
  world.run(world.config(report_file + "[stall]\n"), [&](Client& client) -> awaitable<void> {
    {
      auto answer = co_await client.stream(question(), RequestOptions().with_deadline(3s));
      Heard heard;
      co_await listen(answer, heard);
      CHECK(heard.failure.code() == StopReason::deadline);
      CHECK(of_client.calls == 1);
    }
    {
      const auto began = Clock::now();
      auto answer = co_await client.stream(
          question(), RequestOptions().with_commit(Commit::whole()).with_observer(of_call));
      CHECK(Clock::now() - began >= 9s);
      CHECK(answer.try_next() != nullptr);
    }
    CHECK(of_call.calls == 1);
    CHECK(of_client.calls == 1);
  });
}

TEST_CASE("an answer outlives its client; dropped in its midst, its connection is closed at once") {
  ClientWorld world;
  auto& lead = world.add();
  world.add();
  lead.reply(Reply::answer().dripping(1s));
  const auto config = world.config(report_file);
  world.run(config, [&](Client&) -> awaitable<void> {
    std::optional<Delivery> answer;
    {
      Client brief(co_await asio::this_coro::executor, config, world.state);
      answer.emplace(co_await brief.stream(question()));
    }
    Heard heard;
    co_await listen(*answer, heard);
    CHECK(heard.text == ten_words);
    {
      Client other(co_await asio::this_coro::executor, config, world.state);
      auto dropped = co_await other.stream(question());
    }
    const auto now = Clock::now();
    co_await sleep_for(10ms);
    CHECK(lead.connections().back().sent_after(now) == 0);
    CHECK(world.state->state().health().all_well());
  });
}

TEST_CASE(
    "a user who goes away: operation_aborted, the connection closed, nobody marked or asked") {
  ClientWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    std::optional<error_code> stopped;
    auto body = [&](Scope& scope) -> awaitable<void> {
      auto leave = [&]() -> awaitable<void> {
        co_await sleep_for(5s);
        scope.cancel(StopReason::cancelled);
      };
      scope.spawn(std::move(leave));
      auto answer = co_await client.stream(question());
    };
    try {
      co_await with_scope(std::move(body));
    } catch (const boost::system::system_error& error) {
      stopped = error.code();
    }
    CHECK(stopped == StopReason::cancelled);
    CHECK(world.state->state().health().all_well());
  });
  CHECK(lead.connections().size() == 1);
  CHECK(understudy.requests() == 0);
}

TEST_CASE(
    "a user who goes away amid an answer and keeps it: its connection is closed all the same") {
  ClientWorld world;
  auto& lead = world.add();
  world.add();
  lead.reply(Reply::answer().dripping(10ms).after(5, Fault::silence()));
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    auto answer = co_await client.stream(question());
    auto body = [&](Scope& scope) -> awaitable<void> {
      auto leave = [&]() -> awaitable<void> {
        co_await sleep_for(5s);
        scope.cancel(StopReason::cancelled);
      };
      scope.spawn(std::move(leave));
      Heard heard;
      co_await listen(answer, heard);
    };
    CHECK_THROWS_AS(co_await with_scope(std::move(body)), boost::system::system_error);
    co_await sleep_for(10ms);
    CHECK(lead.open_connections() == 0);
    const auto again = co_await answer.ready();
    CHECK(again.error().code() == StopReason::cancelled);
    CHECK(answer.report().code == StopReason::cancelled);
    CHECK(world.state->state().health().all_well());
  });
}

TEST_CASE("a provider of the user's own, by its name") {
  class Fixed final : public Provider {
   public:
    awaitable<Result<Stream>> open(const Request&, Attempt& attempt) override {
      ++asked;
      attempt.enter(Phase::first_progress);
      co_return Failure(R::overloaded, "not today");
    }
    int asked = 0;
  };
  const auto own = std::make_shared<Fixed>();
  ClientWorld world;
  world.add();
  world.add();
  world.options.with_provider("anthropic", own);
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    auto answer = co_await client.stream(question());
    Heard heard;
    co_await listen(answer, heard);
    CHECK(heard.text == ten_words);
    CHECK(own->asked == 1);
    CHECK(answer.report().attempts[0].failure.code() == R::overloaded);
  });
  CHECK(world.servers[0].requests() == 0);
}

TEST_CASE(
    "a member whose provider nobody knows is a bug of the program, and said when it is made") {
  asio::io_context context;
  ClientWorld world;
  auto config = world.config(report_file);
  const auto state = ClientState::make(config, world.state_options()).value();
  config.main.chain[0].provider = "nobody";
  CHECK_THROWS_AS(Client(context.get_executor(), config, state), std::invalid_argument);
}

TEST_CASE("the io_context is destroyed amid a call, a refresh and a stream: cleanly") {
  ClientWorld world;
  world.add().reply(Reply::answer().dripping(1s));
  world.add();
  const auto config = world.config(report_file);
  const auto state = ClientState::make(config, world.state_options()).value();
  {
    std::optional<Client> client(std::in_place, world.context.get_executor(), config, state);
    auto use = [&]() -> awaitable<void> {
      auto answer = co_await client->stream(question());
      Heard heard;
      co_await listen(answer, heard);
    };
    asio::co_spawn(world.context, std::move(use), [](const std::exception_ptr&) {});
    auto serve = [&] { return world.servers[0].serve(*world.acceptors[0]); };
    asio::co_spawn(world.context, std::move(serve), [](const std::exception_ptr&) {});
    world.time.run_for(world.context, 3s);
  }
  CHECK(world.servers[0].requests() == 1);
}
