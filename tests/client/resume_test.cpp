// `on_partial = "resume"`: another member goes on with an answer that was cut. (What joins and what does not is
// seam_test.cpp's, what comes out recovery_test.cpp's.)
#include <doctest/doctest.h>

#include "delivery_stage.hpp"

using namespace delivery_test;

namespace {

class Resuming : public Stage {
 public:
  Resuming() {
    settings.with_on_partial(OnPartial::resume);
    policy.with_stall(scaled_down(2s)).with_backoff(BackoffSettings(1ms, 1ms));
  }

  /// What was asked of the server at that place, the last time.
  std::string asked_of(std::size_t place) const {
    std::string body;
    for (const auto& connection : servers[place].connections()) {
      for (const auto& request : connection.requests) {
        body = request.body;
      }
    }
    return body;
  }
};

void require_whole(const Told& told) {
  require_answer(told);
  CHECK(told.text == ten);
  CHECK(told.answer->text() == ten);
  CHECK(told.answer->finish == FinishReason::stop);
  CHECK(told.answer->blocks.size() == 1);
  CHECK(told.retracts == 0);
}

}  // namespace

TEST_CASE("however an answer breaks, another member goes on with it, in any two protocols") {
  for (const auto first : protocols) {
    for (const auto second : protocols) {
      for (const auto& [fault, reason] : breaks()) {
        CAPTURE(to_string(first));
        CAPTURE(to_string(second));
        CAPTURE(to_string(reason));
        Resuming stage;
        stage.add(first).reply(broken(fault));
        stage.add(second);
        const auto told = stage.ask();
        require_whole(told);
        CHECK(told.answer->model == "model-a");  // who was announced
        REQUIRE(told.report.attempts.size() == 2);
        CHECK(told.report.attempts[0].failure.code() == reason);
        CHECK(told.report.answer()->member.name() == "b/model-b");
        CHECK(told.open_connections <= told.idle_connections);
        CHECK(stage.asked_of(1).find("one two three") != std::string::npos);
      }
    }
  }
}

TEST_CASE("who goes on may repeat the end, or begin again; what says something else is refused") {
  const std::vector<std::pair<const char*, bool>> answers{
      {"two three four five six seven eight nine ten", true},
      {"one two three four five six seven eight nine ten", true},
      {"Sure, here is the rest: five six seven eight nine ten", false},
      {"five six seven eight nine ten", false},
      {"one two threw four five six seven eight nine ten", false},
      {"I cannot help with that.", false},
  };
  for (const auto& [answer, joins] : answers) {
    CAPTURE(answer);
    Resuming stage;
    stage.add().reply(broken(Fault::close()));
    stage.add().reply(Reply::answer(answer));
    const auto told = stage.ask();
    if (joins) {
      require_whole(told);
    } else {
      REQUIRE(told.answer.has_error());
      CHECK(told.text == "one two three four");
      CHECK(told.report.attempts[1].failure.code() == R::resume_mismatch);
      CHECK(told.report.attempts[1].decision->action == Action::mend);  // asked in another manner
      CHECK(told.report.attempts[2].member.name() == "b/model-b");
      // Of the first: the second is well.
      CHECK(stage.state.health().marks(Clock::now()).size() == 1);
    }
  }
}

TEST_CASE("where one does not go on as it should, the next is asked") {
  Resuming stage;
  stage.add().reply(broken(Fault::close()));
  stage.add().reply(Reply::answer("Certainly!"));
  stage.add();
  const auto told = stage.ask();
  require_whole(told);
  CHECK(told.report.attempts.size() == 4);  // the second was asked in two manners
}

TEST_CASE(
    "a member that takes a prefill gets the answer so far as its own, and goes on without "
    "repeating") {
  for (const auto second : protocols) {
    CAPTURE(to_string(second));
    Resuming stage;
    stage.takes_prefill = [](const Member& member) { return member.provider() == "b"; };
    stage.add().reply(broken(Fault::close()));
    stage.add(second).reply(Reply::answer(" five six seven eight nine ten"));
    require_whole(stage.ask());
  }
}

TEST_CASE("cut twice, rescued twice; not a third time") {
  for (const unsigned cuts : {2U, 3U}) {
    Resuming stage;
    for (unsigned i = 0; i < cuts; ++i) {
      stage.add().reply(Reply::answer().dripping(10ms).after(5 + i, Fault::close()));
    }
    stage.add();
    const auto told = stage.ask();
    if (cuts == 2) {
      require_whole(told);
    } else {
      REQUIRE(told.answer.has_error());
      CHECK(told.answer.error().code() == R::connection);
      CHECK(told.report.attempts.size() == 3);
    }
  }
}

