#include "understudy/gateway/log.hpp"

namespace understudy::gateway {

Log::~Log() = default;

void Log::call_ended(const CallRecord&) {}
void Log::config_applied() {}
void Log::config_rejected(const ConfigErrors&) {}
void Log::warning(std::string_view) {}

}  // namespace understudy::gateway
