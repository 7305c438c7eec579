/// Why a provider failed, from whatever it said: one table of rules, tried in order (lib/llm/classify.cpp).
///
/// Invariants
/// 1. Pure, and nothing but memory exhaustion throws, whatever the bytes: bodies may be JSON, HTML, SSE
///    text, cut short, or noise.
/// 2. Bounded: at most `classify_body_limit` bytes of a body are parsed, `classify_text_limit` bytes of
///    wording are matched against a fixed number of patterns, once each.
/// 3. What the provider says in a structured code outweighs what its sentences seem to say, and a status
///    that has one meaning alone (401, 408, 413, 504) outweighs both.
/// 4. Connect, DNS, reset, disconnect and transient TLS failures are `connection`, never `timeout`, and
///    never `context_overflow`, however long the conversation is (failover.md 1.4).
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

/// Of a longer body the front is searched for words, as it comes. The limit on reading error bodies
/// (failover.md 2.2) is the same.
inline constexpr std::size_t classify_body_limit = std::size_t{256} * 1024;
inline constexpr std::size_t classify_text_limit = std::size_t{8} * 1024;
inline constexpr std::size_t classify_message_limit = 500;

/// What is known of a failure. Everything is optional; views must live until classify() returns.
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

  std::string_view provider;  ///< as configured; compared in lower case, by what it contains
  std::string_view model;
  int status = 0;  ///< HTTP; what is not in 100..599 counts as none. 200 for an event of a stream
  std::span<const llm::HeaderField> headers;  ///< names in any case
  std::string_view body;     ///< of the answer, or the payload of one event of its stream
  std::string_view event;    ///< of a stream: the SSE event's or the Bedrock exception's name
  std::string_view message;  ///< what somebody below said, such as an exception's text
  error_code transport;  ///< of connecting, writing or reading; a FailoverReason stays what it is
  std::uint64_t prompt_tokens = 0;
  std::uint64_t messages = 0;
  std::uint64_t context_window = 200'000;  ///< default: protocols.md 10.1
};

/// What it means.
class Classified {
 public:
  Classified() noexcept {}

  FailoverReason reason = FailoverReason::unknown;
  std::optional<Clock::duration> retry_after;  ///< how long the provider asks to be left alone
  std::string_view rule;  ///< the name of the rule that decided; lives for ever
  std::string message;    ///< for people: valid UTF-8, at most `classify_message_limit` bytes
  bool billing_unverified = false;  ///< worded as billing, but seen for refused content too
};

/// Finds the first rule that fits. `now` only serves to read dates in `retry_after`.
UNDERSTUDY_API Classified
classify(const ProviderError& error,
         std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace understudy::llm