TEST_CASE("an answer that was cut before any text begins anew") {
  Resuming stage;
  stage.add().reply(
      Reply::answer("").think("hmm, well").say(ten).dripping(10ms).after(2, Fault::close()));
  stage.add().reply(Reply::answer("").think("let me see").say(ten));
  const auto told = stage.ask();
  require_answer(told);
  CHECK(told.answer->text() == ten);
  CHECK(stage.asked_of(1).find("repeat") == std::string::npos);
}

TEST_CASE("a tool call that was cut has never been; who goes on makes it, once") {
  const std::string arguments = R"({"city": "Oslo", "days": 3})";
  for (const auto first : protocols) {
    for (const auto second : protocols) {
      CAPTURE(to_string(first));
      CAPTURE(to_string(second));
      const auto reply = Reply::answer("Let me look.").call("call_1", "weather", arguments);
      Resuming stage;
      stage.add(first).reply(Reply(reply).dripping(10ms).after(7, Fault::close()));
      stage.add(second).reply(reply);
      const auto told = stage.ask();
      require_answer(told);
      CHECK(told.text == "Let me look.");
      REQUIRE(told.answer->blocks.size() == 2);
      const auto& call = told.answer->blocks[1];
      CHECK(call.kind == AnswerBlock::Kind::tool_call);
      CHECK(call.arguments == arguments);
      CHECK(call.complete);
      CHECK(told.answer->finish == FinishReason::tool_use);
    }
  }
}

TEST_CASE(
    "cut in a tool call behind two characters: who makes the call at once is taken, in one read or "
    "many") {
  for (const Clock::duration gap : {0ms, 10ms}) {
    CAPTURE(gap.count());
    Resuming stage;
    const auto call = Reply::answer("Hm").call("call_1", "weather", R"({"city": "Oslo"})");
    stage.add().reply(Reply(call).after(3, Fault::close()));
    stage.add().reply(
        Reply::answer("").call("call_2", "weather", R"({"city": "Oslo"})").dripping(gap));
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.text == "Hm");
    REQUIRE(told.answer->blocks.size() == 2);
    CHECK(told.answer->blocks[1].id == "call_2");
  }
}

TEST_CASE(
    "the second of two calls was cut: the answer ends after the first, as one that waits for its "
    "result") {
  for (const auto protocol : {Protocol::anthropic_messages, Protocol::openai_responses}) {
    CAPTURE(to_string(protocol));
    Resuming stage;
    stage.add(protocol).reply(Reply::answer("let me see")
                                  .call("call_7", "weather", R"({"city": "Oslo"})")
                                  .call("call_8", "weather", R"({"city": "Bergen"})")
                                  .dripping(10ms)
                                  .after(8, Fault::close()));
    auto& other = stage.add();
    const auto told = stage.ask();
    require_answer(told);
    CHECK(other.requests() == 0);
    CHECK(told.answer->finish == FinishReason::tool_use);
    REQUIRE(told.answer->blocks.size() == 2);
    CHECK(told.answer->blocks[1].id == "call_7");
    CHECK(told.report.code == error_code());
    REQUIRE(told.report.answer() != nullptr);
    CHECK(told.report.answer()->inferred_finish);
    CHECK(told.report.answer()->failure.code() == R::connection);
    CHECK_FALSE(stage.state.health().all_well());
  }
}

TEST_CASE("a refusal by a content filter is no cut: nobody is asked to go on") {
  Resuming stage;
  stage.add(Protocol::openai_chat)
      .reply(Reply::answer().after(
          5, Fault::error("invalid_request_error", "flagged", "content_filter")));
  stage.add();
  const auto told = stage.ask();
  REQUIRE(told.answer.has_error());
  CHECK(told.answer.error().code() == R::content_policy_blocked);
  CHECK(told.report.attempts.size() == 1);
}

TEST_CASE("cancelled while another one is asked to go on: it ends at once") {
  Resuming stage;
  stage.policy.with_deadline(1s);
  stage.add().reply(broken(Fault::close()));
  stage.add().reply(Reply::answer().before_head(Fault::silence()));
  const auto told = stage.ask();
  REQUIRE(told.answer.has_error());
  CHECK(told.took <= 1s + 1ms);
  CHECK(told.open_connections == 0);
}

TEST_CASE("who asks twice whether there is something loses nothing") {
  for (const auto what : {OnPartial::fail, OnPartial::resume}) {
    Resuming stage;
    stage.settings.with_on_partial(what);
    stage.impatient = true;
    stage.add().reply(Reply::answer("").say(ten).call("call_1", "weather", "{}"));
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.text == ten);
    CHECK(told.answer->blocks.size() == 2);
  }
}
