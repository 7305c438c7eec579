#include "log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "understudy/json_writer.hpp"

namespace understudy::tool {
namespace {

constexpr std::size_t waiting_lines = 8192;
constexpr std::size_t longest_model = 200;
constexpr std::size_t longest_prompt = std::size_t{16} * 1024;

spdlog::level::level_enum level_of(LogConfig::Level level) {
  switch (level) {
    case LogConfig::Level::debug: return spdlog::level::debug;
    case LogConfig::Level::info: return spdlog::level::info;
    case LogConfig::Level::warn: return spdlog::level::warn;
    case LogConfig::Level::error: return spdlog::level::err;
    case LogConfig::Level::off: break;
  }
  return spdlog::level::off;
}

double seconds(Clock::duration took) { return std::chrono::duration<double>(took).count(); }

/// In quotes, on one line.
std::string quoted(std::string_view text, std::size_t longest) {
  std::string out;
  JsonWriter(out).value(text.substr(0, longest));
  return out;
}

std::string as_text(const CallRecord& record) {
  std::string line = record.id + " " + record.path + " " + std::to_string(record.status) +
                     fmt::format(" in {:.3f} s", seconds(record.took));
  if (record.broke) {
    line += ", broken off";
  }
  line += ", model " + quoted(record.model, longest_model) + ": " + record.report.why();
  if (!record.prompt.empty()) {
    line += ", asked " + quoted(record.prompt, longest_prompt);
  }
  return line;
}

/// Without the braces: the time and the level stand before it.
std::string as_json(const CallRecord& record) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("id", record.id)
      .member("path", record.path)
      .member("status", record.status)
      .member("broke", record.broke)
      .member("took_ms", seconds(record.took) * 1000)
      .member("model", std::string_view(record.model).substr(0, longest_model))
      .member("stream", record.streamed);
  if (!record.prompt.empty()) {
    json.member("prompt", std::string_view(record.prompt).substr(0, longest_prompt));
  }
  json.key("report").raw(record.report.to_json()).end_object();
  return out.substr(1, out.size() - 2);
}

}  // namespace

std::string log_line(const CallRecord& record, LogConfig::Format format) {
  return format == LogConfig::Format::json ? as_json(record) : as_text(record);
}

Log::Log(const LogConfig& config)
    : config_(config), threads_(std::make_shared<spdlog::details::thread_pool>(waiting_lines, 1)) {
  logger_ = std::make_shared<spdlog::async_logger>(
      "understudy", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), threads_,
      spdlog::async_overflow_policy::overrun_oldest);
  logger_->set_level(level_of(config.level));
  logger_->set_pattern(config.format == LogConfig::Format::json
                           ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                           : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

Log::~Log() = default;

void Log::call(const CallRecord& record) {
  const bool well = record.status == 200 && !record.broke;
  const auto level = well ? spdlog::level::info : spdlog::level::warn;
  if (logger_->should_log(level)) {
    logger_->log(level, "{}", log_line(record, config_.format));
  }
}

void Log::note(LogConfig::Level level, std::string_view text) {
  std::string json;
  if (config_.format == LogConfig::Format::json) {
    JsonWriter(json).value(text);
    json.insert(0, R"("message":)");
  }
  logger_->log(level_of(level), "{}", json.empty() ? text : json);
}

void Log::set_level(LogConfig::Level level) { logger_->set_level(level_of(level)); }

}  // namespace understudy::tool
