/// What is kept of the gateway's calls: counted, logged, and the last of them to be looked at.
///
/// Invariants
/// 1. Bounded: of reports the last `most_recent`, of all else numbers.
/// 2. Any thread: one for all of a gateway's workers.
///
///     Records records(config.log);
///     records.ended(std::move(record));
#pragma once

#include <atomic>
#include <deque>
#include <mutex>

#include "../../../tools/understudy/serve/log.hpp"
#include "../../../tools/understudy/serve/metrics.hpp"
#include "understudy/gateway/call_record.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::gateway {

/// See the top of the file.
class Records {
 public:
  static constexpr std::size_t most_recent = 32;

  explicit Records(const LogConfig& config) : log_(config), prompts_(config.prompts) {}

  /// Whether a record is to have the prompt.
  bool wants_prompts() const noexcept { return prompts_; }

  /// A call begins. Its record comes with `ended`.
  void began() noexcept { under_way_.fetch_add(1, std::memory_order_relaxed); }

  void ended(CallRecord record);

  /// The configuration was read again: it is in force, or was refused.
  void reloaded();
  void refused(const ConfigErrors& errors);

  /// For what is no call. See Log.
  void note(LogConfig::Level level, std::string_view text) { log_.note(level, text); }
  void set_level(LogConfig::Level level) { log_.set_level(level); }

  tool::Metrics& metrics() noexcept { return metrics_; }

  /// All metrics as text; nothing: built without.
  std::optional<std::string> metrics_text(ClientState& state) const;

  /// The last calls, latest first, as a JSON array.
  void write_recent(JsonWriter& json) const;

 private:
  tool::Log log_;
  tool::Metrics metrics_;
  bool prompts_;
  std::atomic<std::size_t> under_way_{0};
  mutable std::mutex mutex_;
  std::deque<CallRecord> recent_;
};

}  // namespace understudy::gateway
