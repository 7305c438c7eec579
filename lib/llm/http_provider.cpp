#include "understudy/llm/http_provider.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "http_stream.hpp"
#include "provider_request.hpp"
#include "understudy/llm/refused_part.hpp"
#include "understudy/runtime/race.hpp"

namespace understudy::llm {
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

/// Embeddings of 2,048 inputs are some 60 MiB.
constexpr std::size_t longest_forwarded_answer = std::size_t{64} * 1024 * 1024;

bool is_success(const HttpResponse& response) {
  return response.status() >= 200 && response.status() < 300;
}

/// What an answer of another status stands for. `body`: what the response says, as far as it was read.
asio::awaitable<Failure> refusal(HttpResponse& response, const detail::CallFacts& facts,
                                 Attempt& attempt, std::string& body) {
  // The attempt's own clock for this phase would end it, and lose what came.
  const auto limit = attempt.limits().error_body.after;
  attempt.enter(Phase::none);
  body = co_await error_body(response, limit);
  std::vector<llm::HeaderField> headers;
  headers.reserve(response.headers().size());
  for (std::size_t i = 0; i < response.headers().size(); ++i) {
    headers.push_back(response.headers()[i]);
  }
  co_return detail::failure_of(facts.error()
                                   .with_status(static_cast<int>(response.status()))
                                   .with_headers(headers)
                                   .with_body(body));
}

/// Under the attempt's cancel nothing throws on the way up from the socket: a stall would cost two exceptions
/// and all the frames between (architecture.md 4). The caller's own awaits throw as before.
template <class T, class F>
asio::awaitable<Result<T>> quietly(F ask) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  std::optional<Result<T>> answer;
  std::exception_ptr thrown;
  try {
    answer.emplace(co_await ask());
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  co_return std::move(*answer);
}

/// The attempt must not ask a stream that is gone.
class ForgetReadiness {
 public:
  explicit ForgetReadiness(Attempt& attempt) noexcept : attempt_(attempt) {}
  ForgetReadiness(const ForgetReadiness&) = delete;
  ForgetReadiness& operator=(const ForgetReadiness&) = delete;
  ~ForgetReadiness() { attempt_.ready_by({}); }

 private:
  Attempt& attempt_;
};

}  // namespace

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
  co_return co_await quietly<Stream>(std::move(ask));
}

asio::awaitable<Result<std::string>> HttpProvider::forward(const ForwardedRequest& request,
                                                           Attempt& attempt) {
  auto ask = [&] { return forward_quietly(request, attempt); };
  co_return co_await quietly<std::string>(std::move(ask));
}

asio::awaitable<Result<Stream>> HttpProvider::open_quietly(const Request& request,
                                                           Attempt& attempt) {
  detail::CallFacts facts(request, attempt.member());
  auto source = std::make_unique<detail::HttpStream>(attempt, facts, options_.protocol,
                                                     request.stream, !options_.stream);
  const ForgetReadiness afterwards(attempt);
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
  if (!is_success(*response)) {
    std::string body;
    const auto refused = co_await refusal(*response, facts, attempt, body);
    auto failure =
        detail::capability_failure(options_, request, attempt, refused,
                                   static_cast<int>(response->status()), body, prepared.http.body);
    mended(failure, request, attempt);
    co_return failure;
  }
  auto opened = co_await source->open(attempt, std::move(*response));
  if (opened.has_error()) {
    auto failure = opened.error();
    mended(failure, request, attempt);
    co_return failure;
  }
  learn(request, attempt, prepared.mends);
  co_return Stream(std::move(source));
}

asio::awaitable<Result<std::string>> HttpProvider::forward_quietly(const ForwardedRequest& request,
                                                                   Attempt& attempt) {
  const auto prepared = detail::provider_request(options_, request, attempt);
  if (!prepared) {
    co_return Failure(FailoverReason::format_error, "the body is not a JSON object");
  }
  const detail::CallFacts facts(Request(), attempt.member());
  detail::WireObserver observer(attempt, true);
  const ForgetReadiness afterwards(attempt);
  attempt.ready_by([&observer] { return observer.ready(); });
  auto response = co_await client_.send(options_.base_url.endpoint, *prepared, observer);
  if (response.has_error()) {
    co_return detail::failure_of(response.error(), facts);
  }
  if (!is_success(*response)) {
    std::string body;
    co_return co_await refusal(*response, facts, attempt, body);
  }
  auto body = co_await response->read_all(longest_forwarded_answer);
  attempt.paused();
  if (body.has_error()) {
    co_return detail::failure_of(body.error(), facts);
  }
  attempt.progressed();
  co_return std::move(*body);
}

}  // namespace understudy::llm
