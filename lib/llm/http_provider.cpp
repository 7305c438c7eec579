#include "understudy/llm/http_provider.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "http_stream.hpp"
#include "passed_headers.hpp"
#include "provider_reply.hpp"
#include "provider_request.hpp"
#include "quota_headers.hpp"
#include "understudy/llm/refused_part.hpp"

namespace understudy::llm {

HttpProvider::HttpProvider(HttpClient& client, HttpProviderOptions options)
    : client_(client), options_(std::move(options)) {}

ReasoningOrigin HttpProvider::origin(const std::string& model) const {
  return detail::reasoning_origin(options_, model, nullptr);
}

/// Says of a failure that this very request can be mended for it.
void HttpProvider::mended(Failure& failure, const Request& request, const Attempt& attempt) const {
  const auto reason = reason_of(failure.code());
  if (reason && !failure.mendable() && !attempt.mends().contains(*reason) &&
      detail::can_mend(options_, request, *reason)) {
    failure.with_mend();
  }
}

/// What the headers of an answer say to this client.
void HttpProvider::note_headers(const Request& request, Attempt& attempt,
                                const HttpFields& headers) const {
  HeaderList passed;
  const bool same = request.origin && detail::same_family(*request.origin, options_.protocol);
  if (same && options_.back_end != nullptr) {
    passed = detail::passed_to_client(*options_.back_end, headers,
                                      detail::issuer_of(options_, attempt.credential()));
  }
  attempt.answered_with(std::string(detail::providers_request_id(headers)), std::move(passed));
  attempt.allowed(detail::quota_headers(headers, std::chrono::system_clock::now()));
}

/// The request has succeeded, with the mends that this call found and those that were known.
void HttpProvider::learn(const Request& request, const Attempt& attempt,
                         const std::vector<std::string>& applied) const {
  if (!options_.lessons) {
    return;
  }
  const auto key = detail::lesson_key(options_, request, attempt);
  for (const auto& mend : attempt.named_mends()) {
    if (is_part_mend(mend)) {
      options_.lessons->learn(key, mend);
    }
  }
  options_.lessons->succeeded(key, applied);
}

asio::awaitable<Result<Stream>> HttpProvider::open(const Request& request, Attempt& attempt) {
  auto ask = [&] { return open_quietly(request, attempt); };
  co_return co_await detail::quietly<Stream>(std::move(ask));
}

asio::awaitable<Result<Stream>> HttpProvider::open_quietly(const Request& request,
                                                           Attempt& attempt) {
  detail::CallFacts facts(request, attempt.member());
  auto source = std::make_unique<detail::HttpStream>(attempt, facts, options_.protocol,
                                                     request.stream, !options_.stream);
  const detail::ForgetReadiness afterwards(attempt);
  auto prepared = detail::provider_request(options_, request, attempt);
  if (!prepared.unsupported.empty()) {
    co_return Failure(FailoverReason::unsupported_request, prepared.unsupported);
  }
  if (!prepared.lost.empty() && attempt.skips_losses()) {
    co_return Failure(FailoverReason::unsupported_request,
                      "passed over: it would not get " + prepared.lost);
  }
  if (!request.messages.empty() && request.messages.back().role == Role::assistant) {
    source->with_prefill();
  }
  source->with_tools(std::move(prepared.tools));
  source->with_origin(std::move(prepared.origin));
  auto response =
      co_await client_.send(options_.base_url.endpoint, prepared.http, source->observer());
  if (response.has_error()) {
    co_return detail::failure_of(response.error(), facts);
  }
  if (!detail::is_success(*response)) {
    std::string body;
    const auto refused = co_await detail::refusal(*response, facts, attempt, body);
    auto failure =
        detail::capability_failure(options_, request, attempt, refused,
                                   static_cast<int>(response->status()), body, prepared.http.body);
    mended(failure, request, attempt);
    co_return failure;
  }
  note_headers(request, attempt, response->headers());
  auto opened = co_await source->open(attempt, std::move(*response));
  if (opened.has_error()) {
    auto failure = opened.error();
    mended(failure, request, attempt);
    co_return failure;
  }
  learn(request, attempt, prepared.mends);
  co_return Stream(std::move(source));
}

}  // namespace understudy::llm
