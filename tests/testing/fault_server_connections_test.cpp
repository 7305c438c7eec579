// Scripts in their order, connections that are kept or not, what was seen, and who ends what.
#include "testing/stage.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace stage;

namespace {

/// A client that says word for word what a test wants, and gives what it heard until the end.
awaitable<std::string> converse(World& world, std::string said, std::string until) {
  auto stream = co_await world.network->dial(Addresses(), 80);
  co_await say(**stream, said);
  co_return co_await hear(**stream, until);
}

}  // namespace

TEST_CASE("the example of the header") {
  World world;
  auto& client = world.client;
  const auto acceptor = world.network->listen(80);
  const auto ask_three_times = [&](HttpClient& asking) -> awaitable<void> {
    const auto request = ask(Protocol::openai_responses);
    const auto stalled = co_await one(asking, request, 25s);
    CHECK(stalled.code == asio::error::operation_aborted);
    const auto limited = co_await one(asking, request);
    CHECK(limited.status == 429);
    const auto good = co_await one(asking, request);
    CHECK(good.status == 200);
  };
  FaultServer server;
  const auto example = [&]() -> awaitable<void> {
    server
        .reply(Reply::answer("one two three").after(2, Fault::silence(10s)))  // heartbeats
        .reply(Reply::status(429, "slow down").with_header("retry-after", "2"))
        .reply(Reply::answer("one two three"));
    co_await race(server.serve(*acceptor), ask_three_times(client));
    CHECK(server.open_connections() == 0);
    CHECK(server.connections()[0].end == SeenConnection::End::client_reset);
  };
  world.time.run(world.context, example());
  CHECK(world.time.elapsed() == 25s);
  CHECK(server.requests() == 3);
}

TEST_CASE(
    "scripts are handed out in order, the last one repeats; by model, by target, or to anybody") {
  World world;
  FaultServer server;
  server.reply(Reply::status(500, "first")).reply(Reply::status(503, "later"));
  server.reply_to("m-1", Reply::status(401, "m-1"));
  server.reply_to("/v1/messages", Reply::status(402, "messages"))
      .reply_to("/v1/messages", Reply::status(403, "messages again"));
  std::vector<unsigned> statuses;
  play(world, server, [&]() -> awaitable<void> {
    for (const auto* model : {"m-2", "m-1", "m-2", "m-2"}) {
      const auto outcome = co_await one(world.client, ask(Protocol::openai_chat, true, model));
      statuses.push_back(outcome.status);
    }
    for (const auto* model : {"m-2", "m-1", "m-2", "m-2"}) {
      const auto outcome =
          co_await one(world.client, ask(Protocol::anthropic_messages, true, model));
      statuses.push_back(outcome.status);
    }
  });
  CHECK(statuses == std::vector<unsigned>{500, 401, 503, 503, 402, 401, 403, 403});
  CHECK(server.connections().size() == 1);  // kept
  CHECK(server.connections()[0].requests.size() == 8);
}

TEST_CASE("a reply can be decided when the request comes") {
  World world;
  FaultServer server;
  server.reply_to("m-1", Reply::status(500, "in place of this"));
  server.reply_to("m-1", [](const SeenRequest& request) {
    return Reply::status(Clock::now() == request.at && request.model == "m-1" ? 401 : 500, "");
  });
  play(world, server, [&]() -> awaitable<void> {
    const auto decided = co_await one(world.client, ask(Protocol::openai_chat));
    CHECK(decided.status == 401);
    const auto other = co_await one(world.client, ask(Protocol::openai_chat, true, "m-2"));
    CHECK(other.status == 200);
  });
}

TEST_CASE(
    "a connection that is not kept, or closed while idle, or just as the next request comes") {
  struct Row {
    Reply reply;
    Clock::duration between;
    std::size_t connections;
  };
  const Row rows[] = {
      {Reply::answer(), 1s, 1},
      {Reply::answer().then_close(), 1s, 3},
      {Reply::answer().then_close_when_idle(2s), 1s, 1},
      {Reply::answer().then_close_when_idle(2s), 3s, 3},
      {Reply::answer().then_close_at_next_request(), 1s, 3},
  };
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.reply.next));
    World world;
    FaultServer server;
    server.reply(row.reply);
    play(world, server, [&]() -> awaitable<void> {
      for (int i = 0; i < 3; ++i) {
        auto outcome = co_await one(world.client, ask(Protocol::anthropic_messages));
        const bool at_next = row.reply.next == Reply::After::close_at_next_request;
        if (at_next && i > 0) {
          CHECK(outcome.code == NetFault::stale_connection);
          outcome = co_await one(world.client, ask(Protocol::anthropic_messages));
        }
        CHECK(!outcome.code);
        CHECK(outcome.status == 200);
        co_await sleep_for(row.between);
      }
    });
    CHECK(server.connections().size() == row.connections);
    CHECK(server.requests() == 3);
  }
}

