#include "understudy/client/structured.hpp"

#include "understudy/llm/conversation.hpp"

namespace understudy::detail {
namespace {

/// The JSON object in a text: the text from its first brace to its last. (If there is other text with braces, what is
/// between them is not valid, and the model is asked again.)
std::string object_within(const std::string& text) {
  const auto begin = text.find('{');
  const auto end = text.rfind('}');
  return begin == std::string::npos || end == std::string::npos || end < begin
             ? text
             : text.substr(begin, end - begin + 1);
}

/// Why an answer cannot be used, as the model is told; empty: it can.
std::string fault_of(const llm::Answer& answer, const std::string& mismatch) {
  return mismatch.empty() || answer.finish != llm::FinishReason::length
             ? mismatch
             : "the limit of output tokens was reached before the JSON was complete";
}

}  // namespace

asio::awaitable<StructuredAnswers> ask_for_json(
    Client& client, llm::Request request, RequestOptions options,
    std::function<std::string(const std::string&)> accept) {
  StructuredAnswers asked;
  std::string wrong;
  for (int question = 0; question < 2; ++question) {
    auto answered = co_await client.complete(request, options);
    asked.reports.push_back(std::move(answered.report));
    if (answered.result.has_error()) {
      asked.failure = answered.result.error();
      co_return asked;
    }
    const auto& answer = asked.answers.emplace_back(std::move(*answered.result));
    wrong = fault_of(answer, accept(object_within(answer.text())));
    if (wrong.empty()) {
      co_return asked;
    }
    llm::Conversation conversation(std::move(request));
    conversation.add(answer);
    if (!conversation.open_calls().empty()) {
      break;  // only the caller can answer these
    }
    if (conversation.request().messages.back().parts.empty()) {
      conversation.request().messages.pop_back();  // no provider accepts an empty message
    }
    conversation.say("That answer could not be used: " + wrong +
                     ". Answer again, with the complete JSON object and nothing else.");
    request = std::move(conversation.request());
  }
  asked.failure.emplace(FailoverReason::malformed_response,
                        "the answer is not of the type that was asked for: " + wrong);
  co_return asked;
}

}  // namespace understudy::detail
