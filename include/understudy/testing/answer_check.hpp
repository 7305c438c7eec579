/// Compares the events of an answer that a consumer receives with the expected answer.
///
/// Checked
/// 1. The received text is always a prefix of the expected text: nothing is duplicated or lost.
/// 2. A tool call is complete, with all its arguments, arrives once, and follows the whole text.
/// 3. The finish arrives once, after everything else, and has the expected reason. A failed answer has no finish. One
///    that is inferred may come after a part of the calls: the answer broke there.
/// 4. Events are well formed (llm/event.hpp): one Start first, blocks numbered in the order in which they begin, and no
///    Retract.
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

/// The expected answer.
class WholeAnswer {
 public:
  /// A tool call that the answer must have.
  class Call {
   public:
    Call(std::string n, std::string a) : name(std::move(n)), arguments(std::move(a)) {}

    std::string name;
    std::string arguments;
  };

  WholeAnswer() {}

  /// The finish that such an answer has.
  llm::FinishReason finish() const noexcept {
    return calls.empty() ? llm::FinishReason::stop : llm::FinishReason::tool_use;
  }

  std::string thought;  ///< before the text; a member that resumes need not repeat it
  std::string text;
  std::vector<Call> calls;  ///< after the text
};

/// See the top of the file. A value.
class UNDERSTUDY_API AnswerCheck {
 public:
  explicit AnswerCheck(WholeAnswer right) : right_(std::move(right)) {}

  /// Checks the next event that the consumer received.
  void take(const llm::Event& event);
  /// Ends the answer: it was reported as complete, or it has failed.
  void end(bool complete);

  /// The first error; empty if there is none.
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
