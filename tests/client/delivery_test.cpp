#include "understudy/client/delivery.hpp"

#include <doctest/doctest.h>

#include "delivery_stage.hpp"

using namespace delivery_test;

TEST_CASE("an answer that nothing befalls passes as it is, once, and its report says who gave it") {
  for (const auto protocol : protocols) {
    for (const auto commit : {Commit(), Commit::after(750ms), Commit::whole()}) {
      Stage stage;
      stage.settings.with_commit(commit);
      stage.add(protocol).reply(Reply::answer().think("well, well").dripping(200ms));
      const auto told = stage.ask();
      require_answer(told);
      CHECK(told.text == ten);
      CHECK(told.answer->text() == ten);
      CHECK(told.answer->finish == FinishReason::stop);
      CHECK(told.retracts == 0);
      CHECK(told.report.attempts.size() == 1);
      CHECK_FALSE(told.report.code);
      CHECK(told.report.took == told.took);
      CHECK(told.report.attempts[0].took == told.took);
      CHECK(told.report.attempts[0].tokens_spent > 0);
      CHECK(stage.state.health().all_well());
      switch (commit.when()) {
        case Commit::When::first_progress: CHECK(told.began_after < 500ms); break;
        case Commit::When::after:
          CHECK(told.began_after >= 750ms);
          CHECK(told.began_after < 1300ms);
          break;
        case Commit::When::whole: CHECK(told.began_after == told.took); break;
      }
    }
  }
}

TEST_CASE("on_partial = fail: what breaks in the midst is a typed failure, and never a neat end") {
  for (const auto protocol : protocols) {
    for (const auto& [fault, reason] : breaks()) {
      CAPTURE(to_string(protocol));
      CAPTURE(to_string(reason));
      Stage stage;
      stage.policy.with_stall(scaled_down(2s));
      stage.add(protocol).reply(broken(fault));
      stage.add();
      const auto told = stage.ask();
      REQUIRE(told.answer.has_error());
      CHECK(told.answer.error().code() == reason);
      const bool lost = fault.kind == Fault::Kind::reset;
      CHECK(told.text == (lost ? "one two three" : "one two three four"));
      CHECK(told.retracts == 0);
      CHECK(told.report.code == reason);
      REQUIRE(told.report.attempts.size() == 1);
      CHECK(told.report.attempts[0].failure.code() == reason);
      CHECK(told.report.answer() == nullptr);
      const auto silent =
          told.took - (reason == R::timeout ? Clock::duration(2s) : Clock::duration(0s));
      CHECK(silent >= 40ms);
      CHECK(silent <= 41ms);
      CHECK(told.open_connections <= told.idle_connections);
      CHECK_FALSE(stage.state.health().all_well());  // the next call knows
    }
  }
}

TEST_CASE(
    "on_partial = restart: it is taken back, and the next member answers from the beginning") {
  for (const auto protocol : protocols) {
    for (const auto& [fault, reason] : breaks()) {
      CAPTURE(to_string(protocol));
      CAPTURE(to_string(reason));
      Stage stage;
      stage.policy.with_stall(scaled_down(2s));
      stage.settings.with_on_partial(OnPartial::restart);
      stage.can_retract = true;
      stage.add(protocol).reply(broken(fault));
      stage.add(Protocol::openai_responses);
      const auto told = stage.ask();
      require_answer(told);
      CHECK(told.text == ten);
      CHECK(told.answer->text() == ten);
      CHECK(told.retracts == 1);
      REQUIRE(told.report.attempts.size() == 2);
      CHECK(told.report.attempts[0].failure.code() == reason);
      CHECK(told.report.attempts[0].decision->action == Action::fail_over);
      CHECK(told.report.answer()->member.name() == "b/model-b");
      CHECK(told.open_connections <= told.idle_connections);
    }
  }
}

TEST_CASE("restart is only for a consumer that has declared that it can take things back") {
  Stage stage;
  stage.settings.with_on_partial(OnPartial::restart);
  stage.add().reply(broken(Fault::reset()));
  stage.add();
  const auto told = stage.ask();
  REQUIRE(told.answer.has_error());
  CHECK(told.answer.error().code() == R::connection);
  CHECK(told.retracts == 0);
}

