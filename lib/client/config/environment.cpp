#include <cstdlib>

#include "client/config/sections.hpp"

namespace understudy::config {

void read_environment(Findings& findings, const Environment& environment, StallSettings& settings) {
  for (const auto* name : {"UNDERSTUDY_STREAM_STALE_TIMEOUT", "HERMES_STREAM_STALE_TIMEOUT"}) {
    const char* const written = environment ? environment(name) : std::getenv(name);
    if (written == nullptr || *written == '\0') {
      continue;
    }
    const auto stale = parse_seconds(written);
    if (stale) {
      settings.stale = stale;
    } else {
      findings.add({}, std::string("the environment variable ") + name + " is not a duration",
                   "set it to seconds, such as 180, or to a number with a unit, such as 90s");
    }
    return;
  }
}

}  // namespace understudy::config
