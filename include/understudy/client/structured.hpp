/// Answers that are values of the program's own types (llm/described.hpp).
///
/// Invariants
/// 1. The request asks for JSON by the type's schema. What the model answers is checked all the same: not every provider
///    enforces a schema, and a fallback may not know it.
/// 2. An answer that is not of the type is asked for once more, in a conversation that contains it and says what is
///    wrong. A second one fails with `malformed_response`; no member is marked for it.
/// 3. JSON in a fence of Markdown, or with text before it, counts: models write it.
///
///     // struct Level { std::string tank; int percent; };  BOOST_DESCRIBE_STRUCT(Level, (), (tank, percent))
///     Request request("claude-opus-4-7");
///     request.messages.emplace_back(Role::user, "The north tank is nine tenths full.");
///     auto outcome = co_await complete_as<Level>(client, std::move(request));
///     if (outcome.result) { std::cout << outcome.result->percent; }
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "understudy/client/client.hpp"
#include "understudy/llm/described.hpp"

namespace understudy {

/// What `complete_as` came to.
template <class T>
class StructuredOutcome {
 public:
  StructuredOutcome() : result(Failure(StopReason::cancelled)) {}

  Result<T> result;
  std::vector<llm::Answer> answers;  ///< what the model answered, in order: one or two
  std::vector<CallReport> reports;   ///< of every call of the model, in order
};

namespace detail {

/// What was asked and answered, without the type.
class StructuredAnswers {
 public:
  std::optional<Failure> failure;
  std::vector<llm::Answer> answers;
  std::vector<CallReport> reports;
};

/// `accept` reads an answer's JSON, and says what is wrong with it; empty: nothing.
UNDERSTUDY_API asio::awaitable<StructuredAnswers> ask_for_json(
    Client& client, llm::Request request, RequestOptions options,
    std::function<std::string(const std::string&)> accept);

}  // namespace detail

/// Asks for a value of type T, a described struct. The schema is that of T, unless the request has one (with descriptions of
/// members, for instance: `llm::schema_of`). Completes with the value, or with the failure of the call or of its
/// second answer. Cancellation and lifetimes: as for `Client::complete`.
template <llm::detail::DescribedStruct T>
asio::awaitable<StructuredOutcome<T>> complete_as(Client& client, llm::Request request,
                                                  RequestOptions options = RequestOptions()) {
  if (!request.output) {
    request.output.emplace();
  }
  if (request.output->schema.empty()) {
    request.output->schema = llm::schema_of<T>();
  }
  StructuredOutcome<T> outcome;
  std::function<std::string(const std::string&)> accept = [&outcome](const std::string& json) {
    auto value = llm::from_json<T>(json);
    if (!value) {
      return to_string(value.error());
    }
    outcome.result = std::move(*value);
    return std::string();
  };
  auto asked = co_await detail::ask_for_json(client, std::move(request), std::move(options),
                                             std::move(accept));
  if (asked.failure) {
    outcome.result = std::move(*asked.failure);
  }
  outcome.answers = std::move(asked.answers);
  outcome.reports = std::move(asked.reports);
  co_return outcome;
}

}  // namespace understudy
