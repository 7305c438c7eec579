/// Lets a model use the program's tools until it has answered: calls run in parallel, in a scope, with limits.
///
/// Invariants
/// 1. Each complete call of an answer runs once, and the model gets one result for it, in the order of the calls. A call
///    of an unknown tool, and one whose tool throws, gets an error as its result; the model can correct itself.
/// 2. At most `ToolLimits::parallel` calls run at the same time, each for at most `ToolLimits::time`.
/// 3. When the loop completes, no call is running. The conversation contains every answer, and a result for every call of
///    all answers but the last.
/// 4. A failure of the model's call ends the loop, and leaves the conversation as it was before that call: it can be
///    continued.
///
///     Toolbox tools;
///     tools.add(Tool("level", "The level of a tank in percent", R"({"type":"object","properties":{}})"),
///               [](std::string) -> asio::awaitable<std::string> { co_return "93"; });
///     Conversation talk(Request("claude-opus-4-7"));
///     talk.say("Is the north tank full?");
///     auto outcome = co_await run_tools(client, talk, tools);
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "understudy/client/client.hpp"
#include "understudy/export.hpp"
#include "understudy/llm/conversation.hpp"

namespace understudy {

/// The tools that a program offers to a model. Movable. Threads: one at a time; `run` is const.
class UNDERSTUDY_API Toolbox {
 public:
  /// Runs a call with its arguments, a JSON text of which nothing but that it is an object is known (of a custom tool:
  /// its input), and returns what the model gets. What it throws is an error that the model gets, except
  /// operation_aborted.
  using Run = std::function<asio::awaitable<std::string>(std::string arguments)>;

  Toolbox() = default;

  /// Throws std::invalid_argument if there is a tool of that name, or its schema is not a JSON object.
  Toolbox& add(llm::Tool tool, Run run);

  /// The declarations, as a request lists them.
  const std::vector<llm::Tool>& tools() const noexcept { return tools_; }

  /// Completes with the result of the call, whether it succeeded or not. Cancellation: throws operation_aborted.
  asio::awaitable<llm::ToolResultPart> run(const llm::ToolCallPart& call) const;

 private:
  std::vector<llm::Tool> tools_;
  std::map<std::string, Run, std::less<>> runs_;
};

/// The limits of a loop.
class ToolLimits {
 public:
  ToolLimits() noexcept {}

  ToolLimits& with_answers(std::size_t most) { return answers = most, *this; }
  ToolLimits& with_parallel(std::size_t most) { return parallel = most, *this; }
  ToolLimits& with_time(Clock::duration longest) { return time = longest, *this; }

  std::size_t answers = 50;  ///< after which the loop ends, although the model wants more calls
  std::size_t parallel = 8;  ///< at least 1
  Clock::duration time = std::chrono::minutes(10);  ///< of one call
};

/// What a loop came to.
class ToolLoopOutcome {
 public:
  ToolLoopOutcome() : result(Failure(StopReason::cancelled)) {}

  /// The last answer, or the failure of the model's call. An answer whose calls have no results yet, since
  /// `ToolLimits::answers` was reached, has them in `Conversation::open_calls`.
  Result<llm::Answer> result;
  std::vector<CallReport> reports;  ///< of every call of the model, in order
  llm::Usage usage;                 ///< of all answers together; what no answer has stated is empty
  std::size_t calls = 0;            ///< how many calls of tools were run
};

/// Sends the conversation with the tools, runs what the model calls, and so on until an answer has no calls. The tools of
/// the conversation's request are replaced. Completes as the top of the file says. Cancellation: throws
/// operation_aborted when all calls have ended. Lifetimes: everything that is referred to must outlive it.
UNDERSTUDY_API asio::awaitable<ToolLoopOutcome> run_tools(
    Client& client, llm::Conversation& conversation, const Toolbox& tools,
    ToolLimits limits = ToolLimits(), RequestOptions options = RequestOptions());

}  // namespace understudy
