#include "calls.hpp"

#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "understudy/failover/observer.hpp"
#include "understudy/gateway/gateway_stop.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::gateway::detail {
namespace {

/// An outage that is shorter than this costs the client a wait, and no session: Claude Code gives up after some 20 s
/// of failures, and its own retries would multiply (docs/failover.md 4.3).
constexpr auto default_wait_out = std::chrono::seconds(30);

/// Reports what a call reports to the records: attempts to the metrics, and its end to the call's record.
class CallObserver final : public Observer {
 public:
  CallObserver(Records& records, CallRecord& record) : records_(records), record_(record) {}

  void attempt_began(const AttemptReport&) override { record_.waits = false; }
  void call_waits(Clock::time_point) override { record_.waits = true; }
  void attempt_ended(const AttemptReport& attempt) override { records_.attempt_ended(attempt); }
  void answer_broke(const AttemptReport& attempt) override { records_.answer_broke(attempt); }
  void call_ended(const CallReport& report) override { record_.report = report; }

 private:
  Records& records_;
  CallRecord& record_;
};

}  // namespace

void Calls::stop() {
  for (auto* const call : in_flight_) {
    call->cancel(StopReason::shutdown);
  }
}

asio::awaitable<void> Calls::run(ClientExchange& client, CallRecord record, Call call) {
  const auto began = Clock::now();
  records_.call_began();
  CallObserver observer(records_, record);
  auto in_scope = [&](Scope& scope) -> asio::awaitable<void> {
    const auto place = in_flight_.insert(in_flight_.end(), &scope);
    auto watch = [&]() -> asio::awaitable<void> {
      co_await client.gone();
      scope.cancel(GatewayStop::client_gone);
    };
    scope.spawn(std::move(watch));
    RequestOptions options;
    options.with_parent(scope)
        .with_observer(observer)
        .with_on_partial(OnPartial::resume)
        .with_wait_out(default_wait_out);
    std::exception_ptr thrown;
    try {
      co_await call(scope, options, record);
    } catch (...) {
      thrown = std::current_exception();
    }
    in_flight_.erase(place);
    scope.cancel(StopReason::lost);  // the watch
    if (thrown) {
      std::rethrow_exception(thrown);
    }
  };
  std::exception_ptr other;
  try {
    co_await with_scope(std::move(in_scope));
  } catch (const boost::system::system_error& stopped) {
    record.broke = true;
    record.left = stopped.code() == GatewayStop::client_gone;
    client.abort();
    if (stopped.code() != GatewayStop::client_gone && stopped.code() != StopReason::shutdown) {
      other = std::current_exception();
    }
  } catch (const std::bad_alloc&) {
    record.broke = true;
    record.report.code = LocalFault::memory;
    other = std::current_exception();
  } catch (...) {  // a bug: no observer was told of the call's end
    record.broke = true;
    record.report.code = FailoverReason::unknown;
    other = std::current_exception();
  }
  record.status = client.status();
  record.took = Clock::now() - began;
  records_.call_ended(std::move(record));
  if (other) {
    std::rethrow_exception(other);
  }
}

}  // namespace understudy::gateway::detail
