/// The program's log: a line per call on standard error, as text or JSON.
///
/// Invariants
/// 1. No secret, and no prompt unless `log.prompts`. What comes from outside is bounded, and cannot begin a line.
/// 2. Nothing waits for its reader, nor does the end of the program for more than a second: lines that are not
///    taken make room for later ones, and the next line that is taken says how many were lost.
/// 3. Any thread.
///
///     const auto log = std::make_shared<StderrLog>(config.log);
///     log->call_ended(record);
///     // 2026-11-26T02:20:11.123+00:00 info req_1 /v1/messages 200 in 1.234 s, model "quick": anthropic/m answered
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "understudy/client/config.hpp"
#include "understudy/gateway/log.hpp"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace understudy::tool {

/// How the log describes a call: a line, or as JSON the members of an object without its braces.
std::string log_line(const gateway::CallRecord& record, LogConfig::Format format);

/// See the top of the file.
class StderrLog final : public gateway::Log {
 public:
  explicit StderrLog(const LogConfig& config);
  ~StderrLog() override;

  /// Answered with 200 and to its end: info. Anything else: a warning.
  void call_ended(const gateway::CallRecord& record) override;
  void config_applied() override;
  void config_rejected(const ConfigErrors& errors) override;
  void warning(std::string_view text) override;

  /// From now on. Any thread.
  void set_level(LogConfig::Level level);

 private:
  class Sink;

  void note(LogConfig::Level level, std::string_view text);

  LogConfig config_;
  std::shared_ptr<spdlog::details::thread_pool> threads_;
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace understudy::tool
