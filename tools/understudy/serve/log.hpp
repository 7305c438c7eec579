/// The gateway's log: a line for each call, on standard error.
///
/// Invariants
/// 1. No secret, and no prompt unless `log.prompts`. What comes from outside is bounded, and cannot begin a line.
/// 2. Nothing waits for its reader, nor does the end of the program for more than a second: lines that are not
///    taken make room for later ones, and the next line that is taken says how many were lost.
/// 3. Any thread.
///
///     Log log(config.log);
///     log.call(record);
///     // 2026-11-26T02:20:11.123+00:00 info req_1 /v1/messages 200 in 1.234 s, model "quick": anthropic/m answered
#pragma once

#include <memory>
#include <string>

#include "understudy/client/config.hpp"
#include "understudy/gateway/call_record.hpp"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace understudy::tool {

using namespace gateway;

/// What the log says of a call: a line, or as JSON the members of an object without its braces.
std::string log_line(const CallRecord& record, LogConfig::Format format);

/// See the top of the file.
class Log {
 public:
  explicit Log(const LogConfig& config);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Answered: info. Anything else: a warning.
  void call(const CallRecord& record);

  /// Something else. In one line; holds no secret.
  void note(LogConfig::Level level, std::string_view text);

  /// From now on. Any thread.
  void set_level(LogConfig::Level level);

 private:
  class Sink;

  LogConfig config_;
  std::shared_ptr<spdlog::details::thread_pool> threads_;
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace understudy::tool
