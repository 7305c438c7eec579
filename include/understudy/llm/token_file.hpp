/// A file of OAuth tokens that several programs share: locked, read, and replaced as a whole.
///
/// Invariants
/// 1. `reserve` has put the new file and its space on the disk when it returns, so that a disk that fills up
///    afterwards does not keep `write` from succeeding.
/// 2. A reader sees the old contents or the new ones, also after a crash: the new file is written beside the
///    old one, synchronized, renamed over it, and the folder synchronized. Only where the file is a mount
///    point, which cannot be renamed over, is it overwritten in place.
/// 3. A symbolic link stays one: what it points to is replaced. Owner, group and mode are kept; a file that
///    everyone may read becomes 0600.
/// 4. The lock is an exclusive flock(2) on "FILE.lock" beside the file that a link points to. It is never
///    deleted, and ends with its process. A folder of that name, as the Node package proper-lockfile makes
///    it, counts as a lock that is held. On a file system without locks there is none.
///
///     TokenFile file(path);
///     const auto locked = co_await file.lock();
///     const auto text = file.read();
///     if (locked && text && file.reserve(text->size())) {
///       const auto renewed = co_await renew(*text);  // works once, so there must be space for it
///       const auto written = file.write(renewed);
///     }
///     file.unlock();
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

/// What is asked of the operating system, in this order.
enum class FileStep : unsigned char { lock, create, reserve, write, sync, rename, sync_folder };

/// Makes a step fail, for tests: the errno by which it does, or 0.
using FileFault = std::function<int(FileStep)>;

/// See the top of the file. One thread at a time. Errors are `auth`, and name the file, not its contents.
class UNDERSTUDY_API TokenFile {
 public:
  /// A lock that another process holds for longer is an error.
  static constexpr Clock::duration longest_lock = std::chrono::seconds(10);
  static constexpr std::size_t longest = std::size_t{1024} * 1024;

  explicit TokenFile(std::string path, FileFault fault = {});
  ~TokenFile();
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;

  const std::string& path() const noexcept { return path_; }

  /// The contents. Errors: it cannot be read, or is larger than `longest`.
  Result<std::string> read() const;

  /// Completes when this process has the lock: at once if it has it already. Errors: another process has held
  /// it for `longest_lock`; its file cannot be created. Cancellation ends the wait, as for a Timer.
  asio::awaitable<Result<void>> lock();
  bool locked() const noexcept { return lock_ >= 0; }
  /// Also gives up what was reserved.
  void unlock();

  /// The contents that a process left which died between writing the new file and renaming it: nothing, if the
  /// file itself was written since. To be called under the lock.
  std::optional<std::string> left_behind() const;
  /// Puts `left`, which is what `left_behind` said, in the file's place. Errors: it is where it was.
  Result<void> put_in_place(std::string_view left);

  /// Puts a new file of `size` bytes beside the old one. To be called under the lock. Errors: a step failed,
  /// and nothing is left of it.
  Result<void> reserve(std::size_t size);

  /// Replaces the file, with what was reserved, or else reserved now. Errors: a step failed, or the file was
  /// removed; the old contents are there, or, if only the folder could not be synchronized, the new ones. Call
  /// it again to try again.
  Result<void> write(std::string_view text);

 private:
  int failing(FileStep step) const { return fault_ ? fault_(step) : 0; }
  int try_lock();
  int create();
  int fill(std::string_view text);
  int replace(std::string_view text);
  int overwrite(std::string_view text) const;
  int sync_folder() const;
  void discard();
  std::string beside() const { return target_ + ".new"; }
  Failure wrong(const std::string& what, int why) const;

  std::string path_;
  std::string target_;  // what `path_` points to
  FileFault fault_;
  int lock_ = -1;
  int new_ = -1;
};

}  // namespace understudy::llm
