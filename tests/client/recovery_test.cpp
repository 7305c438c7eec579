#include "understudy/client/recovery.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <string>
#include <vector>

#include "understudy/llm/answer.hpp"

using namespace understudy;
using namespace understudy::llm;

namespace {

/// A consumer: what came out, and of which kind.
class Consumer {
 public:
  void hear(std::initializer_list<Event> events) {
    for (const auto& event : events) {
      if (recovery.take(event)) {
        note(event);
      }
      while (const Event* due = recovery.next()) {
        CHECK((due->raw.empty() == recovery.resumed() ||
               std::holds_alternative<Heartbeat>(due->body)));
        note(*due);
      }
    }
    recovery.forget_given();
  }

  Recovery recovery;
  Answer answer;
  std::string kinds;

 private:
  void note(const Event& event) {
    constexpr std::string_view letters = "STRsca/UFEH!?.<";
    kinds += letters[event.body.index()];
    answer.add(event);
  }
};

Event with_bytes(const Event::Body& body) {
  Event event(body);
  event.raw = "data: ...\n\n";
  return event;
}

Usage used(std::uint64_t input, std::uint64_t output) {
  Usage usage;
  usage.input = input;
  usage.output = output;
  return usage;
}

}  // namespace

TEST_CASE("the first member's events come out as they are") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "m")), with_bytes(Text(0, "one ")), with_bytes(Heartbeat()),
                 with_bytes(Text(0, "two")), with_bytes(Finish(FinishReason::stop, "stop")),
                 with_bytes(End())});
  CHECK(consumer.kinds == "STHTFE");
  CHECK(consumer.recovery.text() == "one two");
  CHECK_FALSE(consumer.recovery.resumed());
}

TEST_CASE("the ladder: nothing seen, blank, text, a complete call") {
  Consumer consumer;
  CHECK(consumer.recovery.rung() == Rung::anew);
  consumer.hear(
      {with_bytes(Start("id", "m")), with_bytes(Reasoning(0, "hm")), with_bytes(Text(1, " \n"))});
  CHECK(consumer.recovery.rung() == Rung::anew);
  consumer.hear({with_bytes(Text(1, "one"))});
  CHECK(consumer.recovery.rung() == Rung::go_on);
  consumer.hear({with_bytes(ToolStart(2, "c1", "look")), with_bytes(ToolArguments(2, "{"))});
  CHECK(consumer.recovery.rung() == Rung::go_on);
  CHECK(consumer.recovery.cut_in_call());
  consumer.hear({with_bytes(ToolArguments(2, "}")), with_bytes(ToolEnd(2, true))});
  CHECK(consumer.recovery.rung() == Rung::end_here);
  CHECK(consumer.recovery.complete_call() == "`look` (c1)");
}

TEST_CASE(
    "a tool call comes out when it is complete, and with it what came meanwhile; heartbeats at "
    "once") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "m")), with_bytes(ToolStart(0, "c1", "a")),
                 with_bytes(ToolStart(1, "c2", "b")), with_bytes(Heartbeat()),
                 with_bytes(ToolArguments(1, "{}")), with_bytes(ToolEnd(1, true))});
  CHECK(consumer.kinds == "SH");
  consumer.hear({with_bytes(ToolEnd(0, true))});
  CHECK(consumer.kinds.starts_with("SH"));
  CHECK(std::ranges::count(consumer.kinds, 'H') == 2);  // its bytes are in their place
  CHECK(consumer.answer.blocks.size() == 2);
}

TEST_CASE("a call that the answer's own end has cut short comes out as such") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "m")), with_bytes(ToolStart(0, "c1", "a")),
                 with_bytes(ToolArguments(0, "{\"x")), with_bytes(ToolEnd(0, false)),
                 with_bytes(Finish(FinishReason::length, "length"))});
  REQUIRE(consumer.answer.blocks.size() == 1);
  CHECK_FALSE(consumer.answer.blocks[0].complete);
  CHECK(consumer.recovery.rung() == Rung::anew);
}

