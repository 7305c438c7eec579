// Whoever can resumes an answer that broke midway: the order in which members are asked, and the bounds.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "delivery_stage.hpp"
#include "understudy/failover/detail/prospect.hpp"
#include "understudy/llm/codec.hpp"

using namespace delivery_test;
using namespace std::chrono_literals;

namespace {

const std::string one_to_ten = "one two three four five six seven eight nine ten";

class Rescue : public Stage {
 public:
  Rescue() { settings.with_on_partial(OnPartial::resume); }

  /// The members that were asked, in order.
  static std::string asked(const Told& told) {
    std::string names;
    for (const auto& attempt : told.report.attempts) {
      names += attempt.member.provider();
    }
    return names;
  }

  /// Another call has failed at the member just now.
  void mark(std::size_t member, R reason,
            std::optional<Clock::duration> retry_after = std::nullopt) {
    Health::Probe none;
    const auto keys = understudy::detail::health_keys(chain[member], std::nullopt);
    state.health().failed(keys, reason, retry_after, state.next_call(), Clock::now(), Clock::now(),
                          none);
  }

  /// The bodies that a member has got.
  std::vector<std::string> bodies(std::size_t member) const {
    std::vector<std::string> all;
    for (const auto& connection : servers[member].connections()) {
      for (const auto& request : connection.requests) {
        all.push_back(request.body);
      }
    }
    return all;
  }
};

void require_ten(const Told& told) {
  require_answer(told);
  CHECK(told.text == one_to_ten);
  CHECK(told.answer->finish == FinishReason::stop);
}

}  // namespace

TEST_CASE("the only member of a chain resumes its own answer") {
  for (const auto& [fault, reason] : breaks()) {
    CAPTURE(to_string(reason));
    Rescue stage;
    stage.add().reply(broken(fault)).reply(Reply::answer());
    const auto told = stage.ask();
    require_ten(told);
    CHECK(stage.asked(told) == "aa");
  }
}

TEST_CASE("a fallback in cooldown rescues an answer that has begun, as a probe") {
  Rescue stage;
  stage.add().reply(broken(Fault::silence()));
  stage.add();
  stage.mark(1, R::overloaded);
  const auto told = stage.ask();
  require_ten(told);
  CHECK(stage.asked(told) == "ab");
  CHECK(told.report.attempts[1].kind == AttemptKind::probe);
  CHECK(told.took < 200s);                                      // not the limit of a last member
  CHECK(stage.state.health().marks(Clock::now()).size() == 1);  // the first member's
}

TEST_CASE("the order: healthy members, the member itself if it was cut, members in cooldown") {
  Rescue stage;
  stage.add().reply(broken(Fault::reset())).reply(Reply::status(500, "no"));
  stage.add().reply(Reply::status(500, "no"));
  stage.add();
  stage.mark(2, R::overloaded);
  stage.policy.with_backoff(BackoffSettings(1ms, 1ms));
  const auto told = stage.ask();
  require_ten(told);
  CHECK(stage.asked(told) == "abac");
}

TEST_CASE("a member that stalled is asked after all others") {
  Rescue stage;
  stage.add().reply(broken(Fault::silence())).reply(Reply::answer());
  stage.add().reply(Reply::status(500, "no"));
  stage.add().reply(Reply::status(529, "busy", "overloaded_error"));
  stage.mark(2, R::overloaded);
  const auto told = stage.ask();
  require_ten(told);
  CHECK(stage.asked(told) == "abca");
}

TEST_CASE("two faults in a row: a rescue that breaks is rescued") {
  for (const auto& [fault, reason] : breaks()) {
    CAPTURE(to_string(reason));
    Rescue stage;
    stage.add().reply(broken(fault)).reply(Reply::answer());
    stage.add().reply(Reply::answer().dripping(10ms).after(8, fault)).reply(Reply::answer());
    const auto told = stage.ask();
    require_ten(told);
  }
}

