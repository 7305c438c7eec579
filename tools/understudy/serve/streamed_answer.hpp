/// A call's answer, written to a client as it comes.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "understudy/client/client.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/net/http_server.hpp"

namespace understudy::tool {

/// `x-understudy-member`, `-attempts` and `-why`: what is known of a call so far.
void add_report(HttpFields& headers, const CallReport& report);

/// See the top of the file, and the invariants of gateway.hpp.
class StreamedAnswer {
 public:
  StreamedAnswer(HttpExchange& exchange, const ServerConfig& server, Protocol protocol)
      : exchange_(exchange), server_(server), protocol_(protocol) {}

  /// Completes when it is written or cut off. Cancellation: throws operation_aborted.
  asio::awaitable<void> run(Client& client, Scope& scope, Request request);

 private:
  asio::awaitable<void> keep_alive(Timer& timer);
  asio::awaitable<bool> begin(const CallReport* report);
  asio::awaitable<void> fail(const Failure& failure, const CallReport& report);
  asio::awaitable<void> write(Delivery& answer);

  HttpExchange& exchange_;
  const ServerConfig& server_;
  Protocol protocol_;
  std::unique_ptr<EventEncoder> encoder_;
  bool committed_ = false;
  bool broken_ = false;  // the client's connection
};

}  // namespace understudy::tool
