/// Runs the calls of a gateway: each in a scope of its own, cancelled when its client leaves, and recorded when it
/// ends.
///
/// Invariants
/// 1. Each call that begins is recorded once, also if it ends by an exception.
/// 2. A client that leaves cancels its call with GatewayStop::client_gone; stop() cancels all with
///    StopReason::shutdown. Both end the call without an exception and cut the connection.
///
///     Calls calls(records);
///     co_await calls.run(client, std::move(record), std::move(call));
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <list>

#include "client_exchange.hpp"
#include "understudy/client/client.hpp"
#include "understudy/gateway/records.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. Threads: the executor of the exchanges. The records must outlive it, and it the calls.
class Calls {
 public:
  /// A call in its scope; it may write to the record what only it knows.
  using Call = std::function<asio::awaitable<void>(Scope&, RequestOptions&, CallRecord&)>;

  explicit Calls(Records& records) : records_(records) {}
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  /// Completes when the call has ended and is recorded. Rethrows what the call throws, but for a cancel of 2.
  asio::awaitable<void> run(ClientExchange& client, CallRecord record, Call call);

  /// Cancels the calls in flight.
  void stop();

 private:
  Records& records_;
  std::list<Scope*> in_flight_;
};

}  // namespace understudy::gateway::detail
