/// What a gateway reports to a log: typed records, which an implementation formats and stores as it likes.
///
/// Invariants
/// 1. Records hold no secret, and no prompt unless RecordsOptions::prompts is set.
/// 2. Functions are called on the thread of the gateway that a record is about, so on several threads at once if
///    gateways on several threads share one Records. They must not block: all calls of that thread would wait. An
///    implementation that writes somewhere slow keeps a queue.
/// 3. What a function throws is dropped: a broken log does not break a call.
///
///     class Lines : public gateway::Log {
///       void call_ended(const gateway::CallRecord& record) override { queue.push_back(record.report.why()); }
///     };
///     const auto records = std::make_shared<Records>(RecordsOptions().with_log(std::make_shared<Lines>()));
#pragma once

#include <string_view>

#include "understudy/client/config.hpp"
#include "understudy/export.hpp"
#include "understudy/gateway/call_record.hpp"

namespace understudy::gateway {

/// See the top of the file. Each function does nothing unless overridden, so this class is also the log that logs
/// nothing. Lifetime: shared; the last Records that uses it releases it.
class UNDERSTUDY_API Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log();

  /// A call has ended: answered, failed or abandoned by its client.
  virtual void call_ended(const CallRecord& record);

  /// A new configuration is in force.
  virtual void config_applied();

  /// A new configuration was rejected; the previous one stays in force.
  virtual void config_rejected(const ConfigErrors& errors);

  /// Something is wrong although no call has failed because of it: one line of text.
  virtual void warning(std::string_view text);
};

}  // namespace understudy::gateway
