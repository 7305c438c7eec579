/// The interface of a provider, to which the attempts of a failover send requests.
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

/// See the top of the file. Threads: a single executor.
class UNDERSTUDY_API Provider {
 public:
  virtual ~Provider() = default;

  /// Sends `request` to `attempt.member()` with the attempt's credential, mended for `attempt.mends()`. Completes with
  /// a Stream at the first progress, and reports every phase, byte and heartbeat until then to the attempt. Errors:
  /// classified, and marked `with_mend` if this request can be mended for the error. An answer that ends without
  /// content fails with `malformed_response`. Cancellation: ends at once, with the error operation_aborted or an
  /// exception as in Asio. `request` and `attempt` must outlive the operation; they need not outlive the Stream.
  virtual asio::awaitable<Result<Stream>> open(const Request& request, Attempt& attempt) = 0;
};

}  // namespace understudy::llm
