#include "provider_reply.hpp"

#include <algorithm>
#include <vector>

#include "understudy/llm/classify.hpp"
#include "understudy/runtime/race.hpp"

namespace understudy::llm::detail {
namespace {

/// What an error status says, as far as it comes in time: that is what counts (failover.md 2.2).
asio::awaitable<std::string> error_body(HttpResponse& response, Clock::duration limit) {
  std::string body;
  const auto read = [&]() -> asio::awaitable<void> {
    while (body.size() < classify_body_limit) {
      const auto part = co_await response.read();
      if (part.has_error() || part->empty()) {
        co_return;
      }
      body += *part;
    }
  };
  const auto too_long = [limit] { return sleep_for(limit); };
  co_await race(read, too_long);
  body.resize(std::min(body.size(), classify_body_limit));
  co_return body;
}

}  // namespace

asio::awaitable<Failure> refusal(HttpResponse& response, const CallFacts& facts, Attempt& attempt,
                                 std::string& body) {
  // The attempt's own clock for this phase would end it, and lose what came.
  const auto limit = attempt.limits().error_body.after;
  attempt.enter(Phase::none);
  body = co_await error_body(response, limit);
  std::vector<llm::HeaderField> headers;
  headers.reserve(response.headers().size());
  for (std::size_t i = 0; i < response.headers().size(); ++i) {
    headers.push_back(response.headers()[i]);
  }
  co_return failure_of(facts.error()
                           .with_status(static_cast<int>(response.status()))
                           .with_headers(headers)
                           .with_body(body));
}

}  // namespace understudy::llm::detail
