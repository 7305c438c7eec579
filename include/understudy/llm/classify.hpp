/// Determines why a provider failed from its response: a table of rules that are tried in order (lib/llm/classify.cpp).
///
/// Invariants
/// 1. The function is pure, and throws only if memory is exhausted. Any bytes are valid: bodies may be JSON, HTML, SSE
///    text, truncated, or garbage.
/// 2. The cost is bounded: at most `classify_body_limit` bytes of a body are parsed, and `classify_text_limit` bytes of
///    text are matched against a fixed number of patterns, once each.
/// 3. A structured code takes precedence over the text of a message. A status that has a single meaning (401, 408, 413,
///    504) takes precedence over both.
/// 4. Connect, DNS, reset, disconnect and transient TLS failures are `connection`. They are never `timeout` or
///    `context_overflow`, even if the conversation is long (failover.md 1.4).
///
///     const auto failure = classify(ProviderError().with_provider("openai").with_status(429).with_body(
///         R"({"error":{"code":"insufficient_quota","message":"You exceeded your current quota."}})"));
///     assert(failure.reason == FailoverReason::billing);
///     assert(failure.rule == "billing code");
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/llm/retry_after.hpp"

namespace understudy::llm {

/// Limits in bytes. Of a body that is longer than `classify_body_limit`, the beginning is searched as text. The limit
/// on reading error bodies (failover.md 2.2) is the same.
inline constexpr std::size_t classify_body_limit = std::size_t{256} * 1024;
inline constexpr std::size_t classify_text_limit = std::size_t{8} * 1024;
/// More than a Failure shows, so that a secret is seen whole before it is cut; less than a piece of text that is read
/// of a body, so that the end is known to be no whole character.
inline constexpr std::size_t classify_message_limit = 4000;

/// What is known about a failure. Everything is optional. The views must remain valid until classify() returns.
class ProviderError {
 public:
  ProviderError() noexcept {}  // not an aggregate: g++ 12.2 destroys those twice beside co_await

  ProviderError& with_provider(std::string_view name) { return provider = name, *this; }
  ProviderError& with_model(std::string_view name) { return model = name, *this; }
  ProviderError& with_status(int code) { return status = code, *this; }
  ProviderError& with_headers(std::span<const llm::HeaderField> fields) {
    return headers = fields, *this;
  }
  ProviderError& with_body(std::string_view bytes) { return body = bytes, *this; }
  ProviderError& with_event(std::string_view name) { return event = name, *this; }
  ProviderError& with_message(std::string_view text) { return message = text, *this; }
  ProviderError& with_transport(const error_code& code) { return transport = code, *this; }
  ProviderError& with_prompt(std::uint64_t tokens) { return prompt_tokens = tokens, *this; }
  ProviderError& with_messages(std::uint64_t count) { return messages = count, *this; }
  ProviderError& with_context_window(std::uint64_t tokens) {
    return context_window = tokens, *this;
  }

  std::string_view provider;  ///< the configured name; rules match substrings of it, ignoring case
  std::string_view model;
  int status = 0;  ///< of HTTP; outside 100..599: none. 200 for an event of a stream
  std::span<const llm::HeaderField> headers;  ///< names in any case
  std::string_view body;     ///< the body of the response, or the data of one event of its stream
  std::string_view event;    ///< in a stream: the name of the SSE event or of the Bedrock exception
  std::string_view message;  ///< a message of a lower layer, such as the text of an exception
  error_code transport;      ///< of connecting, writing or reading; a FailoverReason is not changed
  std::uint64_t prompt_tokens = 0;
  std::uint64_t messages = 0;
  std::uint64_t context_window = 200'000;  ///< default: protocols.md 10.1
};

/// The meaning of a failure.
class Classified {
 public:
  Classified() noexcept {}

  FailoverReason reason = FailoverReason::unknown;
  std::optional<Clock::duration> retry_after;  ///< how long the provider asks callers to wait
  std::string_view rule;  ///< the name of the rule that decided; lives as long as the program
  std::string message;    ///< for users: valid UTF-8, at most `classify_message_limit` bytes
  bool billing_unverified = false;  ///< the text is also used for refused content
};

/// Applies the first rule that matches. `now` is only used to interpret dates in `retry_after`. Threads: any.
UNDERSTUDY_API Classified
classify(const ProviderError& error,
         std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace understudy::llm
