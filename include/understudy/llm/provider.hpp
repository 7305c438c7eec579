/// Who answers requests: what a failover's attempt asks.
///
///     auto outcome = co_await failover(chain, policy, state, [&](Attempt& attempt) {
///       return provider_of(attempt.member()).open(request, attempt);
///     });
#pragma once

#include <boost/asio/awaitable.hpp>

#include "understudy/export.hpp"
#include "understudy/failover/attempt.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/stream.hpp"

namespace understudy::llm {

/// See the top of the file. Threads: one executor.
class UNDERSTUDY_API Provider {
 public:
  virtual ~Provider() = default;

  /// Sends `request` for `attempt.member()`, with its credential, mended for `attempt.mends()`. Completes
  /// with a Stream at its first progress, which has told the attempt of every phase, byte and heartbeat
  /// until then. Errors: classified; `with_mend` where this very request can be mended for them. An answer
  /// that ends without having said anything is `malformed_response`. Cancellation: ends at once, with
  /// operation_aborted, or thrown as Asio does. `request` and `attempt` must outlive the call, not the Stream.
  virtual asio::awaitable<Result<Stream>> open(const Request& request, Attempt& attempt) = 0;
};

}  // namespace understudy::llm
