/// A conversation with a model: what was said so far, and the request for the next answer.
///
/// Invariants
/// 1. An answer is kept without loss: its reasoning goes back to the members that can read it, whichever of them answers
///    next, and every complete tool call with its id, arguments and form. Calls that are not complete are left out, since
///    no provider accepts them without a result.
/// 2. Results of tools are in one user message, in the order of the calls.
/// 3. A value: a copy is another conversation, which may go on differently.
///
///     Conversation talk(Request("claude-opus-4-7"));
///     talk.say("Is the north tank full?");
///     auto outcome = co_await client.complete(talk.request());
///     talk.add(outcome.result.value());
///     for (const auto& call : talk.open_calls()) { talk.add_result(result_of(call, run(call))); }
#pragma once

#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm {

/// The answer as a message of the assistant, for the next request to any member.
UNDERSTUDY_API Message message_of(const Answer& answer);

/// The result of a call, in the call's form.
UNDERSTUDY_API ToolResultPart result_of(const ToolCallPart& call, std::string text,
                                        bool is_error = false);

/// See the top of the file. Threads: one at a time.
class UNDERSTUDY_API Conversation {
 public:
  /// `beginning`: the model, the system text, the tools, the limits, and messages if there are any.
  explicit Conversation(Request beginning = Request()) : request_(std::move(beginning)) {}

  /// Adds a text, or a message, of the user.
  void say(std::string text) { add(Message(Role::user, std::move(text))); }
  /// As above.
  void add(Message message) { request_.messages.push_back(std::move(message)); }
  /// Adds what the model has answered.
  void add(const Answer& answer) { add(message_of(answer)); }
  /// Adds the result of a call.
  void add_result(ToolResultPart result);

  /// The calls of the last answer that have no result yet, in order. A request is accepted only if there are none.
  std::vector<ToolCallPart> open_calls() const;

  /// The request for the next answer. It may be changed: its messages are the conversation.
  const Request& request() const noexcept { return request_; }
  /// As above, to be changed.
  Request& request() noexcept { return request_; }

 private:
  Request request_;
};

}  // namespace understudy::llm
