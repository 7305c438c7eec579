#include "understudy/llm/token_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace understudy::llm {
namespace {

constexpr Clock::duration between_tries = std::chrono::milliseconds(100);

/// Calls `f` until no signal interrupts it. The errno by which it failed, or 0.
template <class F>
int outcome_of(F f) {
  int result = 0;
  do {
    result = f();
  } while (result < 0 && errno == EINTR);
  return result < 0 ? errno : 0;
}

int write_all(int fd, std::string_view text) {
  off_t at = 0;
  while (!text.empty()) {
    const auto size = ::pwrite(fd, text.data(), text.size(), at);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size <= 0) {
      return size < 0 ? errno : EIO;
    }
    text.remove_prefix(static_cast<std::size_t>(size));
    at += size;
  }
  return 0;
}

bool cannot_reserve(int failed) { return failed == EOPNOTSUPP || failed == EINVAL; }

int allocate(int fd, std::size_t size) {
  const int failed = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  return cannot_reserve(failed) ? write_all(fd, std::string(size, ' ')) : failed;
}

void close(int& fd) {
  if (fd >= 0) {
    ::close(std::exchange(fd, -1));
  }
}

std::string target_of(const std::string& path) {
  std::error_code failed;
  auto target = std::filesystem::canonical(path, failed);
  return failed ? path : target.string();
}

Result<std::string> contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(TokenFile::longest + 1, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size())) && !in.eof()) {
    return Failure(FailoverReason::auth, "cannot be read");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > TokenFile::longest) {
    return Failure(FailoverReason::auth, "is larger than 1 MiB");
  }
  return text;
}

bool older(const timespec& a, const timespec& b) {
  return std::pair(a.tv_sec, a.tv_nsec) < std::pair(b.tv_sec, b.tv_nsec);
}

}  // namespace

TokenFile::TokenFile(std::string path, FileFault fault)
    : path_(std::move(path)), target_(target_of(path_)), fault_(std::move(fault)) {}

TokenFile::~TokenFile() { unlock(); }

Failure TokenFile::wrong(const std::string& what, int why) const {
  const error_code code(why, boost::system::system_category());
  return {FailoverReason::auth, "token file " + path_ + ": " + what + ": " + code.message()};
}

Result<std::string> TokenFile::read() const {
  auto text = contents(path_);
  if (text.has_error()) {
    return Failure(FailoverReason::auth, "token file " + path_ + ": " + text.error().message());
  }
  return text;
}

/// EWOULDBLOCK: another process has it.
int TokenFile::try_lock() {
  if (const int fault = failing(FileStep::lock)) {
    return fault;
  }
  const auto name = target_ + ".lock";
  int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd < 0) {
    return errno == EISDIR ? EWOULDBLOCK : errno;
  }
  int failed = outcome_of([fd] { return ::flock(fd, LOCK_EX | LOCK_NB); });
  if (failed == ENOLCK || failed == EOPNOTSUPP || failed == ENOSYS) {
    failed = 0;
  }
  struct stat ours{};
  struct stat there{};
  if (failed == 0 && (::fstat(fd, &ours) != 0 || ::stat(name.c_str(), &there) != 0 ||
                      ours.st_ino != there.st_ino || ours.st_dev != there.st_dev)) {
    failed = EWOULDBLOCK;  // it was deleted meanwhile, and excludes no other process
  }
  if (failed != 0) {
    close(fd);
    return failed;
  }
  lock_ = fd;
  return 0;
}

asio::awaitable<Result<void>> TokenFile::lock() {
  const auto give_up = Clock::now() + longest_lock;
  while (!locked()) {
    target_ = target_of(path_);
    const int failed = try_lock();
    if (failed != 0 && failed != EWOULDBLOCK) {
      co_return wrong("its lock " + target_ + ".lock cannot be taken", failed);
    }
    if (failed == EWOULDBLOCK && Clock::now() >= give_up) {
      co_return Failure(FailoverReason::auth,
                        "token file " + path_ + ": another process has held its lock " + target_ +
                            ".lock for 10 s; it is refreshing the token, or it hangs");
    }
    if (failed == EWOULDBLOCK) {
      co_await sleep_for(between_tries);
    }
  }
  co_return Result<void>();
}

void TokenFile::unlock() {
  discard();
  close(lock_);
}

std::optional<std::string> TokenFile::left_behind() const {
  struct stat left{};
  struct stat file{};
  if (::lstat(beside().c_str(), &left) != 0 || ::stat(target_.c_str(), &file) != 0 ||
      !S_ISREG(left.st_mode) || left.st_uid != ::geteuid() || older(left.st_mtim, file.st_mtim)) {
    return std::nullopt;
  }
  auto text = contents(beside());
  if (text.has_error()) {
    return std::nullopt;
  }
  text->resize(std::min(text->find('\0'), text->size()));  // reserved, and not cut off yet
  return std::move(*text);
}

