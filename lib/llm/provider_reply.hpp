/// What all requests to a provider have in common once it has replied.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "http_stream.hpp"
#include "understudy/failover/attempt.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/net/http_client.hpp"

namespace understudy::llm::detail {

inline bool is_success(const HttpResponse& response) {
  return response.status() >= 200 && response.status() < 300;
}

/// What an answer of another status stands for. `body`: what the response says, as far as it was read.
asio::awaitable<Failure> refusal(HttpResponse& response, const CallFacts& facts, Attempt& attempt,
                                 std::string& body);

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

}  // namespace understudy::llm::detail