TEST_CASE("one member is listed twice: its second place is another chance") {
  Rescue stage;
  stage.add().reply(broken(Fault::reset())).reply(Reply::answer());
  stage.chain.push_back(stage.chain[0]);
  require_ten(stage.ask());
}

TEST_CASE("however short the delivered text is, a new answer that begins with it joins") {
  Rescue stage;
  stage.add().reply(Reply::answer("Hi there, friend").dripping(10ms).after(2, Fault::close()));
  stage.add().reply(Reply::answer("Hi you"));
  const auto told = stage.ask();
  require_answer(told);
  CHECK(told.text == "Hi you");
}

TEST_CASE(
    "a member that does not resume in one manner is asked in the next: tail, then from the start") {
  Rescue stage;
  stage.add().reply(broken(Fault::close()));
  stage.add().reply(Reply::answer("Certainly! five six")).reply(Reply::answer(one_to_ten));
  const auto told = stage.ask();
  require_ten(told);
  CHECK(stage.asked(told) == "abb");
  const auto bodies = stage.bodies(1);
  REQUIRE(bodies.size() == 2);
  CHECK(bodies[0].find("one two three four") != std::string::npos);
  CHECK(bodies[1].find("<answer>one two three<") == std::string::npos);
}

TEST_CASE("after a prefill: nothing left to say is the answer's end") {
  Rescue stage;
  stage.takes_prefill = [](const Member& member) { return member.provider() == "b"; };
  stage.add().reply(Reply::answer(one_to_ten).dripping(10ms).after(11, Fault::close()));
  stage.add().reply(Reply::answer(""));
  const auto told = stage.ask();
  require_ten(told);
}

TEST_CASE("a member that ignores a prefill does not double the text") {
  Rescue stage;
  stage.takes_prefill = [](const Member&) { return true; };
  stage.add().reply(broken(Fault::close()));
  stage.add().reply(Reply::answer(one_to_ten));
  require_ten(stage.ask());
}

TEST_CASE("a resume appends to the client's own bytes, and keeps all of them") {
  const std::string conversation =
      R"([{"role":"user", "content":"Is it full?"},{"role":"assistant","content":"Wait."},  {"role":"user","content":[{"type":"text","text":"Well?","x_unknown":1.50}]})";
  for (const auto protocol : {Protocol::anthropic_messages, Protocol::openai_chat}) {
    CAPTURE(to_string(protocol));
    Rescue stage;
    stage.add(protocol).reply(broken(Fault::reset())).reply(Reply::answer());
    Request request = *codec_for(protocol).read_request(
        R"({"model":"model-a","max_tokens":99,"x_own":{"b":1,"a":2},"messages":)" + conversation +
        R"(],"stream":true})");
    const auto told = stage.ask(request);
    require_ten(told);
    const auto bodies = stage.bodies(0);
    REQUIRE(bodies.size() == 2);
    CAPTURE(bodies[1]);
    CHECK(bodies[0].find(conversation + "]") != std::string::npos);
    CHECK(bodies[1].find(conversation + ",") != std::string::npos);
    CHECK(bodies[1].find(R"("x_own":{"b":1,"a":2})") != std::string::npos);
    CHECK(bodies[1].find("<answer>one two three<") != std::string::npos);
  }
}

TEST_CASE(
    "live tool calls: fragments at once; cut within a call the answer fails, after it it ends") {
  const auto reply = Reply::answer("let me see").call("call_7", "weather", R"({"city": "Oslo"})");
  SUBCASE("whole") {
    Rescue stage;
    stage.settings.with_tool_calls(ToolCallDelivery::live);
    stage.add().reply(reply);
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.answer->blocks.at(1).arguments == R"({"city": "Oslo"})");
  }
  SUBCASE("cut within the call") {
    Rescue stage;
    stage.settings.with_tool_calls(ToolCallDelivery::live);
    stage.add().reply(Reply(reply).dripping(10ms).after(6, Fault::close()));
    stage.add();
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(stage.asked(told) == "a");
  }
  SUBCASE("cut before the call") {
    Rescue stage;
    stage.settings.with_tool_calls(ToolCallDelivery::live);
    stage.add().reply(Reply(reply).dripping(10ms).after(3, Fault::close()));
    stage.add().reply(reply);
    const auto told = stage.ask();
    require_answer(told);
    CHECK(told.answer->blocks.at(1).arguments == R"({"city": "Oslo"})");
  }
}

