/// What the gateways of a process record together: each call goes to the log and the metrics, and the latest calls
/// are kept for `/status`.
///
/// Invariants
/// 1. One for a process, shared by its gateways; each io_context has a Gateway of its own.
/// 2. Bounded: the last `most_recent` calls without their prompts, and otherwise numbers.
/// 3. What log and metrics throw is dropped.
/// 4. Any thread.
///
///     auto options = RecordsOptions().with_log(std::make_shared<Log>()).with_metrics(std::make_shared<Metrics>());
///     const auto records = std::make_shared<Records>(std::move(options));
///     state.on_warning([records](std::string_view text) { records->warning(text); });
///     for (const auto& call : records->recent()) { std::cout << call->id << ": " << call->report.why() << "\n"; }
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/gateway/log.hpp"
#include "understudy/gateway/metrics.hpp"

namespace understudy::gateway {

/// Where a gateway's records go.
class RecordsOptions {
 public:
  RecordsOptions() noexcept {}

  RecordsOptions& with_log(std::shared_ptr<Log> l) { return log = std::move(l), *this; }
  RecordsOptions& with_metrics(std::shared_ptr<Metrics> m) { return metrics = std::move(m), *this; }
  RecordsOptions& with_prompts(bool p) { return prompts = p, *this; }

  std::shared_ptr<Log> log;          ///< null: nothing is logged
  std::shared_ptr<Metrics> metrics;  ///< null: nothing is counted
  bool prompts = false;              ///< records given to the log have the request's body
};

/// See the top of the file.
class UNDERSTUDY_API Records {
 public:
  static constexpr std::size_t most_recent = 32;

  explicit Records(RecordsOptions options = RecordsOptions());
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;
  ~Records();

  /// For a program that reloads its configuration: the new one was given to all gateways, or was rejected.
  void config_applied();
  /// Logs and counts that a new configuration was not taken, and why.
  void config_rejected(const ConfigErrors& errors);

  /// For ClientState::on_warning, and for a program's own warnings. Must not hold a secret.
  void warning(std::string_view text);

  /// The latest calls that have ended, latest first.
  std::vector<std::shared_ptr<const CallRecord>> recent() const;

  /// How many calls have begun and not ended, of all gateways that share these records.
  std::size_t calls_in_flight() const noexcept {
    return in_flight_.load(std::memory_order_relaxed);
  }

  /// What `GET /metrics` answers: Metrics::expose() with the current gauges.
  Exposition exposition(ClientState& state) const;

  /// The rest is called by gateways. A call begins; `call_ended` must follow.
  void call_began() noexcept { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  /// Logs and counts a call, and keeps it for recent().
  void call_ended(CallRecord record);
  /// Counts an attempt.
  void attempt_ended(const AttemptReport& attempt);
  /// Counts that an answer broke after its attempt had succeeded.
  void answer_broke(const AttemptReport& attempt);
  /// Whether records given to the log have the request's body.
  bool wants_prompts() const noexcept { return prompts_; }

 private:
  std::shared_ptr<Log> log_;
  std::shared_ptr<Metrics> metrics_;
  bool prompts_;
  std::atomic<std::size_t> in_flight_{0};
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const CallRecord>> recent_;
};

}  // namespace understudy::gateway
