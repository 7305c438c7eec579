#include "understudy/client/shared_client.hpp"

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "client_world.hpp"
#include "understudy/net/tcp.hpp"

using namespace client_test;

namespace {

const std::string ten_words = "one two three four five six seven eight nine ten";

/// Reads all of an answer.
template <class Answer>
awaitable<std::string> text_of(Answer& answer) {
  std::string text;
  while (true) {
    const auto more = co_await answer.ready();
    if (more.has_error()) {
      text += " failed: " + to_string(more.error());
    }
    if (more.has_error() || !*more) {
      co_return text;
    }
    while (const Event* event = answer.try_next()) {
      if (const auto* said = std::get_if<llm::Text>(&event->body)) {
        text += said->text;
      }
    }
  }
}

/// A SharedClient in a ClientWorld: on one thread, in virtual time.
template <class Use>
void run_shared(ClientWorld& world, Use use) {
  const auto configured = world.config(report_file);
  world.run(configured, [&](Client&) -> awaitable<void> {
    SharedClient client(world.context.get_executor(), configured, world.state, world.options);
    co_await use(client);
    co_await client.close();
  });
}

}  // namespace

TEST_CASE("a whole answer, a streamed answer, and a failure") {
  ClientWorld world;
  world.add().reply(Reply::answer()).reply(Reply::answer()).reply(Reply::status(400, "no"));
  world.add().reply(Reply::status(400, "no"));
  run_shared(world, [&](SharedClient& client) -> awaitable<void> {
    const auto whole = co_await client.complete(question());
    REQUIRE(whole.result.has_value());
    CHECK(whole.result->text() == ten_words);
    auto answer = co_await client.stream(question());
    const auto text = co_await text_of(answer);
    CHECK(text == ten_words);
    CHECK(answer.report().answer() != nullptr);
    auto refused = co_await client.stream(question());
    const auto failed = co_await refused.ready();
    CHECK(failed.has_error());
    const auto again = co_await refused.ready();
    CHECK(again.has_error());
    CHECK(refused.report().attempts.size() == 1);
  });
}

TEST_CASE("one hop for each batch: what arrives together is fetched together") {
  ClientWorld world;
  world.add().reply(Reply::answer()).reply(Reply::answer().dripping(1s));
  world.add();
  run_shared(world, [&](SharedClient& client) -> awaitable<void> {
    auto at_once = co_await client.stream(question());
    co_await text_of(at_once);
    CHECK(at_once.batches() <= 3);
    auto dripping = co_await client.stream(question());
    const auto text = co_await text_of(dripping);
    CHECK(text == ten_words);
    CHECK(dripping.batches() >= 10);
  });
}

TEST_CASE("a batch is bounded, and nothing of a long answer is lost") {
  ClientWorld world;
  std::string longest;
  for (int i = 0; i < 20'000; ++i) {
    longest += "word" + std::to_string(i) + " ";
  }
  world.add().reply(Reply::answer(longest));
  world.add();
  run_shared(world, [&](SharedClient& client) -> awaitable<void> {
    auto answer = co_await client.stream(question());
    const auto text = co_await text_of(answer);
    CHECK(text == longest);
    CHECK(answer.batches() > 2);
  });
}

TEST_CASE(
    "an answer that is not read to its end is reported as stopped, and its connection closed") {
  ClientWorld world;
  auto& lead = world.add();
  lead.reply(Reply::answer().dripping(10s));
  world.add();
  run_shared(world, [&](SharedClient& client) -> awaitable<void> {
    auto answer = co_await client.stream(question());
    co_await answer.ready();
    answer = SharedAnswer();
    co_await sleep_for(1s);
  });
  CHECK(lead.connections().at(0).end == testing::SeenConnection::End::client_reset);
}

TEST_CASE("cancelled while it waits for an event") {
  ClientWorld world;
  auto& lead = world.add();
  lead.reply(Reply::answer().dripping(30s));
  world.add();
  run_shared(world, [&](SharedClient& client) -> awaitable<void> {
    asio::cancellation_signal stop;
    bool aborted = false;
    auto read = [&]() -> awaitable<void> {
      auto answer = co_await client.stream(question());
      co_await text_of(answer);
    };
    asio::co_spawn(world.context, std::move(read),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& error) {
                     aborted = error != nullptr;
                   }));
    co_await sleep_for(40s);
    stop.emit(asio::cancellation_type::terminal);
    co_await sleep_for(1s);
    CHECK(aborted);
  });
  CHECK(lead.connections().at(0).end == testing::SeenConnection::End::client_reset);
}

TEST_CASE(
    "the completion token of a plain Client, and an answer whose parts are awaited by callback") {
  ClientWorld world;
  world.add();
  world.add();
  world.run(world.config(report_file), [&](Client& client) -> awaitable<void> {
    std::string got;
    client.async_complete(
        question(), RequestOptions(),
        [&](const std::exception_ptr& error, understudy::Outcome<llm::Answer> outcome) {
          got = error ? "thrown" : outcome.result->text();
        });
    Delivery answer;
    bool more = false;
    client.async_stream(question(), RequestOptions(),
                        [&](const std::exception_ptr&, Delivery delivery) {
                          answer = std::move(delivery);
                          answer.async_ready([&](const std::exception_ptr&, Result<bool> ready) {
                            more = ready.has_value() && ready.value();
                          });
                        });
    co_await sleep_for(1s);
    CHECK(got == ten_words);
    CHECK(more);
    const auto text = co_await text_of(answer);
    CHECK(text == ten_words);
  });
}

TEST_CASE("calls and answers of eight threads over one SharedClient") {
  constexpr int threads = 8;
  constexpr int calls_each = 25;
  asio::io_context home;
  auto work = asio::make_work_guard(home);
  FaultServer server;
  TcpAcceptor acceptor(home.get_executor(), asio::ip::address_v4::loopback(), 0);
  asio::cancellation_signal stop;
  auto serve = [&] { return server.serve(acceptor); };
  asio::co_spawn(home, std::move(serve),
                 asio::bind_cancellation_slot(stop.slot(), [](const std::exception_ptr&) {}));
  std::thread runs([&] { home.run(); });

  const auto config = parse_config(
      "[model]\nprovider = \"here\"\ndefault = \"m\"\n[providers.here]\n"
      "protocol = \"openai_chat\"\nbase_url = \"http://127.0.0.1:" +
          std::to_string(acceptor.port()) + "/v1\"\n",
      "test.toml", {});
  REQUIRE(config.has_value());
  SharedClient client(home.get_executor(), *config, ClientState::make(*config).value());
  std::atomic<int> right = 0;
  auto one = [&](int number) -> awaitable<void> {
    if (number % 2 == 0) {
      const auto outcome = co_await client.complete(question());
      right += outcome.result.has_value() && outcome.result->text() == ten_words ? 1 : 0;
    } else {
      auto answer = co_await client.stream(question());
      const auto text = co_await text_of(answer);
      right += text == ten_words ? 1 : 0;
    }
  };
  {
    asio::thread_pool pool(threads);
    std::vector<std::future<void>> all;
    for (int i = 0; i < threads * calls_each; ++i) {
      auto call = [&one, i] { return one(i); };
      all.push_back(asio::co_spawn(pool, std::move(call), asio::use_future));
    }
    for (auto& future : all) {
      future.get();
    }
    client.async_close(asio::use_future).get();
  }
  CHECK(right == threads * calls_each);
  asio::post(home, [&] { stop.emit(asio::cancellation_type::terminal); });
  work.reset();
  runs.join();
}
