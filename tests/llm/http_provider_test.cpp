#include "understudy/llm/http_provider.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "provider_faults.hpp"
#include "provider_world.hpp"

using namespace provider_test;
using namespace std::chrono_literals;

namespace {

constexpr std::array protocols{Protocol::anthropic_messages, Protocol::openai_chat,
                               Protocol::openai_responses};

}  // namespace

TEST_CASE(
    "every fault: its reason, its evidence, the fallback's answer in time, nothing left over") {
  for (const auto protocol : protocols) {
    for (const auto& fault : faults()) {
      CAPTURE(to_string(protocol));
      check_fault(fault, protocol, Transport::memory, scaled_down(2s));
    }
  }
}

TEST_CASE("an answer, in each protocol: asked for once, read whole, its connection kept") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    World world;
    auto& server = world.add(protocol);
    const auto told = world.ask();
    require_answer(told);
    CHECK(told.answer->text() == ten);
    CHECK(told.answer->finish == FinishReason::stop);
    CHECK(told.answer->model == "model-a");
    CHECK(told.answer->usage.output.has_value());
    CHECK(told.report.why() == "a/model-a answered");
    REQUIRE(server.requests() == 1);
    const auto& request = server.connections()[0].requests[0];
    CHECK(request.model == "model-a");
    CHECK(request.head.method == "POST");
    CHECK(request.head.headers.find("accept") == "text/event-stream");
    CHECK(told.idle_connections == 1);
  }
}

TEST_CASE(
    "a provider that cannot stream is asked for the whole, and one that does not is understood") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    World world;
    auto& server = world.add(protocol, false);
    const auto told = world.ask();
    require_answer(told);
    CHECK(told.answer->text() == ten);
    CHECK(server.connections()[0].requests[0].body.find("\"stream\":true") == std::string::npos);
  }
}

TEST_CASE(
    "after its first progress a stream fails by itself: cut, reset, stalled, an error; never a "
    "neat end") {
  struct Broken {
    std::string name;
    Fault fault;
    R reason;
    LimitClock clock;
  };
  for (const auto protocol : protocols) {
    for (const auto& broken :
         {Broken{"reset (S26)", Fault::reset(), R::connection, LimitClock::none},
          Broken{"FIN", Fault::close(), R::connection, LimitClock::none},
          Broken{"a truncated chunk", Fault::truncated_chunk(), R::connection, LimitClock::none},
          Broken{"the end, in due form", Fault::end(), R::malformed_response, LimitClock::none},
          Broken{"an error", Fault::error("overloaded_error", "Overloaded"), R::overloaded,
                 LimitClock::none},
          Broken{"silence", Fault::silence(), R::timeout, LimitClock::progress},
          Broken{"heartbeats", Fault::silence(300ms), R::timeout, LimitClock::progress}}) {
      CAPTURE(to_string(protocol));
      CAPTURE(broken.name);
      World world;
      auto& server = world.add(protocol);
      world.policy.with_stall(scaled_down(2s));
      server.reply(Reply::answer().dripping(10ms).after(6, broken.fault));
      const auto told = world.ask();
      REQUIRE(told.answer.has_error());
      CHECK(told.answer.error().code() == broken.reason);
      CHECK(told.answer.error().evidence().clock == broken.clock);
      CHECK_FALSE(told.text.empty());
      CHECK(ten.starts_with(told.text));
      CHECK(told.took <= 2100ms);
      CHECK(told.open_connections <= told.idle_connections);
    }
  }
}

// But for a reset right behind the last event, which takes from the kernel what was not read yet.
TEST_CASE("an answer that is complete stays so, however its connection ends") {
  for (const auto protocol : {Protocol::anthropic_messages, Protocol::openai_chat}) {
    for (const auto& fault : {Fault::silence(), Fault::silence(1s), Fault::close(),
                              Fault::truncated_chunk(), Fault::end()}) {
      CAPTURE(to_string(protocol));
      World world;
      world.add(protocol).reply(Reply::answer().dripping(10ms).after_finish(fault));
      const auto told = world.ask();
      require_answer(told);
      CHECK(told.answer->text() == ten);
      CHECK(told.took <= 5200ms);  // design.md 4: finish seen, end of stream not
    }
  }
}

