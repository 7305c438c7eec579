/// The error that a client gets when no member could answer: a status, and a body in the client's protocol.
///
/// Invariants
/// 1. A pure function of the failure: its reason decides the status, as the provider's own would be, so that a
///    client's SDK raises the error class that fits.
/// 2. It says `x-should-retry: false`, which both official SDKs obey (protocols.md 2.5), unless a provider has
///    named a time within a minute: the SDK's retries must not multiply the gateway's.
/// 3. A shortage of this machine (LocalFault) is 503 with `retry-after`, and its message says what to raise: the
///    gateway did not retry, and the shortage passes when calls end.
/// 4. No secret: a Failure's text has none.
///
///     const auto answer = error_answer(failure, Protocol::openai_chat);
///     co_await exchange.respond(answer.status, answer.headers, answer.body);
#pragma once

#include <string>
#include <string_view>

#include "understudy/failover/failure.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::gateway::detail {

class ErrorAnswer {
 public:
  unsigned status = 500;
  HttpFields headers;
  std::string body;
};

/// The failure of a call.
ErrorAnswer error_answer(const Failure& failure, llm::Protocol protocol);

/// An error of the request itself, before any provider was asked. `code` may be empty.
ErrorAnswer refusal(unsigned status, std::string_view message, llm::Protocol protocol,
                    std::string_view code = {});

/// The same failure as an event in a stream that has begun.
class StreamError {
 public:
  std::string type;
  std::string code;
  std::string message;
};
StreamError stream_error(const Failure& failure, llm::Protocol protocol);

}  // namespace understudy::gateway::detail
