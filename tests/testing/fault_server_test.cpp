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

namespace {

/// What a client that waits for `patience` gets of one reply.
struct Got {
  Outcome outcome;
  Read read;
  Clock::duration took{};
  SeenConnection seen;
};

Got get(Reply reply, Protocol protocol = Protocol::openai_chat, Clock::duration patience = 60s,
        bool stream = true) {
  World world;
  FaultServer server;
  server.reply(std::move(reply));
  Got got;
  play(world, server, [&]() -> awaitable<void> {
    got.outcome = co_await one(world.client, ask(protocol, stream), patience);
    got.took = world.time.elapsed();
  });
  got.read = read(protocol, got.outcome.body, stream);
  got.seen = server.connections()[0];
  return got;
}

const error_code aborted = asio::error::operation_aborted;
const error_code reset = asio::error::connection_reset;

}  // namespace

TEST_CASE("faults of connections") {
  struct Row {
    Greeting greeting;
    error_code code;
    Clock::duration took;
    SeenEnd end;
  };
  const Row rows[] = {
      {Greeting::silence(), aborted, 7s, SeenEnd::client_reset},
      {Greeting::close(), NetFault::truncated, 0s, SeenEnd::client_reset},
      {Greeting::reset(), reset, 0s, SeenEnd::server},
      {Greeting::serve(), {}, 0s, SeenEnd::server},
  };
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.greeting.kind));
    World world;
    FaultServer server;
    server.greet(row.greeting);
    Outcome outcome;
    play(world, server, [&]() -> awaitable<void> {
      outcome = co_await one(world.client, ask(Protocol::openai_chat), 7s);
      CHECK(world.time.elapsed() == row.took);
      co_await sleep_for(1s);
    });
    CHECK(outcome.code == row.code);
    const auto& seen = server.connections()[0];
    CHECK(seen.end == row.end);
    CHECK(seen.requests.size() == (row.code ? 0 : 1));
    if (row.end == SeenEnd::client_reset) {
      CHECK(seen.ended - Clock::time_point() == row.took);
    }
  }
}

TEST_CASE("who never reads stalls the client's write, and yet sees it go") {
  World world;
  FaultServer server;
  server.greet(Greeting::unread());
  Recorder observer;
  play(world, server, [&]() -> awaitable<void> {
    const auto body = [&](Scope& scope) -> awaitable<void> {
      co_await asio::this_coro::throw_if_cancelled(false);
      scope.deadline(2s);
      HttpRequest request("POST", "/v1/messages");
      request.with_body(std::string(100'000, 'x'));
      const auto outcome = co_await fetch(world.client, http_endpoint(), request, observer);
      CHECK(outcome.code == aborted);
      CHECK(outcome.phase == Phase::write);
    };
    co_await with_scope(body);
    co_await sleep_for(10ms);
  });
  CHECK(observer.phases == std::vector<Phase>{Phase::connect, Phase::write});
  const auto& seen = server.connections()[0];
  CHECK(seen.end == SeenEnd::client_reset);
  CHECK(seen.ended - seen.began <= 2005ms);
  CHECK(server.requests() == 0);
}

TEST_CASE("before the head: a time of silence, silence, and the connection's end") {
  struct Row {
    Fault fault;
    error_code code;
    Clock::duration took;
  };
  const Row rows[] = {
      {Fault::pause(20s), {}, 20s},
      {Fault::silence(), aborted, 60s},
      {Fault::reset(), reset, 0s},
      {Fault::close(), NetFault::truncated, 0s},
  };
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.fault.kind));
    auto reply = Reply::answer().before_head(row.fault);
    const auto got = get(std::move(reply));
    CHECK(got.outcome.code == row.code);
    CHECK(got.outcome.status == (row.code ? 0 : 200));
    CHECK(got.took == row.took);
    CHECK(got.seen.requests.size() == 1);
    CHECK((got.seen.bytes_sent == 0) == static_cast<bool>(row.code));
  }
  CHECK_THROWS_AS(Reply::answer().before_head(Fault::end()), std::invalid_argument);
  CHECK_THROWS_AS(Reply::answer().before_head(Fault::silence(1s)), std::invalid_argument);
}

