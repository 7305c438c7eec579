#include "records.hpp"

namespace understudy::tool {

void Records::ended(CallRecord record) {
  metrics_.answered(record.protocol, record.status, record.took);
  log_.call(record);
  record.prompt = std::string();
  const std::lock_guard lock(mutex_);
  recent_.push_front(std::move(record));
  if (recent_.size() > most_recent) {
    recent_.pop_back();
  }
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

}  // namespace understudy::tool
