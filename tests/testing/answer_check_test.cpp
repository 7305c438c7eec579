#include "understudy/testing/answer_check.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using namespace understudy;
using namespace understudy::llm;

namespace {

using Bodies = std::initializer_list<Event::Body>;

/// The text "One two.", and two calls.
std::string complaint(Bodies bodies, bool complete) {
  testing::WholeAnswer right;
  right.thought = "Well";
  right.text = "One two.";
  right.calls.emplace_back("read", R"({"n": 1})");
  right.calls.emplace_back("read", R"({"n": 2})");
  testing::AnswerCheck check(right);
  for (const auto& body : bodies) {
    check.take(Event(body));
  }
  check.end(complete);
  return check.complaint();
}

bool has(const std::string& text, std::string_view part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

const Start start("a", "m");
const Finish tools(FinishReason::tool_use, "tool_use");

}  // namespace

TEST_CASE("an answer check: what is right has no complaint") {
  CHECK(complaint(
            {start, Reasoning(0, "We"), Reasoning(0, "ll"), Text(1, "One"), Text(1, " two."),
             ToolStart(2, "x", "read"), ToolStart(3, "y", "read"), ToolArguments(3, R"({"n": 2})"),
             ToolArguments(2, R"({"n":)"), ToolArguments(2, " 1}"), ToolEnd(2, true),
             ToolEnd(3, true), Usage(), tools, Usage(), End()},
            true)
            .empty());
  CHECK(complaint({start, Text(0, "One")}, false).empty());
  CHECK(complaint({Heartbeat(), Other("x", false), start}, false).empty());
  CHECK(complaint({}, false).empty());
}

TEST_CASE("an answer check: text") {
  CHECK(has(complaint({start, Text(0, "One One")}, false), "no beginning"));
  CHECK(has(complaint({start, Text(0, "One"), Text(0, "two.")}, false), "no beginning"));
  CHECK(has(complaint({start, Text(0, "One two."), Text(0, "!")}, false), "no beginning"));
  CHECK(has(complaint({start, Reasoning(0, "Woe")}, false), "wrong thoughts"));
  CHECK(has(complaint({start, Text(0, "One"), Text(2, " two.")}, false), "left out"));
}

TEST_CASE("an answer check: tool calls") {
  const auto told = [](Bodies bodies) {
    testing::WholeAnswer right;
    right.calls.emplace_back("read", R"({"n": 1})");
    testing::AnswerCheck check(right);
    check.take(Event(start));
    for (const auto& body : bodies) {
      check.take(Event(body));
    }
    check.end(false);
    return check.complaint();
  };
  const ToolStart begins(0, "x", "read");
  const ToolArguments whole(0, R"({"n": 1})");
  CHECK(told({begins, whole, ToolEnd(0, true)}).empty());
  CHECK(has(told({begins}), "a part of a tool call"));
  CHECK(has(told({begins, whole}), "a part of a tool call"));
  CHECK(has(told({begins, whole, ToolEnd(0, false)}), "was cut"));
  CHECK(has(told({begins, ToolArguments(0, R"({"n":)"), ToolEnd(0, true)}), "called complete"));
  CHECK(has(told({ToolStart(0, "x", "write"), whole, ToolEnd(0, true)}), "called complete"));
  CHECK(has(told({whole}), "no open"));
  CHECK(has(told({ToolEnd(0, true)}), "no open"));
  CHECK(has(told({ToolStart(0, "", "read"), whole, ToolEnd(0, true)}), "without"));
  CHECK(has(told({begins, whole, ToolEnd(0, true), ToolStart(1, "x", "read"),
                  ToolArguments(1, R"({"n": 1})"), ToolEnd(1, true)}),
            "too many"));
  CHECK(has(complaint({start, Text(0, "One"), ToolStart(1, "x", "read")}, false),
            "before the text's end"));
}

TEST_CASE("an answer check: ends") {
  CHECK(has(complaint({start, Text(0, "One")}, true), "without a finish"));
  CHECK(has(complaint({start, Text(0, "One"), tools}, true), "a neat end"));
  CHECK(has(complaint({start, Text(0, "One two."), tools}, true), "a neat end"));
  CHECK(has(complaint({start, Text(0, "One two."), Finish(FinishReason::stop, "stop")}, true),
            "finishes with stop"));
  CHECK(has(complaint({start, tools}, false), "fails after its finish"));
  CHECK(has(complaint({start, tools, tools}, true), "finishes twice"));
  CHECK(has(complaint({start, tools, Text(0, "One")}, true), "after the finish"));
}

TEST_CASE("an answer check: form") {
  CHECK(has(complaint({start, start}, false), "starts twice"));
  CHECK(has(complaint({Text(0, "One")}, false), "before the start"));
  CHECK(has(complaint({start, Retract()}, false), "taken back"));
  CHECK(has(complaint({start, Error("a", "b", "c")}, false), "passed on"));
}

TEST_CASE(
    "an answer check: arguments that were sent again, as a consumer that concatenates sees them") {
  const ToolStart begins(0, "x", "read");
  const auto told = [&](std::initializer_list<std::string_view> pieces) {
    testing::WholeAnswer right;
    right.calls.emplace_back("read", R"({"n": 1})");
    testing::AnswerCheck check(right);
    check.take(Event(start));
    check.take(Event(begins));
    for (const auto piece : pieces) {
      check.take(Event(ToolArguments(0, piece)));
    }
    check.take(Event(ToolEnd(0, true)));
    check.take(Event(tools));
    check.end(true);
    return check.complaint();
  };
  CHECK(told({R"({"n":)", " 1}"}).empty());
  CHECK(has(told({R"({"n":)", R"({"n": 1})"}), "called complete"));         // cumulative
  CHECK(has(told({R"({"n":)", " 1}", R"({"n": 1})"}), "called complete"));  // the whole again
  CHECK(has(told({"{}", R"({"n": 1})"}), "called complete"));
  CHECK(has(told({"{}"}), "called complete"));
}