TEST_CASE("restart: the member itself begins again, and the answer fails after max_resumes") {
  SUBCASE("itself") {
    Stage stage;
    stage.settings.with_on_partial(OnPartial::restart);
    stage.can_retract = true;
    stage.add().reply(broken(Fault::reset()));
    stage.add().reply(Reply::status(500, "no"));
    stage.policy.with_backoff(BackoffSettings(1ms, 1ms));
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.answer.error().code() == R::connection);
    CHECK(told.answer.error().attempts().size() >= 4);
    CHECK(told.retracts == 2);
    CHECK(told.text == "one two three");
  }
  SUBCASE("max_resumes") {
    Stage stage;
    stage.settings.with_on_partial(OnPartial::restart).with_max_resumes(2);
    stage.can_retract = true;
    for (int i = 0; i < 4; ++i) {
      stage.add().reply(broken(Fault::reset()));
    }
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.retracts == 2);
    CHECK(told.report.attempts.size() == 3);
  }
}

TEST_CASE(
    "an answer that breaks before its commit point: nobody notices, whatever on_partial says") {
  for (const auto commit : {Commit::after(750ms), Commit::whole()}) {
    for (const auto& [fault, reason] : breaks()) {
      CAPTURE(to_string(reason));
      if (fault.heartbeats > 0s && commit.when() == Commit::When::after) {
        continue;  // a heartbeat after the commit point: the answer is let go before it stalls
      }
      Stage stage;
      stage.policy.with_stall(scaled_down(2s))
          .with_backoff(BackoffSettings(1ms, 1ms))
          .with_max_retries(0);
      stage.settings.with_commit(commit);
      stage.add().reply(broken(fault, 100ms));
      stage.add();
      const auto told = stage.ask();
      require_answer(told);
      CHECK(told.text == ten);
      CHECK(told.retracts == 0);
      CHECK(told.report.attempts[0].failure.code() == reason);
    }
  }
}

TEST_CASE("a stall after the commit point waits for last_member where nobody could begin anew") {
  Stage stage;
  stage.policy.with_stall(scaled_down(2s).with_last_member(60s));
  stage.settings.with_on_partial(OnPartial::restart);
  stage.can_retract = true;
  stage.add().reply(broken(Fault::pause(30s)));
  SUBCASE("there is only one member: it gets its time") {
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.took >= 30s);
  }
  SUBCASE("another one is well: it does not") {
    stage.add();
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.retracts == 1);
    CHECK(told.took >= 2040ms);
    CHECK(told.took <= 2041ms);
  }
}

TEST_CASE("after a complete tool call nothing is generated anew: the failure names the call") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    Stage stage;
    stage.settings.with_on_partial(OnPartial::restart);
    stage.can_retract = true;
    stage.add(protocol).reply(Reply::answer("let me see")
                                  .call("call_7", "weather", R"({"city": "Oslo"})")
                                  .call("call_8", "weather", R"({"city": "Bergen"})")
                                  .dripping(10ms)
                                  .after(8, Fault::reset()));
    auto& other = stage.add();
    const auto told = stage.ask();
    if (protocol == Protocol::openai_chat) {
      // It does not say that a call is complete before the answer's end, so that nobody can have run it.
      require_answer(told);
      CHECK(told.retracts == 1);
      CHECK(told.text == ten);
    } else {
      REQUIRE(told.answer.has_error());
      CHECK(other.requests() == 0);
      CHECK(told.answer.error().message().find("`weather` (call_7)") != std::string::npos);
      CHECK(told.answer.error().code() == R::connection);
    }
  }
}

TEST_CASE("what the request is at fault for is returned, and nobody else is asked") {
  Stage stage;
  stage.settings.with_on_partial(OnPartial::restart);
  stage.can_retract = true;
  stage.add().reply(Reply::status(400, "max_tokens: must be at least 1", "invalid_request_error"));
  auto& other = stage.add();
  const auto told = stage.ask();
  REQUIRE(told.answer.has_error());
  CHECK(told.answer.error().code() == R::format_error);
  CHECK(other.requests() == 0);
}

TEST_CASE("the deadline ends an answer in its midst: nobody begins anew") {
  Stage stage;
  stage.policy.with_deadline(3s);
  stage.settings.with_on_partial(OnPartial::restart);
  stage.can_retract = true;
  stage.add().reply(Reply::answer().dripping(500ms));
  auto& other = stage.add();
  const auto told = stage.ask();
  REQUIRE(told.answer.has_error());
  CHECK(told.answer.error().code() == StopReason::deadline);
  CHECK(told.took == 3s);
  CHECK(other.requests() == 0);
  CHECK(stage.state.health().all_well());
}

