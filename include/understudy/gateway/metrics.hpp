/// What a gateway reports to a metrics system, and where `GET /metrics` gets its text from.
///
/// Invariants
/// 1. One function per fact, called once per attempt or call, never per token, with the values and not with
///    formatted text. What an implementation may use as labels (members, reasons, kinds, protocols, statuses) is
///    bounded; `CallRecord::model` and `id` come from the client and are not.
/// 2. Functions are called on the thread of the gateway concerned, so on several threads at once if gateways on
///    several threads share one Records. They must not block.
/// 3. What a function throws is dropped: a broken metric does not break a call. `expose` is the exception: what it
///    throws cuts the connection that asked for `/metrics`.
///
///     class Failures : public gateway::Metrics {
///       void call_ended(const gateway::CallRecord& record) override { failed += record.status != 200 ? 1 : 0; }
///       std::atomic<std::uint64_t> failed = 0;
///     };
///     const auto failures = std::make_shared<Failures>();
///     const auto records = std::make_shared<Records>(RecordsOptions().with_metrics(failures));
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/gateway/call_record.hpp"
#include "understudy/gateway/gauges.hpp"

namespace understudy::gateway {

/// Why there is no text for `/metrics`. The client that asks gets it as the message of a 404.
class NoExposition {
 public:
  NoExposition() noexcept {}

  /// Not a constructor: an Exposition made of a string alone is the text.
  static NoExposition because(std::string reason) {
    NoExposition none;
    none.why = std::move(reason);
    return none;
  }

  std::string why;
};

/// Called by `value()` of a result that holds a NoExposition; throws. The caller must check the result first.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const NoExposition& none,
                                                            const boost::source_location& where);

/// Text in Prometheus' format 0.0.4.
using Exposition = boost::system::result<std::string, NoExposition>;

/// See the top of the file. Each function does nothing unless overridden, so this class is also the metrics that
/// count nothing. Lifetime: shared; the last Records that uses it releases it.
class UNDERSTUDY_API Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  virtual ~Metrics();

  /// An attempt has ended: answered as far as is known, or failed. The report lives until the function returns.
  virtual void attempt_ended(const AttemptReport& attempt);

  /// An attempt that seemed to have answered: its answer broke off later. The report has the failure.
  virtual void answer_broke(const AttemptReport& attempt);

  /// A call has ended: answered, failed or abandoned by its client.
  virtual void call_ended(const CallRecord& record);

  /// The configuration was read again, and was applied or rejected.
  virtual void config_reloaded(bool applied);

  /// The body of `GET /metrics`. Called on the thread of the gateway that was asked.
  virtual Exposition expose(const Gauges& gauges) const;
};

}  // namespace understudy::gateway
