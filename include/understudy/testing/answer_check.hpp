/// Holds what a consumer gets of an answer, event by event, against the answer that it should get.
///
/// Checked
/// 1. Text is a beginning of the right text, at any time: nothing doubled, nothing lost.
/// 2. A tool call that begins comes whole, with its whole arguments, once, and behind the whole text.
/// 3. The finish comes once, behind everything, and is the right one. Who fails has had none.
/// 4. Events are in due form (llm/event.hpp): one Start first, blocks numbered as they begin, and no Retract.
///
///     AnswerCheck check(right);
///     while (const Event* event = stream.try_next()) { check.take(*event); }
///     check.end(true);
///     CHECK(check.complaint() == "");
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::testing {

/// An answer, as it is to be.
class WholeAnswer {
 public:
  class Call {
   public:
    Call(std::string n, std::string a) : name(std::move(n)), arguments(std::move(a)) {}

    std::string name;
    std::string arguments;
  };

  WholeAnswer() {}

  llm::FinishReason finish() const noexcept {
    return calls.empty() ? llm::FinishReason::stop : llm::FinishReason::tool_use;
  }

  std::string thought;  ///< comes before the text; who goes on need not repeat it
  std::string text;
  std::vector<Call> calls;  ///< come after it
};

/// See the top of the file. A value.
class UNDERSTUDY_API AnswerCheck {
 public:
  explicit AnswerCheck(WholeAnswer right) : right_(std::move(right)) {}

  /// The next event that the consumer gets.
  void take(const llm::Event& event);
  /// It gets no more: the answer is said to be complete, or it has failed.
  void end(bool complete);

  /// What was wrong; empty: nothing.
  const std::string& complaint() const noexcept { return complaint_; }

  const std::string& text() const noexcept { return text_; }      ///< so far
  std::size_t complete_calls() const noexcept { return calls_; }  ///< so far

 private:
  class Open {
   public:
    std::string name;
    std::string arguments;
  };

  void complain(std::string_view what);
  void take_block(std::size_t block);
  void take_end_of_call(const llm::ToolEnd& end);

  WholeAnswer right_;
  std::string text_;
  std::map<std::size_t, std::string> thoughts_;  // by block
  std::map<std::size_t, Open> open_;             // by block
  std::map<std::string, std::size_t> ids_;
  std::size_t calls_ = 0;
  std::size_t blocks_ = 0;
  bool started_ = false;
  bool finished_ = false;
  std::string complaint_;
};

}  // namespace understudy::testing
