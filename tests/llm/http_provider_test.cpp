#include "understudy/llm/http_provider.hpp"

#include <doctest/doctest.h>

#include <array>
#include <new>
#include <vector>

#include "provider_faults.hpp"
#include "provider_world.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/tool_form.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace http_provider_test {

using namespace provider_test;
using namespace std::chrono_literals;

namespace {

/// Connections that get no memory when they wait for bytes for the n-th time.
class Starved final : public Dialer {
 public:
  Starved(std::shared_ptr<Dialer> real, unsigned n) : real_(std::move(real)), waits_(n) {}

  awaitable<Connected> dial(Addresses addresses, std::uint16_t port) override {
    auto dialled = co_await real_->dial(std::move(addresses), port);
    if (dialled.has_error()) {
      co_return dialled.error();
    }
    co_return std::make_unique<Connection>(std::move(*dialled), waits_);
  }

 private:
  class Connection final : public ByteStream {
   public:
    Connection(std::unique_ptr<ByteStream> real, unsigned& waits)
        : ByteStream(real->get_executor()), real_(std::move(real)), waits_(waits) {}

    IoResult try_read(std::span<char> buffer) noexcept override { return real_->try_read(buffer); }
    IoResult try_write(std::string_view data) noexcept override { return real_->try_write(data); }
    awaitable<void> wait_readable() override {
      if (--waits_ == 0) {
        throw std::bad_alloc();
      }
      return real_->wait_readable();
    }
    awaitable<void> wait_writable() override { return real_->wait_writable(); }
    bool readable() const noexcept override { return real_->readable(); }
    void shutdown_send() noexcept override { real_->shutdown_send(); }
    void close() noexcept override { real_->close(); }
    void abort() noexcept override { real_->abort(); }

   private:
    std::unique_ptr<ByteStream> real_;
    unsigned& waits_;
  };

  std::shared_ptr<Dialer> real_;
  unsigned waits_;
};

/// Calls twice, so that the second call meets the first one's connection. What is told is the second's.
class CallTwice final : public World {
 public:
  explicit CallTwice(Clock::duration between = {}) : between_(between) {}

 private:
  awaitable<Told> call(const Request& request) override {
    const auto first = co_await World::call(request);
    require_answer(first);
    co_await sleep_for(between_);
    co_return co_await World::call(request);
  }

  Clock::duration between_;
};

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
      CHECK(told.took <= 5200ms);  // failover.md 2.2: finish seen, end of stream not
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

TEST_CASE("a kept connection that is seen to be dead is not used: no attempt, no mark") {
  CallTwice world(1s);
  auto& server = world.add();
  server.reply(Reply::answer().then_close_when_idle(50ms)).reply(Reply::answer());
  const auto told = world.ask();
  require_answer(told);
  CHECK(told.report.attempts.size() == 1);
  CHECK(world.state.health().all_well());
  CHECK(server.connections().size() == 2);
}

TEST_CASE(
    "a kept connection that closes at once: the request is sent again on a fresh one, which report "
    "and retry budget count, and no member is marked") {
  for (const auto protocol : protocols) {
    for (const bool stream : {true, false}) {
      for (const bool another : {true, false}) {
        CAPTURE(to_string(protocol));
        CAPTURE(stream);
        CAPTURE(another);
        CallTwice world;
        auto& server = world.add(protocol, stream);
        server.reply(Reply::answer().then_close_at_next_request()).reply(Reply::answer());
        if (another) {
          world.add();
        }
        const auto told = world.ask();
        require_answer(told);
        REQUIRE(told.report.attempts.size() == 2);
        CHECK(told.report.attempts[0].member.same_as(world.chain[0]));
        CHECK(told.report.attempts[0].failure.code() == R::stale_connection);
        CHECK(told.report.attempts[1].member.same_as(world.chain[0]));
        CHECK(told.took < 100ms);  // no backoff
        // Two calls came, and one request was sent again.
        CHECK(world.state.record(world.chain[0]).budget().balance() ==
              doctest::Approx(10 + 2 * 0.2 - 1));
        CHECK(world.state.health().all_well());
        CHECK(server.connections().size() == 2);
      }
    }
  }
}

TEST_CASE("no memory at any moment of an answer: no other member is asked, and none is marked") {
  unsigned after_progress = 0;
  for (unsigned wait = 1; wait <= 12; ++wait) {
    CAPTURE(wait);
    World world;
    world.client.emplace(world.context.get_executor(),
                         world.http.with_dialer(std::make_shared<Starved>(world.network, wait)));
    world.add().reply(Reply::answer().dripping(10ms));
    world.add();
    const auto told = world.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.answer.error().code() == LocalFault::memory);
    CHECK(told.report.attempts.size() == 1);
    CHECK(world.servers[1].requests() == 0);
    CHECK(world.state.health().all_well());
    after_progress += told.text.empty() ? 0 : 1;
  }
  CHECK(after_progress > 0);
  CHECK(after_progress < 12);
}

