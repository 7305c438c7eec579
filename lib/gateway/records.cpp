#include "understudy/gateway/records.hpp"

namespace understudy::gateway {
namespace {

/// Runs code of the embedding program, whose exceptions concern no call.
template <class F>
void contain(F f) noexcept {
  try {
    f();
  } catch (...) {  // NOLINT(bugprone-empty-catch) see invariant 3
  }
}

}  // namespace

Records::Records(RecordsOptions options)
    : log_(options.log ? std::move(options.log) : std::make_shared<Log>()),
      metrics_(options.metrics ? std::move(options.metrics) : std::make_shared<Metrics>()),
      prompts_(options.prompts) {}

Records::~Records() = default;

void Records::config_applied() {
  contain([&] { metrics_->config_reloaded(true); });
  contain([&] { log_->config_applied(); });
}

void Records::config_rejected(const ConfigErrors& errors) {
  contain([&] { metrics_->config_reloaded(false); });
  contain([&] { log_->config_rejected(errors); });
}

void Records::warning(std::string_view text) {
  contain([&] { log_->warning(text); });
}

void Records::attempt_ended(const AttemptReport& attempt) {
  contain([&] { metrics_->attempt_ended(attempt); });
}

void Records::answer_broke(const AttemptReport& attempt) {
  contain([&] { metrics_->answer_broke(attempt); });
}

void Records::call_ended(CallRecord record) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  contain([&] { metrics_->call_ended(record); });
  contain([&] { log_->call_ended(record); });
  record.prompt = std::string();
  auto kept = std::make_shared<const CallRecord>(std::move(record));
  const std::lock_guard lock(mutex_);
  recent_.push_front(std::move(kept));
  if (recent_.size() > most_recent) {
    recent_.pop_back();
  }
}

std::vector<std::shared_ptr<const CallRecord>> Records::recent() const {
  const std::lock_guard lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

Exposition Records::exposition(ClientState& state) const {
  return metrics_->expose(Gauges(state, calls_in_flight()));
}

}  // namespace understudy::gateway
