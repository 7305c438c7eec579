#include "error_answer.hpp"

#include <algorithm>
#include <chrono>

#include "understudy/llm/codec.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::gateway::detail {
namespace {

/// How a reason is expressed over HTTP, and whether the same request may succeed later.
struct Said {
  unsigned status;
  bool later;
  std::string_view code = {};
};

Said said_of(FailoverReason reason, llm::Protocol protocol) {
  using R = FailoverReason;
  const unsigned busy = llm::traits_of(protocol).overloaded_status;
  switch (reason) {
    case R::auth:
    case R::auth_permanent: return {401, false};
    case R::billing: return {402, false};
    case R::rate_limit:
    case R::upstream_rate_limit: return {429, true};
    case R::overloaded:
    case R::upstream_blocked: return {busy, true};
    case R::server_error: return {500, true};
    case R::timeout: return {504, true};
    case R::connection:
    case R::stale_connection:
    case R::malformed_response:
    case R::incomplete_response:
    case R::resume_mismatch:
    case R::ssl_cert_verification:
    case R::unknown: return {502, true};
    case R::model_not_found:
    case R::model_entitlement: return {404, false, "model_not_found"};
    case R::provider_policy_blocked: return {403, false};
    case R::payload_too_large: return {413, false};
    case R::context_overflow:
    case R::long_context_tier: return {400, false, "context_length_exceeded"};
    case R::unsupported_request: return {400, false, "unsupported_request"};
    case R::content_policy_blocked: return {400, false, "content_policy_violation"};
    case R::format_error:
    case R::image_too_large:
    case R::image_corrupt:
    case R::role_alternation:
    case R::thinking_signature:
    case R::invalid_encrypted_content:
    case R::reasoning_mandatory:
    case R::multimodal_tool_content_unsupported:
    case R::llama_cpp_grammar_pattern:
    case R::oauth_long_context_beta_forbidden: return {400, false};
  }
  return {502, true};
}

Said said_of(const Failure& failure, llm::Protocol protocol) {
  if (failure.code() == StopReason::deadline) {
    return {504, false};
  }
  if (failure.code() == StopReason::shutdown) {
    return {503, true};
  }
  if (local_fault_of(failure.code())) {
    return {503, true, "gateway_out_of_resources"};
  }
  const auto reason = reason_of(failure.code());
  return reason ? said_of(*reason, protocol) : Said{502, false};
}

/// The longest wait that both official SDKs honor; given a longer one, OpenAI's retries after half a second, and
/// Anthropic's sleeps for all of it.
constexpr auto longest_wait = std::chrono::seconds(60);

/// A shortage of this machine passes when calls end: soon enough for a client that waits, and late enough not to
/// meet the same shortage.
constexpr auto local_wait = std::chrono::seconds(5);

/// Whether the failure's Retry-After is a time that a provider has named. The gateway's own cooldowns promise nothing.
bool named_wait(const Failure& failure) {
  const auto attempts = failure.attempts();
  const auto named = [](const Failure& f) { return f.retry_after().has_value(); };
  return failure.retry_after() &&
         (attempts.empty() || std::any_of(attempts.begin(), attempts.end(), named));
}

/// When a cause that may pass should be tried again, if no provider has named a time. The gateway has waited before it
/// gave up (`fallback.wait_out`), and will again.
constexpr auto transient_wait = std::chrono::seconds(5);

/// Whether the client should send the request again: an agent that is told not to ends its session. Not where the first
/// member returns at a time that a provider has named, and that is further away than an SDK waits.
bool worth_another_try(const Failure& failure) {
  return !named_wait(failure) || *failure.retry_after() <= longest_wait;
}

/// The provider's own message, or else what is known.
std::string message_of(const Failure& failure, llm::Protocol protocol) {
  auto said = failure.message().empty() ? to_string(failure) : failure.message();
  const auto words = llm::traits_of(protocol).overflow_words;
  if (failure.code() == FailoverReason::context_overflow && !words.empty() &&
      said.find(words) == std::string::npos) {
    return std::string(words).append(": ").append(said);
  }
  if (const auto local = local_fault_of(failure.code())) {
    auto text = "the gateway is " + error_code(*local).message() +
                "; this is not a provider's failure: " + std::string(remedy(*local));
    if (*local == LocalFault::descriptors) {
      text += ", or lower `server.max_connections`";
    }
    return text;
  }
  return said;
}

}  // namespace

ErrorAnswer error_answer(const Failure& failure, llm::Protocol protocol) {
  const auto said = said_of(failure, protocol);
  auto answer = refusal(said.status, message_of(failure, protocol), protocol, said.code);
  const bool local = local_fault_of(failure.code()).has_value();
  const bool again = local || (said.later && worth_another_try(failure));
  auto wait = local ? std::optional<Clock::duration>(local_wait) : failure.retry_after();
  if (!local && again && !named_wait(failure)) {
    wait = transient_wait;
  }
  if (wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
    answer.headers.add("retry-after", std::to_string(seconds.count()));
  }
  answer.headers.add("x-should-retry", again ? "true" : "false");
  return answer;
}

ErrorAnswer refusal(unsigned status, std::string_view message, llm::Protocol protocol,
                    std::string_view code) {
  ErrorAnswer answer;
  answer.status = status;
  answer.headers.add("content-type", "application/json");
  llm::codec_for(protocol).write_error(llm::Error({}, code, message), status, answer.body);
  return answer;
}

StreamError stream_error(const Failure& failure, llm::Protocol protocol) {
  StreamError error;
  const auto said = said_of(failure, protocol);
  // Agents retry an answer that broke for want of capacity, and end their session for any other type
  // (docs/gateway.md 5).
  const bool busy = said.later && said.status != 429 && said.status != 504;
  error.type = llm::codec_for(protocol).stream_error_type(
      busy ? llm::traits_of(protocol).overloaded_status : said.status);
  error.code = said.code.empty() ? failure.code().message() : std::string(said.code);
  error.message = message_of(failure, protocol);
  return error;
}

}  // namespace understudy::gateway::detail