TEST_CASE(
    "silence in a stream, from every event on: no byte more, and the client's end is seen at "
    "once") {
  for (const auto protocol : protocols) {
    for (const std::size_t events : {0U, 1U, 2U, 5U}) {
      CAPTURE(to_string(protocol));
      CAPTURE(events);
      auto reply = Reply::answer().after(events, Fault::silence());
      const auto got = get(std::move(reply), protocol);
      CHECK(got.outcome.code == aborted);
      CHECK(got.outcome.status == 200);
      CHECK(got.took == 60s);
      CHECK(got.read.words == (events == 0 ? 0 : events - 1));
      CHECK(got.read.answer.model == (events == 0 ? "" : "m-1"));
      CHECK(got.read.ending == Ending::cut);
      CHECK(got.seen.end == SeenEnd::client_reset);
      CHECK(got.seen.ended - Clock::time_point() == 60s);
      CHECK(got.seen.sent_after(got.seen.requests[0].at) == 0);
    }
  }
}

TEST_CASE("heartbeats for ever are heartbeats to the decoder, and no progress") {
  for (const auto protocol : protocols) {
    for (const std::size_t events : {0U, 3U}) {
      CAPTURE(to_string(protocol));
      CAPTURE(events);
      auto reply = Reply::answer().after(events, Fault::silence(10s));
      const auto got = get(std::move(reply), protocol, 65s);
      CHECK(got.outcome.code == aborted);
      CHECK(got.read.heartbeats == 6);
      CHECK(got.read.words == (events == 0 ? 0 : events - 1));
      CHECK(got.read.undecodable == 0);
      CHECK(got.seen.ended - Clock::time_point() == 65s);
      const auto begin = got.seen.requests[0].at;
      CHECK(got.seen.sent_after(begin + 59s) > 0);
      CHECK(got.seen.sent_after(begin + 60s) == 0);
    }
  }
}

TEST_CASE("a pause ends, with heartbeats meanwhile or none; a drip has a pause before each event") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    auto thinking = Reply::answer().after(4, Fault::pause(90s, 10s));
    const auto thought = get(std::move(thinking), protocol, 600s);
    CHECK(!thought.outcome.code);
    CHECK(thought.took == 90s);
    CHECK(thought.read.heartbeats == 8);
    CHECK(thought.read.ending == Ending::complete);
    CHECK(thought.read.answer.text() == "one two three four five six seven eight nine ten");

    auto dripping = Reply::answer("one two three").dripping(1500ms);
    const auto dripped = get(std::move(dripping), protocol, 600s);
    CHECK(dripped.took == 5 * 1500ms);  // three words, the finish and the end
    CHECK(dripped.read.ending == Ending::complete);

    auto bytes = Reply::answer("one").dripping_bytes(1ms);
    const auto trickled = get(std::move(bytes), protocol, 600s);
    CHECK(trickled.read.ending == Ending::complete);
    CHECK(trickled.read.answer.text() == "one");
    CHECK(trickled.took == (trickled.seen.bytes_sent - 1) * 1ms);
  }
}

TEST_CASE(
    "ends in due form that are none: early, as an error, without a terminal; and bytes that say "
    "nothing") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    auto early = Reply::answer().after(3, Fault::end());
    const auto ended = get(std::move(early), protocol);
    CHECK(!ended.outcome.code);
    CHECK(ended.read.ending == Ending::cut);
    CHECK(ended.read.words == 2);

    for (const std::size_t events : {0U, 3U}) {
      CAPTURE(events);
      auto failing = Reply::answer().after(events, Fault::error("overloaded_error", "Overloaded"));
      const auto failed = get(std::move(failing), protocol);
      CHECK(!failed.outcome.code);
      CHECK(failed.read.ending == Ending::failed);
      CHECK(failed.read.error == "overloaded_error: Overloaded");
      CHECK(failed.read.words == (events == 0 ? 0 : 2));
    }

    auto odd = Reply::answer().after(3, Fault::bytes("data: {broken\n\n"));
    const auto lost = get(std::move(odd), protocol);
    CHECK(lost.read.undecodable == 1);
    CHECK(lost.read.ending == Ending::failed);

    auto endless = Reply::answer().after_finish(Fault::silence());
    const auto finished = get(std::move(endless), protocol);
    CHECK(finished.outcome.code == aborted);
    CHECK(finished.read.ending == Ending::complete);
    CHECK(finished.read.ended == (protocol == Protocol::openai_responses));

    auto open = Reply::answer().after(1000, Fault::silence());
    const auto said_all = get(std::move(open), protocol);
    CHECK(said_all.outcome.code == aborted);
    CHECK(said_all.read.ended);
  }
  auto no_done = Reply::answer().after_finish(Fault::end());
  const auto got = get(std::move(no_done), Protocol::openai_chat);
  CHECK(!got.outcome.code);
  CHECK(got.read.ending == Ending::complete);
  CHECK(!got.read.ended);
  CHECK(got.outcome.body.find("[DONE]") == std::string::npos);
}