TEST_CASE("the observer is told of the break, and of the call's end once") {
  class Counter final : public Observer {
   public:
    void attempt_ended(const AttemptReport&) override { ++ended; }
    void answer_broke(const AttemptReport& attempt) override {
      ++broken;
      reason = attempt.failure.code();
    }
    void call_ended(const CallReport& report) override {
      ++calls;
      attempts = report.attempts.size();
    }
    int ended = 0;
    int broken = 0;
    int calls = 0;
    std::size_t attempts = 0;
    error_code reason;
  } counter;
  Stage stage;
  stage.observer = &counter;
  stage.settings.with_on_partial(OnPartial::restart);
  stage.can_retract = true;
  stage.add().reply(broken(Fault::reset()));
  stage.add();
  require_answer(stage.ask());
  CHECK(counter.ended == 2);
  CHECK(counter.broken == 1);
  CHECK(counter.calls == 1);
  CHECK(counter.attempts == 2);
  CHECK(counter.reason == R::connection);
}

namespace {

/// A stream of the user's own: these events, and then this.
class OwnStream final : public StreamSource {
 public:
  using Then = std::function<awaitable<Result<bool>>()>;

  OwnStream(std::vector<Event> events, Then then)
      : events_(std::move(events)), then_(std::move(then)) {}

  Protocol protocol() const noexcept override { return Protocol::openai_chat; }
  const Event* try_next() override { return at_ < events_.size() ? &events_[at_++] : nullptr; }
  awaitable<Result<bool>> ready() override {
    if (at_ < events_.size()) {
      co_return true;
    }
    co_return co_await then_();
  }

 private:
  std::vector<Event> events_;
  Then then_;
  std::size_t at_ = 0;
};

awaitable<Result<bool>> gives_up(error_code code) { co_return Failure(code); }

/// "a" begins an answer, and then does this; "b" answers.
class OwnStreams {
 public:
  explicit OwnStreams(OwnStream::Then a_then) : a_then_(std::move(a_then)) {}

  DeliveryPlan plan() {
    auto open = [this](const Request&, Attempt& attempt) -> awaitable<Result<Stream>> {
      std::vector<Event> events{Event(Start("id", "m")), Event(Text(0, "one "))};
      auto then = a_then_;
      if (attempt.member().provider() == "b") {
        events.emplace_back(Text(0, "two"));
        events.emplace_back(Finish(FinishReason::stop, "stop"));
        then = []() -> awaitable<Result<bool>> { co_return false; };
      }
      co_return Stream(std::make_unique<OwnStream>(std::move(events), std::move(then)));
    };
    DeliveryPlan plan({Member("a", "m"), Member("b", "m")}, Policy(),
                      DeliverySettings().with_on_partial(OnPartial::restart), state,
                      std::make_shared<const Request>(Request("m")), std::move(open));
    plan.with_retract();
    return plan;
  }

  testing::VirtualTime time;
  asio::io_context context;
  State state;

 private:
  OwnStream::Then a_then_;
};

}  // namespace

TEST_CASE(
    "a stream of the user's own that gives up in mid-answer fails over by what its code means") {
  for (const auto& [code, reason] :
       {std::pair(error_code(asio::error::operation_aborted), R::timeout),
        std::pair(error_code(StopReason::deadline), R::timeout),
        std::pair(error_code(asio::error::eof), R::connection)}) {
    CAPTURE(code.message());
    OwnStreams streams([code = code] { return gives_up(code); });
    std::string text;
    CallReport report;
    const auto read = [&]() -> awaitable<void> {
      auto delivery = co_await deliver(streams.plan());
      while (const Event* event = co_await delivery.next()) {
        if (const auto* said = std::get_if<Text>(&event->body)) {
          text += said->text;
        } else if (std::holds_alternative<Retract>(event->body)) {
          text += '|';
        }
      }
      report = delivery.report();
    };
    streams.time.run(streams.context, read());
    CHECK(text == "one |one two");
    CHECK(report.attempts.at(0).failure.code() == reason);
  }
}

TEST_CASE(
    "what breaks in mid-answer because the caller has stopped it is no failure of the member") {
  OwnStreams streams([]() -> awaitable<Result<bool>> {
    co_await asio::this_coro::throw_if_cancelled(false);
    Timer socket(co_await asio::this_coro::executor);
    socket.expires_after(1h);
    co_await socket.async_wait(asio::as_tuple(asio::deferred));
    co_return Failure(asio::error::connection_reset);
  });
  error_code end;
  const auto read = [&](Scope& scope) -> awaitable<void> {
    scope.deadline(3s);
    auto delivery = co_await deliver(streams.plan());
    co_await delivery.next();
    co_await delivery.next();
    const auto ended = co_await delivery.ready();
    end = ended.error().code();
  };
  try {
    streams.time.run(streams.context, with_scope(read));
  } catch (const boost::system::system_error&) {
  }
  CHECK(end == StopReason::cancelled);
  CHECK(streams.state.health().all_well());
}