Result<void> TokenFile::put_in_place(std::string_view left) {
  int fd = ::open(beside().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  int failed = fd < 0 ? errno : 0;
  if (failed == 0) {
    failed = outcome_of([&] { return ::ftruncate(fd, static_cast<off_t>(left.size())); });
  }
  if (failed == 0) {
    failed = outcome_of([fd] { return ::fsync(fd); });
  }
  close(fd);
  if (failed == 0) {
    failed = outcome_of([this] { return ::rename(beside().c_str(), target_.c_str()); });
  }
  if (failed == 0) {
    failed = sync_folder();
  }
  return failed == 0
             ? Result<void>()
             : wrong("tokens that were left in " + beside() + " cannot take its place", failed);
}

void TokenFile::discard() {
  if (new_ >= 0) {
    ::unlink(beside().c_str());
    close(new_);
  }
}

int TokenFile::create() {
  if (const int fault = failing(FileStep::create)) {
    return fault;
  }
  struct stat old{};
  if (::stat(target_.c_str(), &old) != 0) {
    return errno;
  }
  ::unlink(beside().c_str());  // of a process that died; this one has the lock
  new_ = ::open(beside().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                S_IRUSR | S_IWUSR);
  if (new_ < 0) {
    return errno;
  }
  auto mode = old.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
  if ((mode & S_IRWXO) != 0) {
    mode = S_IRUSR | S_IWUSR;
  }
  struct stat made{};
  const bool ours =
      ::fstat(new_, &made) == 0 && made.st_uid == old.st_uid && made.st_gid == old.st_gid;
  if (!ours && ::fchown(new_, old.st_uid, old.st_gid) != 0) {
    mode &= S_IRWXU;  // what its group was allowed is not for another one
  }
  return outcome_of([&] { return ::fchmod(new_, mode); });
}

Result<void> TokenFile::reserve(std::size_t size) {
  discard();
  int failed = create();
  if (failed == 0) {
    failed = failing(FileStep::reserve);
  }
  if (failed == 0) {
    failed = allocate(new_, size);
  }
  if (failed == 0) {
    failed = outcome_of([this] { return ::fsync(new_); });
  }
  if (failed == 0) {
    failed = sync_folder();
  }
  if (failed != 0) {
    discard();
    return wrong("no space for new tokens", failed);
  }
  return {};
}

int TokenFile::sync_folder() const {
  if (const int fault = failing(FileStep::sync_folder)) {
    return fault;
  }
  const auto folder = std::filesystem::path(target_).parent_path();
  int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return errno == EACCES ? 0 : errno;  // one that may be written, and not listed
  }
  const int failed = outcome_of([fd] { return ::fsync(fd); });
  close(fd);
  return failed == EINVAL ? 0 : failed;  // a file system that has no such thing
}

int TokenFile::fill(std::string_view text) {
  int failed = failing(FileStep::write);
  if (failed == 0) {
    failed = write_all(new_, text);
  }
  if (failed == 0) {
    failed = outcome_of([&] { return ::ftruncate(new_, static_cast<off_t>(text.size())); });
  }
  if (failed == 0) {
    failed = failing(FileStep::sync);
  }
  return failed != 0 ? failed : outcome_of([this] { return ::fsync(new_); });
}

/// The new file beside it has the contents until this is done.
int TokenFile::overwrite(std::string_view text) const {
  int fd = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  int failed = ::posix_fallocate(fd, 0, static_cast<off_t>(text.size()));
  if (failed == 0 || cannot_reserve(failed)) {
    failed = write_all(fd, text);
  }
  if (failed == 0) {
    failed = outcome_of([&] { return ::ftruncate(fd, static_cast<off_t>(text.size())); });
  }
  if (failed == 0) {
    failed = outcome_of([fd] { return ::fsync(fd); });
  }
  close(fd);
  return failed;
}

int TokenFile::replace(std::string_view text) {
  int failed = failing(FileStep::rename);
  struct stat there{};
  if (failed == 0 && ::stat(target_.c_str(), &there) != 0) {
    return errno;  // removed: to log out
  }
  if (failed == 0) {
    failed = outcome_of([this] { return ::rename(beside().c_str(), target_.c_str()); });
  }
  if (failed == EBUSY) {
    failed = overwrite(text);
    if (failed == 0) {
      discard();
    }
    return failed;
  }
  if (failed == 0) {
    close(new_);
    failed = sync_folder();
  }
  return failed;
}

Result<void> TokenFile::write(std::string_view text) {
  if (new_ < 0) {
    if (auto reserved = reserve(text.size()); !reserved) {
      return reserved;
    }
  }
  int failed = fill(text);
  if (failed == 0) {
    failed = replace(text);
  }
  if (failed != 0) {
    discard();
    return wrong("the new tokens cannot be written", failed);
  }
  return {};
}

}  // namespace understudy::llm