TEST_CASE("a client that leaves by FIN is told from one that resets, at every stage") {
  const std::string request =
      "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
  for (const bool resets : {false, true}) {
    for (const auto said : {std::size_t{0}, std::size_t{20}, request.size()}) {
      CAPTURE(resets);
      CAPTURE(said);
      World world;
      FaultServer server;
      auto page = Reply::page(200, "text/plain", "x").before_head(Fault::silence());
      server.reply(std::move(page));
      play(world, server, [&]() -> awaitable<void> {
        auto stream = co_await world.network->dial(Addresses(), 80);
        co_await say(**stream, std::string_view(request).substr(0, said));
        co_await sleep_for(3s);
        if (resets) {
          (*stream)->abort();
        } else {
          (*stream)->close();
        }
        co_await sleep_for(3s);
      });
      const auto& seen = server.connections()[0];
      CHECK(seen.end == (resets ? SeenEnd::client_reset : SeenEnd::client_closed));
      CHECK(seen.ended - seen.began == 3s);
      CHECK(seen.requests.size() == (said == request.size() ? 1 : 0));
      CHECK(seen.complaint.empty() == (said != 20));
    }
  }
}

TEST_CASE("requests that cannot be understood, and those that wait for leave to go on") {
  World world;
  FaultServer server;
  std::vector<std::string> heard;
  play(world, server, [&]() -> awaitable<void> {
    for (const auto* body : {"{}", "no"}) {
      std::string said = "POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
      said.append("content-length: 2\r\n\r\n").append(body);
      heard.push_back(co_await converse(world, std::move(said), ""));
    }
    heard.push_back(co_await converse(world, "GARBAGE\r\n\r\n", ""));
    const std::string head =
        "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    heard.push_back(co_await converse(world, head, "\r\n\r\n"));
  });
  CHECK(heard[0].starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(heard[1].starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(heard[1].find("invalid_request_error") != std::string::npos);
  CHECK(heard[2] == "<End of file>");
  CHECK(heard[3] == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(server.connections()[1].requests[0].body == "no");
  CHECK(!server.connections()[2].complaint.empty());
  CHECK(server.connections()[2].end == SeenEnd::server);
}

TEST_CASE("serving ends when the acceptor is closed and the last connection has ended") {
  World world;
  FaultServer server;
  server.reply(Reply::answer().then_close());
  const auto acceptor = world.network->listen(80);
  const auto both = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&] { return server.serve(*acceptor); });
    scope.spawn([&]() -> awaitable<void> {
      co_await sleep_for(1s);
      acceptor->close();
    });
    auto stream = co_await world.network->dial(Addresses(), 80);
    co_await sleep_for(5s);
    CHECK(server.open_connections() == 1);
    (*stream)->close();
    co_await scope.join();
  };
  world.time.run(world.context, with_scope(both));
  CHECK(world.time.elapsed() == 5s);
  CHECK(server.connections()[0].end == SeenEnd::client_closed);
}

TEST_CASE("several clients at once, each with its own script, in the order in which they came") {
  World world;
  FaultServer server;
  server.greet(Greeting::silence()).greet(Greeting::serve());
  server.reply(Reply::answer("one").before_head(Fault::pause(4s))).reply(Reply::answer("two"));
  std::vector<std::string> texts(3);
  play(world, server, [&]() -> awaitable<void> {
    const auto all = [&](Scope& scope) -> awaitable<void> {
      for (auto& text : texts) {
        auto client = [&]() -> awaitable<void> {
          const auto outcome = co_await one(world.client, ask(Protocol::openai_chat), 5s);
          text = read(Protocol::openai_chat, outcome.body).answer.text();
        };
        scope.spawn(std::move(client));
      }
      co_await scope.join();
    };
    co_await with_scope(all);
  });
  CHECK(texts == std::vector<std::string>{"", "one", "two"});
  CHECK(world.time.elapsed() == 5s);
}