TEST_CASE("cut at every byte, by RST and by FIN, in a head and in a body, and within a chunk") {
  const auto whole = get(Reply::answer("one")).seen.bytes_sent;
  REQUIRE(whole > 300);
  for (std::uint64_t at = 0; at < whole; ++at) {
    CAPTURE(at);
    auto resets = Reply::answer("one").reset_at(at);
    const auto broken = get(std::move(resets));
    CHECK(broken.outcome.code == reset);
    CHECK(broken.seen.bytes_sent == at);
    CHECK(broken.seen.end == SeenEnd::server);
    auto closes = Reply::answer("one").close_at(at);
    const auto closed = get(std::move(closes));
    CHECK(closed.outcome.code == NetFault::truncated);
    CHECK(closed.seen.bytes_sent == at);
    CHECK(closed.seen.end == SeenEnd::client_reset);
  }
  auto none = Reply::answer("one").close_at(whole + 1);
  CHECK(!get(std::move(none)).outcome.code);
  auto chunk = Reply::answer().after(3, Fault::truncated_chunk());
  const auto cut = get(std::move(chunk));
  CHECK(cut.outcome.code == NetFault::truncated);
  CHECK(cut.read.words == 2);
  CHECK(cut.outcome.body.ends_with("data: "));
}

TEST_CASE("an answer that is not streamed: one piece, and every fault before it") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    auto waiting = Reply::answer().after(3, Fault::pause(25s, 10s));
    const auto waited = get(std::move(waiting), protocol, 60s, false);
    CHECK(waited.took == 25s);
    CHECK(waited.outcome.body.starts_with("\n\n{"));
    CHECK(waited.read.ending == Ending::complete);
    auto failing = Reply::answer().after(0, Fault::error("api_error", "sorry"));
    const auto failed = get(std::move(failing), protocol, 60s, false);
    CHECK(failed.outcome.status == 200);
    CHECK(failed.read.ending == Ending::failed);
  }
}

TEST_CASE("error statuses in the protocol's words") {
  for (const auto protocol : protocols) {
    for (const unsigned status : {401U, 429U, 503U}) {
      CAPTURE(to_string(protocol));
      CAPTURE(status);
      auto reply = Reply::status(status, "not now").with_header("retry-after", "2");
      const auto got = get(std::move(reply), protocol);
      CHECK(!got.outcome.code);
      CHECK(got.outcome.status == status);
      std::string scratch;
      const auto error = codec_for(protocol).read_error(got.outcome.body, scratch);
      CHECK(error.message == "not now");
      CHECK(!error.type.empty());
    }
  }
}

TEST_CASE("what is no answer at all, and what precedes one") {
  CHECK(get(Reply::html()).outcome.body.starts_with("<!doctype html>"));
  CHECK(get(Reply::redirect("http://elsewhere.test/")).outcome.code == NetFault::redirect);
  CHECK(get(Reply::gzipped()).outcome.code == NetFault::content_encoding);
  CHECK(get(Reply::oversized_header()).outcome.code == NetFault::header_too_large);
  auto interim = Reply::answer().with_interim(100).with_interim(103);
  const auto got = get(std::move(interim));
  CHECK(got.outcome.status == 200);
  CHECK(got.read.ending == Ending::complete);
}

TEST_CASE("arguments sent again and finishes repeated, whole and as a stream: one answer") {
  for (const auto protocol : protocols) {
    for (const auto how : {Reply::Arguments::cumulative, Reply::Arguments::whole_again,
                           Reply::Arguments::pieces_again, Reply::Arguments::empty_first}) {
      for (const auto finishes : {Reply::Finishes::taken_back, Reply::Finishes::with_every_event,
                                  Reply::Finishes::twice}) {
        for (const bool stream : {true, false}) {
          CAPTURE(to_string(protocol));
          CAPTURE(static_cast<int>(how));
          CAPTURE(static_cast<int>(finishes));
          CAPTURE(stream);
          FaultServer server;
          server.reply(Reply::answer("one two three")
                           .call("call_1", "count", R"({"to": 10})")
                           .sending(how)
                           .reporting(finishes));
          const auto got = read(protocol, one(server, ask(protocol, stream)).body, stream);
          CHECK(got.ending == Ending::complete);
          CHECK(got.answer.text() == "one two three");
          CHECK(got.answer.finish == FinishReason::tool_use);
          REQUIRE(got.answer.blocks.size() == 2);
          CHECK(got.answer.blocks[1].arguments == R"({"to": 10})");
        }
      }
    }
  }
}
