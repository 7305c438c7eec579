/// A file of OAuth tokens that several programs share. It is locked, read, and replaced atomically.
///
/// Invariants
/// 1. When `reserve` returns, the new file and its space have been allocated on the disk, so that `write` succeeds even
///    if the disk becomes full in between.
/// 2. A reader sees either the old or the new contents, also after a crash: the new file is written next to the old one
///    and synchronized, it is renamed over the old one, and the folder is synchronized. Only a file that is a mount
///    point, which cannot be replaced by a rename, is overwritten in place.
/// 3. A symbolic link is kept, and its target is replaced. Owner, group and mode are kept; a file that everyone may
///    read gets mode 0600.
/// 4. The lock is an exclusive flock(2) on "FILE.lock" next to the file, or next to the target of a link. The lock file
///    is never deleted, and the lock ends with its process. A folder of that name, as the Node package proper-lockfile
///    creates, counts as a held lock. File systems without locks are used without one.
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

/// The requests to the operating system, in this order.
enum class FileStep : unsigned char { lock, create, reserve, write, sync, rename, sync_folder };

/// For tests: returns the errno with which a step fails, or 0.
using FileFault = std::function<int(FileStep)>;

/// See the top of the file. Threads: one at a time. Except for `lock`, functions block. Errors are `auth`; messages
/// name the file but never its contents.
class UNDERSTUDY_API TokenFile {
 public:
  /// If another process holds the lock for longer, `lock` fails.
  static constexpr Clock::duration longest_lock = std::chrono::seconds(10);
  /// In bytes; a larger file is an error.
  static constexpr std::size_t longest = std::size_t{1024} * 1024;

  explicit TokenFile(std::string path, FileFault fault = {});
  ~TokenFile();
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;

  /// The path as it was given.
  const std::string& path() const noexcept { return path_; }

  /// Returns the contents. Errors: the file cannot be read, or is larger than `longest`.
  Result<std::string> read() const;

  /// Completes when this object holds the lock, or at once if it already does. Errors: another process has held the
  /// lock for `longest_lock`, or the lock file cannot be created. Cancellation ends the wait, as for a Timer.
  asio::awaitable<Result<void>> lock();
  /// Whether this object holds the lock.
  bool locked() const noexcept { return lock_ >= 0; }
  /// Releases the lock, and discards the reserved file.
  void unlock();

  /// Returns the contents of a new file that was written but not renamed because its process ended, or nothing if there
  /// is none or if the file itself was written later. The caller must hold the lock.
  std::optional<std::string> left_behind() const;
  /// Replaces the file by `left`, which `left_behind` returned. The caller must hold the lock. Errors: a step failed.
  Result<void> put_in_place(std::string_view left);

  /// Creates a new file of `size` bytes next to the old one. The caller must hold the lock. Errors: a step failed, and
  /// the new file was removed.
  Result<void> reserve(std::size_t size);

  /// Replaces the contents of the file by `text`, using the reserved file; if there is none, space is reserved first.
  /// Errors: a step failed, or the file was removed. The file then has its old contents, or the new ones if only the
  /// folder could not be synchronized. The caller may call it again.
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