TEST_CASE(
    "who goes on: its text in the same block, its blocks behind, usage of the answer, one start") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "first")), with_bytes(used(10, 1)),
                 with_bytes(Reasoning(0, "hm")), with_bytes(Text(1, "one ")),
                 with_bytes(used(10, 7))});
  consumer.recovery.goes_on(Rung::go_on);
  CHECK(consumer.recovery.resumed());
  consumer.hear({with_bytes(Start("other", "second")), with_bytes(Reasoning(0, "let me see")),
                 with_bytes(Text(1, "two")), with_bytes(Other("x", true)),
                 with_bytes(ToolStart(2, "c1", "look")), with_bytes(ToolArguments(2, "{}")),
                 with_bytes(ToolEnd(2, true)), with_bytes(used(30, 5)),
                 with_bytes(Finish(FinishReason::tool_use, "tool_calls")), with_bytes(End())});
  const auto& answer = consumer.answer;
  CHECK(answer.id == "id");
  CHECK(answer.model == "first");
  REQUIRE(answer.blocks.size() == 3);
  CHECK(answer.blocks[0].text == "hm");
  CHECK(answer.blocks[1].text == "one two");
  CHECK(answer.blocks[2].arguments == "{}");
  CHECK(answer.usage.input == 10);  // as the client asked, without what resuming it has added
  CHECK(answer.usage.output == 12);
}

TEST_CASE("who begins anew has blocks of its own behind those that were seen") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "first")), with_bytes(Reasoning(0, "hm"))});
  consumer.recovery.goes_on(Rung::anew);
  consumer.hear({with_bytes(Start("other", "second")), with_bytes(Reasoning(0, "let me see")),
                 with_bytes(Text(1, "one")), with_bytes(Finish(FinishReason::stop, "stop"))});
  REQUIRE(consumer.answer.blocks.size() == 3);
  CHECK(consumer.answer.blocks[1].text == "let me see");
  CHECK(consumer.answer.blocks[2].text == "one");
}

TEST_CASE("text that another block came behind is gone on with in a block of its own") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "first")), with_bytes(Text(0, "one ")),
                 with_bytes(Reasoning(1, "hm"))});
  consumer.recovery.goes_on(Rung::go_on);
  consumer.hear({with_bytes(Text(0, "two")), with_bytes(Finish(FinishReason::stop, "stop"))});
  CHECK(consumer.answer.text() == "one two");
  CHECK(consumer.answer.blocks.size() == 3);
}

TEST_CASE("of a call that was cut nothing is left, also when who goes on is cut in one") {
  Consumer consumer;
  consumer.hear({with_bytes(Start("id", "first")), with_bytes(Text(0, "one")),
                 with_bytes(ToolStart(1, "c1", "a"))});
  consumer.recovery.goes_on(Rung::go_on);
  consumer.hear({with_bytes(ToolStart(0, "c2", "a")), with_bytes(ToolArguments(0, "{"))});
  CHECK(consumer.recovery.cut_in_call());
  consumer.recovery.goes_on(Rung::go_on);
  consumer.hear({with_bytes(ToolStart(0, "c3", "a")), with_bytes(ToolEnd(0, true)),
                 with_bytes(Finish(FinishReason::tool_use, "tool_calls"))});
  REQUIRE(consumer.answer.blocks.size() == 2);
  CHECK(consumer.answer.blocks[1].id == "c3");
}

TEST_CASE(
    "a call that the client runs, and the events have no form for: nothing is generated anew") {
  for (const auto* const type : {"custom_tool_call", "local_shell_call", "apply_patch_call"}) {
    CAPTURE(type);
    Recovery recovery;
    CHECK(recovery.take(Event(Other(type, true))));
    CHECK(recovery.rung() == Rung::give_up);
  }
  Recovery recovery;
  CHECK(recovery.take(Event(Other("web_search_call", true))));
  CHECK(recovery.rung() == Rung::anew);
}

TEST_CASE("of an answer without an end no more is kept than could be gone on with") {
  Recovery recovery;
  const std::string piece(std::size_t{1024} * 1024, 'a');
  for (int i = 0; i < 32; ++i) {
    CHECK(recovery.take(Event(Text(0, piece))));
  }
  CHECK(recovery.rung() == Rung::give_up);
  CHECK(recovery.text().size() <= Recovery::most_kept + piece.size());
}
