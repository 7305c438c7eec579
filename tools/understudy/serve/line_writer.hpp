/// Writes lines to a descriptor whose reader may be slow, stopped or gone: a pipe to a log collector, a terminal, a file
/// on a full disk.
///
/// Invariants
/// 1. A write never blocks: it waits for room, and gives the line up when `give_up` has come.
/// 2. A line that could be written only in part is ended before the next one begins.
/// 3. SIGPIPE must be ignored (a reader that is gone is an error here, not the end of the program).
///
///     LineWriter lines(STDERR_FILENO);
///     lines.write("a line\n");
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

namespace understudy::tool {

/// See the top of the file. Threads: `write` one at a time, `give_up_after` any.
class LineWriter {
 public:
  using Clock = std::chrono::steady_clock;  // the kernel's, also where tests replace ours

  explicit LineWriter(int descriptor) noexcept : descriptor_(descriptor) {}

  /// Writes a line with its newline. False: all of it, or its end, is lost.
  bool write(std::string_view line);

  /// From then on nothing waits for room. Default: never.
  void give_up_after(Clock::duration wait) noexcept { give_up_ = Clock::now() + wait; }

 private:
  bool wait_for_room() const;

  int descriptor_;
  std::atomic<Clock::time_point> give_up_ = Clock::time_point::max();
  bool cut_ = false;
};

}  // namespace understudy::tool
