#include "stderr_log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>

#include "line_writer.hpp"
#include "understudy/text/json_writer.hpp"

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

/// How long the end of the program waits for a reader of the log that takes nothing.
constexpr std::chrono::seconds last_lines_within(1);

double in_seconds(Clock::duration took) { return std::chrono::duration<double>(took).count(); }

/// Quoted, on one line.
std::string quoted(std::string_view text, std::size_t longest) {
  std::string out;
  JsonWriter(out).value(text.substr(0, longest));
  return out;
}

std::string as_text(const gateway::CallRecord& record) {
  std::string line = record.id + " " + record.path + " " + std::to_string(record.status) +
                     fmt::format(" in {:.3f} s", in_seconds(record.took));
  if (record.broke) {
    line += record.left ? ", the client left" : ", broken off";
  }
  line += ", model " + quoted(record.model, longest_model) + ": " + record.report.why();
  if (!record.prompt.empty()) {
    line += ", asked " + quoted(record.prompt, longest_prompt);
  }
  return line;
}

/// Without the braces: the time and the level stand before it.
std::string as_json(const gateway::CallRecord& record) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("id", record.id)
      .member("path", record.path)
      .member("status", record.status)
      .member("broke", record.broke)
      .member("client_left", record.left)
      .member("took_ms", in_seconds(record.took) * 1000)
      .member("model", std::string_view(record.model).substr(0, longest_model))
      .member("stream", record.streamed);
  if (!record.prompt.empty()) {
    json.member("prompt", std::string_view(record.prompt).substr(0, longest_prompt));
  }
  json.key("report").raw(record.report.to_json()).end_object();
  return out.substr(1, out.size() - 2);
}

/// Something other than a call, as the log's pattern wants it.
std::string as_note(std::string_view text, LogConfig::Format format) {
  std::string out(text);
  if (format == LogConfig::Format::json) {
    out = R"("message":)";
    JsonWriter(out).value(text);
  }
  return out;
}

}  // namespace

/// Writes to standard error without ever waiting for its reader. spdlog's own sink blocks while the reader reads
/// nothing, and with it the end of the program.
class StderrLog::Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// `overrun` says how many lines the queue has dropped so far.
  Sink(LogConfig::Format format, std::function<std::size_t()> overrun)
      : format_(format), overrun_(std::move(overrun)) {}

  void end_soon() noexcept { lines_.give_up_after(last_lines_within); }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (const auto lost = unwritten_ + overrun_(); lost != said_) {
      const auto note =
          as_note(fmt::format("{} log lines were lost: the reader is too slow, or writing failed",
                              lost - said_),
                  format_);
      spdlog::details::log_msg said(message.time, {}, message.logger_name, spdlog::level::warn,
                                    note);
      if (put(said)) {
        said_ = lost;
      }
    }
    if (!put(message)) {
      ++unwritten_;
    }
  }

  void flush_() override {}

  bool put(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    if (!terminal_ || message.color_range_end <= message.color_range_start) {
      return lines_.write({text.data(), text.size()});
    }
    const std::string_view plain(text.data(), text.size());
    const auto begin = message.color_range_start;
    const auto end = message.color_range_end;
    return lines_.write(fmt::format("{}{}{}\033[m{}", plain.substr(0, begin),
                                    colors.at(static_cast<std::size_t>(message.level)),
                                    plain.substr(begin, end - begin), plain.substr(end)));
  }

  /// By level: trace, debug, info, warning, error, critical.
  static constexpr std::array<const char*, 6> colors{
      "\033[37m", "\033[36m", "\033[32m", "\033[33m\033[1m", "\033[31m\033[1m", "\033[1m\033[41m"};

  LogConfig::Format format_;
  std::function<std::size_t()> overrun_;
  LineWriter lines_{STDERR_FILENO};
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::size_t unwritten_ = 0;
  std::size_t said_ = 0;
};

std::string log_line(const gateway::CallRecord& record, LogConfig::Format format) {
  return format == LogConfig::Format::json ? as_json(record) : as_text(record);
}

StderrLog::StderrLog(const LogConfig& config)
    : config_(config), threads_(std::make_shared<spdlog::details::thread_pool>(waiting_lines, 1)) {
  auto* const pool = threads_.get();  // outlives all that it writes
  sink_ = std::make_shared<Sink>(config.format, [pool] { return pool->overrun_counter(); });
  logger_ = std::make_shared<spdlog::async_logger>("understudy", sink_, threads_,
                                                   spdlog::async_overflow_policy::overrun_oldest);
  logger_->set_level(level_of(config.level));
  logger_->set_pattern(config.format == LogConfig::Format::json
                           ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                           : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

StderrLog::~StderrLog() { sink_->end_soon(); }

void StderrLog::call_ended(const gateway::CallRecord& record) {
  const bool well = record.left || (record.status == 200 && !record.broke);
  const auto level = well ? spdlog::level::info : spdlog::level::warn;
  if (logger_->should_log(level)) {
    logger_->log(level, "{}", log_line(record, config_.format));
  }
}

void StderrLog::config_applied() { note(LogConfig::Level::info, "the configuration was reloaded"); }

void StderrLog::config_rejected(const ConfigErrors& errors) {
  note(LogConfig::Level::error,
       "the configuration was rejected; the previous one remains in force");
  for (const auto& error : errors.errors) {
    auto line = to_string(ConfigErrors{errors.file, {error}});
    line.erase(line.find_last_not_of('\n') + 1);
    note(LogConfig::Level::error, line);
  }
}

void StderrLog::warning(std::string_view text) { note(LogConfig::Level::warn, text); }

void StderrLog::note(LogConfig::Level level, std::string_view text) {
  logger_->log(level_of(level), "{}", as_note(text, config_.format));
}

void StderrLog::set_level(LogConfig::Level level) { logger_->set_level(level_of(level)); }

}  // namespace understudy::tool
