/// A call's answer, written to a client as it arrives; and a heartbeat whenever nothing was written for
/// `server.keep_alive`, so that neither proxies nor the client time out.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client_exchange.hpp"
#include "understudy/client/client.hpp"
#include "understudy/gateway/call_record.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy::gateway::detail {

/// Adds `x-understudy-member`, `-attempts` and `-why`: what is known of a call so far.
void add_report(HttpFields& headers, const CallReport& report);

/// See the top of the file, and the invariants of understudy/gateway/gateway.hpp.
class StreamedAnswer {
 public:
  /// `call` says whether the call waits.
  StreamedAnswer(ClientExchange& exchange, const Config& config, const CallRecord& call)
      : exchange_(exchange), config_(config), call_(call) {}

  /// Completes when the answer is written or cut off. Cancellation: throws operation_aborted.
  asio::awaitable<void> run(Client& client, Scope& scope, const RequestOptions& options,
                            llm::Request request);

  /// Whether it ended before the answer's end.
  bool broke() const noexcept { return broke_; }

  /// The longest time between two of its parts, if it had two.
  std::optional<Clock::duration> longest_gap() const noexcept { return longest_gap_; }

 private:
  asio::awaitable<void> keep_alive();
  asio::awaitable<void> quiet();
  asio::awaitable<bool> say(std::string_view frames);
  asio::awaitable<bool> begin(const CallReport* report);
  asio::awaitable<void> fail(const Failure& failure, const CallReport& report);
  asio::awaitable<void> write(Delivery& answer);
  void note_losses(const CallReport& report, std::vector<std::string>& lost) const;

  ClientExchange& exchange_;
  const Config& config_;
  const CallRecord& call_;
  std::unique_ptr<llm::EventEncoder> encoder_;
  std::optional<llm::CarriedSeals> seals_;
  Timer* next_comment_ = nullptr;  // while it runs
  Timer* comment_done_ = nullptr;
  Clock::time_point said_at_;
  bool speaking_ = false;    // frames are being written
  bool commenting_ = false;  // a comment is being written
  bool done_ = false;
  bool broken_ = false;  // the client's connection
  bool broke_ = true;
  std::optional<Clock::duration> longest_gap_;
  std::vector<std::string> told_;  // losses that the headers name
};

}  // namespace understudy::gateway::detail