TEST_CASE("interim responses are passed over, and an answer that drips is no stall") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    World world;
    world.policy.with_stall(scaled_down(2s));
    world.add(protocol).reply(Reply::answer().with_interim(100).with_interim(103).dripping(1500ms));
    const auto told = world.ask();
    require_answer(told);
    CHECK(told.answer->text() == ten);
    CHECK(told.took > 10s);  // ten words: longer in all than any limit, and no gap is
  }
}

TEST_CASE("a kept connection that is dead already costs neither an attempt nor a mark") {
  for (const bool when_idle : {true, false}) {
    CAPTURE(when_idle);
    World world;
    auto& server = world.add();
    auto first = Reply::answer();
    when_idle ? first.then_close_when_idle(50ms) : first.then_close_at_next_request();
    server.reply(first).reply(Reply::answer());
    world.keep_connections = true;
    require_answer(world.ask());
    const auto told = world.ask();
    require_answer(told);
    CHECK(told.report.attempts.size() == 1);
    CHECK(world.state.health().all_well());
    CHECK(server.connections().size() == 2);
  }
}

TEST_CASE(
    "a stall comes up from the socket as a value, and the caller's own awaits throw as before") {
  World world;
  auto& sick = world.add();
  sick.reply(Reply::answer().before_head(Fault::silence()));
  world.policy.with_stall(scaled_down(2s)).with_max_retries(0);
  const Request request("m");
  bool still_throws = false;
  Result<void> opened;
  auto open = [&](Attempt& attempt) -> awaitable<Result<Stream>> {
    auto stream = co_await world.providers[0].open(request, attempt);
    still_throws = co_await asio::this_coro::throw_if_cancelled();
    opened = stream.error();
    co_return stream;
  };
  auto body = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&] { return sick.serve(*world.acceptors[0]); });
    const auto outcome = co_await failover(world.chain, world.policy, world.state, std::move(open));
    CHECK(outcome.result.error().code() == R::timeout);
    CHECK(outcome.report.attempts.at(0).failure.message().empty());
    world.client->close();
    scope.cancel(StopReason::shutdown);
  };
  world.time->run(world.context, with_scope(std::move(body)));
  CHECK(still_throws);
  REQUIRE(opened.has_error());
  CHECK(opened.error().code() == asio::error::operation_aborted);
}

TEST_CASE("a model that does not think is not told how") {
  for (const auto* model : {"gpt-4o", "gpt-5.4"}) {
    for (const auto protocol : {Protocol::openai_chat, Protocol::openai_responses}) {
      CAPTURE(model);
      CAPTURE(to_string(protocol));
      World world;
      auto& server = world.add(protocol);
      world.chain[0] = Member("a", model).with_base_url(world.chain[0].base_url());
      Request request("m");
      request.origin = Protocol::anthropic_messages;
      request.thinking.mode = Thinking::Mode::adaptive;
      request.thinking.effort = "high";
      request.thinking.display = "summarized";
      require_answer(world.ask(std::move(request)));
      const auto& body = server.connections()[0].requests[0].body;
      CHECK(body.find(model) != std::string::npos);
      const bool thinks = std::string_view(model) == "gpt-5.4";
      CHECK((body.find(R"("high")") != std::string::npos) == thinks);
      CHECK((body.find(R"("summary")") != std::string::npos) ==
            (thinks && protocol == Protocol::openai_responses));
      CHECK((body.find("reasoning.encrypted_content") != std::string::npos) ==
            (thinks && protocol == Protocol::openai_responses));
    }
  }
}

TEST_CASE("an answer without an end is given up, and not kept for ever") {
  std::string words = "one ";
  for (std::size_t size = 0; size <= longest_answer; size += std::size_t{1024} * 1024) {
    words += std::string(std::size_t{1024} * 1024, 'a') + " ";
  }
  World world;
  auto& server = world.add(Protocol::openai_chat);
  server.reply(Reply::answer(words));
  const auto told = world.ask();
  REQUIRE(told.answer.has_error());
  CHECK(told.answer.error().code() == R::malformed_response);
  CHECK(told.answer.error().message().find("33554432 bytes") != std::string::npos);
  CHECK(told.open_connections == 0);
}
