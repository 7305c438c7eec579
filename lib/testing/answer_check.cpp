#include "understudy/testing/answer_check.hpp"

#include <algorithm>
#include <variant>

namespace understudy::testing {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

constexpr std::size_t longest_complaint = 2'000;

}  // namespace

void AnswerCheck::complain(std::string_view what) {
  if (complaint_.size() < longest_complaint) {
    complaint_ += what;
    complaint_ += "; ";
  }
}

void AnswerCheck::take(const llm::Event& event) {
  const auto content = [this](std::size_t block) {
    if (!started_) {
      complain("content comes before the start");
    }
    if (finished_) {
      complain("content comes after the finish");
    }
    take_block(block);
  };
  std::visit(
      Overloaded{
          [&](const llm::Start&) {
            if (std::exchange(started_, true)) {
              complain("it starts twice");
            }
          },
          [&](const llm::Text& text) {
            content(text.block);
            const bool was_right = right_.text.starts_with(text_);
            text_ += text.text;
            if (was_right && !right_.text.starts_with(text_)) {
              complain("the text is no beginning of what is right: " + text_);
            }
          },
          [&](const llm::Reasoning& thought) {
            content(thought.block);
            auto& said = thoughts_[thought.block];
            said += thought.text;
            if (!right_.thought.starts_with(said)) {
              complain("wrong thoughts: " + said);
            }
          },
          [&](const llm::ReasoningSeal& seal) { content(seal.block); },
          [&](const llm::ToolStart& start) {
            content(start.block);
            if (text_ != right_.text) {
              complain("a tool call comes before the text's end");
            }
            if (start.id.empty() || ++ids_[std::string(start.id)] > 1) {
              complain("two tool calls with one id, or one without");
            }
            open_[start.block].name = start.name;
          },
          [&](const llm::ToolArguments& more) {
            content(more.block);
            const auto call = open_.find(more.block);
            if (call == open_.end()) {
              return complain("arguments of no open tool call");
            }
            call->second.arguments += more.json;
          },
          [&](const llm::ToolEnd& end) { take_end_of_call(end); },
          [&](const llm::Finish& finish) {
            if (std::exchange(finished_, true)) {
              complain("it finishes twice");
            }
            if (finish.reason != right_.finish()) {
              complain("it finishes with " + std::string(to_string(finish.reason)));
            }
            const bool ends_here = finish.inferred && calls_ > 0;
            if (text_ != right_.text || (calls_ != right_.calls.size() && !ends_here)) {
              complain("a neat end to an unfinished answer");
            }
          },
          [&](const llm::Retract&) { complain("it is taken back"); },
          [&](const llm::Error&) { complain("the provider's error is passed on as an event"); },
          [](const llm::Usage&) {}, [](const llm::End&) {}, [](const llm::Heartbeat&) {},
          [](const llm::Other&) {}, [](const llm::Undecodable&) {}},
      event.body);
}

void AnswerCheck::take_block(std::size_t block) {
  if (block > blocks_) {
    complain("a block's number is left out");
  }
  blocks_ = std::max(blocks_, block + 1);
}

void AnswerCheck::take_end_of_call(const llm::ToolEnd& end) {
  const auto call = open_.find(end.block);
  if (call == open_.end()) {
    return complain("the end of no open tool call");
  }
  const auto said = std::move(call->second);
  open_.erase(call);
  if (!end.complete) {
    return complain("a tool call that was cut is shown");
  }
  if (calls_ == right_.calls.size()) {
    return complain("a tool call too many");
  }
  const auto& right = right_.calls[calls_++];
  if (said.name != right.name || said.arguments != right.arguments) {
    complain("a tool call that is called complete is " + said.name + said.arguments);
  }
}

void AnswerCheck::end(bool complete) {
  if (!open_.empty()) {
    complain("a part of a tool call is shown");
  }
  if (complete && !finished_) {
    complain("it is called complete without a finish");
  }
  if (!complete && finished_) {
    complain("it fails after its finish");
  }
}

}  // namespace understudy::testing
