/// What is kept of the gateway's calls: counted, logged, and the last of them to be looked at.
///
/// Invariants
/// 1. Bounded: of reports the last `most_recent`, of all else numbers.
/// 2. Any thread: one for all of a gateway's workers.
///
///     Records records(config.log);
///     records.ended(std::move(record));
#pragma once

#include <deque>
#include <mutex>

#include "call_record.hpp"
#include "log.hpp"
#include "metrics.hpp"
#include "understudy/json_writer.hpp"

namespace understudy::tool {

/// See the top of the file.
class Records {
 public:
  static constexpr std::size_t most_recent = 32;

  explicit Records(const LogConfig& config) : log_(config), prompts_(config.prompts) {}

  /// Whether a record is to have the prompt.
  bool wants_prompts() const noexcept { return prompts_; }

  void ended(CallRecord record);

  Metrics& metrics() noexcept { return metrics_; }

  /// The last calls, latest first, as a JSON array.
  void write_recent(JsonWriter& json) const;

 private:
  Log log_;
  Metrics metrics_;
  bool prompts_;
  mutable std::mutex mutex_;
  std::deque<CallRecord> recent_;
};

}  // namespace understudy::tool