TEST_CASE(
    "a provider that works for 2 s on a kept connection and closes is not asked again unseen") {
  for (const bool another : {true, false}) {
    CAPTURE(another);
    CallTwice world;
    auto& server = world.add();
    server.reply(Reply::answer())
        .reply(Reply::answer().before_head(Fault::pause(2s)).close_at(0))
        .reply(Reply::answer());
    if (another) {
      world.add();
    }
    const auto told = world.ask();
    require_answer(told);
    REQUIRE(told.report.attempts.size() == 2);
    CHECK(told.report.attempts[0].failure.code() == R::connection);
    CHECK(told.report.attempts[0].took == 2s);
    CHECK(server.requests() == (another ? 2 : 3));
    CHECK(server.connections()[0].requests.size() == 2);
    CHECK(world.state.health().all_well() != another);  // a member that is left behind is marked
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

TEST_CASE("the answer names the client's tools, streamed or whole") {
  const auto asked =
      codec_for(Protocol::openai_responses)
          .read_request(
              R"({"model":"m","stream":true,"input":"q","tools":[{"type":"custom","name":"apply_patch"},)"
              R"({"type":"namespace","name":"docs","tools":[{"type":"function","name":"search"}]}]})");
  REQUIRE(asked.has_value());
  for (const auto protocol : {Protocol::anthropic_messages, Protocol::openai_chat}) {
    for (const bool stream : {true, false}) {
      CAPTURE(to_string(protocol));
      CAPTURE(stream);
      World world;
      world.add(protocol, stream)
          .reply(testing::Reply::answer()
                     .call("call_1", "apply_patch", R"({"input":"a patch"})")
                     .call("call_2", "docs__search", R"({"q":1})"));
      const auto told = world.ask(*asked);
      require_answer(told);
      REQUIRE(told.answer->blocks.size() == 3);  // text, then the calls
      const auto& patch = told.answer->blocks[1];
      CHECK(patch.form == ToolForm::custom);
      CHECK(patch.name == "apply_patch");
      CHECK(custom_input(patch.arguments) == "a patch");
      const auto& search = told.answer->blocks[2];
      CHECK(search.form == ToolForm::function);
      CHECK(search.name == "search");
      CHECK(search.name_space == "docs");
    }
  }
}

TEST_CASE("a request to compact is not sent to a member that cannot, and the next one is asked") {
  const auto asked =
      codec_for(Protocol::openai_responses)
          .read_request(
              R"({"model":"m","stream":true,"input":[{"role":"user","content":"q"},{"type":"compaction_trigger"}]})");
  REQUIRE(asked.has_value());
  {
    World world;
    auto& other = world.add(Protocol::anthropic_messages);
    auto& makers = world.add(Protocol::openai_responses);
    const auto told = world.ask(*asked);
    require_answer(told);
    CHECK(other.requests() == 0);
    CHECK(makers.requests() == 1);
  }
  World alone;
  alone.add(Protocol::openai_chat);
  const auto refused = alone.ask(*asked);
  REQUIRE(refused.answer.has_error());
  CHECK(refused.answer.error().code() == FailoverReason::unsupported_request);
  CHECK(refused.answer.error().message().find("compaction_trigger") != std::string::npos);
}

TEST_CASE("an agent's session at a server whose chat template has the system message first") {
  const auto asked =
      codec_for(Protocol::openai_chat)
          .read_request(
              R"({"model":"m","stream":true,"messages":[{"role":"system","content":"s"},)"
              R"({"role":"user","content":"q"},{"role":"system","content":"# Environment"}]})");
  REQUIRE(asked.has_value());
  for (const unsigned status : {400U, 500U}) {
    World world;
    auto& server = world.add(Protocol::openai_chat);
    server.reply(Reply::status(status, "System message must be at the beginning."))
        .reply(Reply::answer("one"));
    const auto told = world.ask(*asked);
    require_answer(told);
    REQUIRE(server.requests() == 2);
    std::vector<std::string> bodies;
    for (const auto& connection : server.connections()) {
      for (const auto& request : connection.requests) {
        bodies.push_back(request.body);
      }
    }
    const auto of = [](const std::string& body, std::string_view role) {
      return body.find("\"role\":\"" + std::string(role) + "\",\"content\":\"# Environment\"") !=
             std::string::npos;
    };
    CHECK(of(bodies[0], "system"));
    CHECK(of(bodies[1], "user"));
  }
}

}  // namespace http_provider_test
