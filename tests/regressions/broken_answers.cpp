// What `understudy simulate` found of answers that break.
#include <doctest/doctest.h>

#include "../client/delivery_stage.hpp"

using namespace delivery_test;

namespace {

class Resuming : public Stage {
 public:
  Resuming() { settings.with_on_partial(OnPartial::resume); }
};

}  // namespace

TEST_CASE(
    "an error behind an answer's finish: the answer is complete, and nobody goes on with it") {
  for (const auto protocol : {Protocol::anthropic_messages, Protocol::openai_chat}) {
    CAPTURE(to_string(protocol));
    Resuming stage;
    stage.add(protocol).reply(
        Reply::answer().after_finish(Fault::error("overloaded_error", "Overloaded")));
    auto& other = stage.add();
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.text == ten);
    CHECK(told.answer->finish == FinishReason::stop);
    CHECK(told.report.attempts.size() == 1);
    CHECK(other.requests() == 0);
  }
}

TEST_CASE(
    "cut in a tool call: who says something else and then calls is refused, in one read or many") {
  for (const Clock::duration gap : {0ms, 10ms}) {
    CAPTURE(gap.count());
    Resuming stage;
    stage.add().reply(Reply::answer("Let me look.")
                          .call("call_1", "weather", R"({"city": "Oslo"})")
                          .after(5, Fault::close()));
    stage.add().reply(
        Reply::answer("I cannot know that.").call("call_2", "ask", "{}").dripping(gap));
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.report.attempts[1].failure.code() == R::resume_mismatch);
    CHECK(told.text == "Let me look.");
  }
}
