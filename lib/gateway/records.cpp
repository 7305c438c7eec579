#include "understudy/gateway/records.hpp"

namespace understudy::gateway {

void Records::reloaded() {
  metrics_.reloaded(true);
  log_.note(LogConfig::Level::info, "the configuration was read again, and is in force");
}

void Records::refused(const ConfigErrors& errors) {
  metrics_.reloaded(false);
  log_.note(LogConfig::Level::error,
            "the configuration was refused; the one before stays in force");
  for (const auto& error : errors.errors) {
    auto line = to_string(ConfigErrors{errors.file, {error}});
    line.erase(line.find_last_not_of('\n') + 1);
    log_.note(LogConfig::Level::error, line);
  }
}

void Records::ended(CallRecord record) {
  under_way_.fetch_sub(1, std::memory_order_relaxed);
  metrics_.answered(record);
  log_.call(record);
  record.prompt = std::string();
  const std::lock_guard lock(mutex_);
  recent_.push_front(std::move(record));
  if (recent_.size() > most_recent) {
    recent_.pop_back();
  }
}

std::optional<std::string> Records::metrics_text(ClientState& state) const {
  return metrics_.text(Levels(state, under_way_.load(std::memory_order_relaxed)));
}

void Records::write_recent(JsonWriter& json) const {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const std::lock_guard lock(mutex_);
  json.begin_array();
  for (const auto& record : recent_) {
    json.begin_object()
        .member("id", record.id)
        .member("path", record.path)
        .member("status", record.status)
        .member("broke", record.broke)
        .member("took_ms", Milliseconds(record.took).count())
        .key("report")
        .raw(record.report.to_json())
        .end_object();
  }
  json.end_array();
}

}  // namespace understudy::gateway