TEST_CASE("a total outage is waited out: at growing intervals, and no longer than `wait_out`") {
  Rescue stage;
  stage.policy.with_wait_out(30s).with_max_retries(0);
  SUBCASE("of 12 s") {
    const auto began = Clock::now();
    auto outage = [=](const testing::SeenRequest&) {
      return Clock::now() - began < 12s ? Reply::status(529, "busy", "overloaded_error")
                                        : Reply::answer();
    };
    stage.add().reply_to("model-a", outage);
    stage.add().reply_to("model-b", outage);
    const auto told = stage.ask();
    require_ten(told);
    CHECK(told.took >= 12s);
    CHECK(told.took <= 20s);
    CHECK(told.report.attempts.size() <= 8);
  }
  SUBCASE("without end") {
    auto outage = [](const testing::SeenRequest&) {
      return Reply::status(529, "busy", "overloaded_error");
    };
    stage.add().reply_to("model-a", outage);
    stage.add().reply_to("model-b", outage);
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.answer.error().code() == R::overloaded);
    CHECK(told.took >= 15s);
    CHECK(told.took <= 31s);
    CHECK(told.report.attempts.size() <= 8);
  }
  SUBCASE("without end, and with retries: only in the first round") {
    stage.policy.with_max_retries(2);
    auto outage = [](const testing::SeenRequest&) { return Reply::status(500, "oh"); };
    stage.add().reply_to("model-a", outage);
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.answer.error().code() == R::server_error);
    CHECK(told.report.attempts.size() >= 5);
    CHECK(told.report.attempts.size() <= 3 + 5);
  }
  SUBCASE("a limit that ends within it") {
    stage.add()
        .reply(Reply::status(429, "slow down", "rate_limit_error").with_header("retry-after", "20"))
        .reply(Reply::answer());
    const auto told = stage.ask();
    require_ten(told);
    CHECK(told.took >= 20s);
    CHECK(told.took <= 21s);
  }
  SUBCASE("not for what does not pass") {
    stage.add().reply(Reply::status(402, "no funds", "billing_error"));
    const auto told = stage.ask();
    REQUIRE(told.answer.has_error());
    CHECK(told.took < 1s);
  }
}

TEST_CASE(
    "a stream that hangs after a complete call ends there, and does not wait as for a last "
    "member") {
  Rescue stage;
  stage.add().reply(Reply::answer("let me see")
                        .call("call_7", "weather", R"({"city": "Oslo"})")
                        .call("call_8", "weather", R"({"city": "Bergen"})")
                        .dripping(10ms)
                        .after(8, Fault::silence(1s)));
  const auto told = stage.ask();
  require_answer(told);
  CHECK(told.answer->finish == FinishReason::tool_use);
  CHECK(told.answer->blocks.size() == 2);
  CHECK(told.took < 200s);
}

TEST_CASE("usage after a rescue is the answer's: the prompt as it was, without what was repeated") {
  std::optional<Told> whole;
  {
    Rescue stage;
    stage.add();
    whole = stage.ask();
  }
  const auto& alone = *whole;
  require_ten(alone);
  Rescue stage;
  stage.add().reply(broken(Fault::close()));
  stage.add();
  const auto told = stage.ask();
  require_ten(told);
  CHECK(told.answer->usage.input == alone.answer->usage.input);
  CHECK(told.answer->usage.output.value_or(0) <= 2 * alone.answer->usage.output.value_or(0));
}
