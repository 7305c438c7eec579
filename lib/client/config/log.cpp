#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using LogKey = Key<LogConfig>;

}  // namespace

const KeyTable<LogConfig>& log_keys() {
  static const KeyTable<LogConfig> keys(
      SectionRow("log", "The log of the gateway.").with_header("[log]").with_alias("logging"),
      {
          LogKey("level",
                 Choice<LogConfig::Level>({{"debug", LogConfig::Level::debug},
                                           {"info", LogConfig::Level::info},
                                           {"warn", LogConfig::Level::warn},
                                           {"error", LogConfig::Level::error},
                                           {"off", LogConfig::Level::off}}),
                 &LogConfig::level, "The least severe messages that are logged."),
          LogKey("format",
                 Choice<LogConfig::Format>(
                     {{"text", LogConfig::Format::text}, {"json", LogConfig::Format::json}}),
                 &LogConfig::format, "How a message is written."),
          LogKey("prompts", Flag(), &LogConfig::prompts,
                 "Whether prompts and answers may be in the log.")
              .example("true"),
      });
  return keys;
}

}  // namespace understudy::config
