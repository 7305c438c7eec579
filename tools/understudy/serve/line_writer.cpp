#include "line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace understudy::tool {
namespace {

/// How often it is looked whether to give up.
constexpr std::chrono::milliseconds look_again(50);

}  // namespace

bool LineWriter::wait_for_room() const {
  pollfd one{descriptor_, POLLOUT, 0};
  while (true) {
    const bool patient = Clock::now() < give_up_.load();
    const int ready = ::poll(&one, 1, patient ? static_cast<int>(look_again.count()) : 0);
    if (ready > 0) {
      return true;  // also where writing will fail
    }
    if (!patient || (ready < 0 && errno != EINTR)) {
      return false;
    }
  }
}

bool LineWriter::write(std::string_view line) {
  const auto put = [&](std::string_view text) {
    while (!text.empty()) {
      if (!wait_for_room()) {
        return false;
      }
      // A pipe that has room takes so much without blocking.
      const auto written =
          ::write(descriptor_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (written < 0 && errno != EINTR && errno != EAGAIN) {
        return false;
      }
      const auto taken = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
      cut_ = taken < text.size() && (cut_ || taken > 0);
      text.remove_prefix(taken);
    }
    return true;
  };
  return (!cut_ || put("\n")) && put(line);
}

}  // namespace understudy::tool
