#include "understudy/runtime/clock.hpp"

#include "understudy/runtime/wall_clock.hpp"

namespace understudy {

constinit thread_local detail::TimeSource* detail::time_source = nullptr;

std::chrono::sys_seconds unix_time() noexcept {
  using std::chrono::floor;
  using std::chrono::seconds;
  return detail::time_source != nullptr
             ? virtual_wall_epoch + floor<seconds>(Clock::now().time_since_epoch())
             : floor<seconds>(std::chrono::system_clock::now());
}

}  // namespace understudy
