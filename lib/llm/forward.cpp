#include "understudy/llm/forward.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "http_stream.hpp"
#include "passed_headers.hpp"
#include "provider_reply.hpp"
#include "provider_request.hpp"
#include "quota_headers.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/runtime/stall_timer.hpp"

namespace understudy::llm {
namespace {

/// The statuses that say something about the provider or the credential, whatever was asked for.
constexpr std::array<unsigned, 5> of_the_provider{401, 402, 403, 408, 429};

bool is_answer(const HttpResponse& response, bool kept_state) {
  const auto status = response.status();
  return detail::is_success(response) || (kept_state && status >= 300 && status < 500 &&
                                          std::find(of_the_provider.begin(), of_the_provider.end(),
                                                    status) == of_the_provider.end());
}

bool is_json(const HttpResponse& response) {
  return response.headers().find("content-type").value_or("").starts_with("application/json");
}

/// The headers that describe the body, and those that pass.
HeaderList headers_of(const HttpProviderOptions& options, const Attempt& attempt,
                      const HttpFields& from) {
  HeaderList list;
  for (const char* const name : {"content-type", "content-disposition", "content-encoding"}) {
    if (const auto value = from.find(name)) {
      list.emplace_back(name, *value);
    }
  }
  if (options.back_end != nullptr) {
    auto passed = detail::passed_to_client(*options.back_end, from,
                                           detail::issuer_of(options, attempt.credential()));
    std::move(passed.begin(), passed.end(), std::back_inserter(list));
  }
  return list;
}

/// A response whose body is passed on as it comes.
class Rest final : public ForwardedResponse::Source {
 public:
  Rest(Attempt& attempt, detail::CallFacts facts)
      : facts_(std::move(facts)), observer_(attempt, false) {
    attempt.ready_by([this] { return observer_.ready(); });
  }

  IoObserver& observer() noexcept { return observer_; }

  /// The attempt has ended: from here on there is a timer of its own.
  void take_over(HttpResponse response, StallLimits limits, const asio::any_io_executor& executor) {
    response_.emplace(std::move(response));
    limits.share = Limit();
    auto hooks = StallHooks()
                     .on_expired([this](const Cause& cause) {
                       expired_ = cause;
                       response_->abort();
                     })
                     .with_ready([this] { return observer_.ready(); });
    stall_.emplace(executor, limits, std::move(hooks));
    observer_.hand_over(*stall_);
    stall_->enter(Phase::progress);
  }

  asio::awaitable<Result<std::string_view>> next() override {
    const auto part = co_await response_->read();
    stall_->paused();
    if (part.has_value()) {
      stall_->progressed();
      co_return *part;
    }
    if (expired_) {
      co_return Failure(*expired_);
    }
    co_return detail::failure_of(part.error(), facts_);
  }

 private:
  detail::CallFacts facts_;
  detail::WireObserver observer_;
  std::optional<HttpResponse> response_;
  std::optional<StallTimer> stall_;
  std::optional<Cause> expired_;
};

}  // namespace

asio::awaitable<Result<std::string_view>> ForwardedResponse::next() {
  if (rest_ == nullptr) {
    co_return std::string_view();
  }
  co_return co_await rest_->next();
}

asio::awaitable<Result<ForwardedResponse>> HttpProvider::forward(const ForwardedRequest& request,
                                                                 Attempt& attempt) {
  auto ask = [&] { return forward_quietly(request, attempt); };
  co_return co_await detail::quietly<ForwardedResponse>(std::move(ask));
}

asio::awaitable<Result<ForwardedResponse>> HttpProvider::forward_quietly(
    const ForwardedRequest& request, Attempt& attempt) {
  const auto prepared = detail::provider_request(options_, request, attempt);
  if (!prepared) {
    co_return Failure(FailoverReason::format_error, "the body is not a JSON object");
  }
  const detail::CallFacts facts(Request(), attempt.member());
  auto rest = std::make_unique<Rest>(attempt, facts);
  const detail::ForgetReadiness afterwards(attempt);
  auto response = co_await client_.send(options_.base_url.endpoint, *prepared, rest->observer());
  if (response.has_error()) {
    co_return detail::failure_of(response.error(), facts);
  }
  if (!is_answer(*response, request.kept_state)) {
    std::string body;
    co_return co_await detail::refusal(*response, facts, attempt, body);
  }
  attempt.answered_with(std::string(detail::providers_request_id(response->headers())), {});
  attempt.allowed(detail::quota_headers(response->headers(), std::chrono::system_clock::now()));
  ForwardedResponse answer(response->status(), headers_of(options_, attempt, response->headers()),
                           {});
  const auto wanted = is_json(*response) ? ForwardedResponse::longest_kept : 1;
  if (wanted > 1) {
    attempt.enter(Phase::whole_answer);
  }
  bool more = true;
  while (more && answer.body.size() < wanted) {
    const auto part = co_await response->read();
    if (part.has_error()) {
      co_return detail::failure_of(part.error(), facts);
    }
    answer.body += *part;
    more = !part->empty();
  }
  attempt.progressed();
  attempt.paused();
  if (more) {
    rest->take_over(std::move(*response), attempt.limits(), co_await asio::this_coro::executor);
    answer.with_rest(std::move(rest));
  }
  co_return answer;
}

}  // namespace understudy::llm
