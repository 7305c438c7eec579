#include "forwarded_answer.hpp"

#include "streamed_answer.hpp"

namespace understudy::gateway::detail {

asio::awaitable<bool> pass_on(ClientExchange& client, llm::ForwardedResponse& response,
                              const CallReport& report) {
  HttpFields fields;
  for (const auto& [name, value] : response.headers) {
    fields.add(name, value);
  }
  add_report(fields, report);
  if (response.whole()) {
    co_await client.respond(response.status, fields, response.body);
    co_return false;
  }
  auto unsent = co_await client.begin(response.status, fields);
  if (!unsent) {
    unsent = co_await client.write(response.body);
  }
  while (!unsent) {
    const auto part = co_await response.next();
    if (part.has_error()) {
      client.abort();
      co_return true;
    }
    if (part->empty()) {
      co_await client.finish();
      co_return false;
    }
    unsent = co_await client.write(*part);
  }
  co_return true;
}

}  // namespace understudy::gateway::detail
