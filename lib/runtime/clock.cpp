#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

constinit thread_local TimeSource* time_source = nullptr;

}  // namespace understudy::detail
