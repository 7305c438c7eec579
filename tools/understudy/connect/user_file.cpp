#include "user_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/system/error_code.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace understudy::tool {
namespace {

namespace files = std::filesystem;

constexpr off_t largest = off_t{16} * 1024 * 1024;

text::SourceErrors because(const std::string& file, const std::string& what, int why) {
  const boost::system::error_code code(why, boost::system::system_category());
  return source_error(file, {}, what + ": " + code.message(),
                      "check its owner and its mode, and those of its folder");
}

/// A descriptor that is closed, and a file that is removed unless it is kept.
class NewFile {
 public:
  NewFile(std::string path, mode_t mode) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         S_IRUSR | S_IWUSR);
    error_ = descriptor_ < 0 ? errno : 0;
    keep_error(descriptor_ < 0 ? 0 : ::fchmod(descriptor_, mode));
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      if (!kept_) {
        ::unlink(path_.c_str());
      }
    }
  }

  void give_to(uid_t owner, gid_t group) {
    struct stat own{};
    if (error_ == 0 && ::fstat(descriptor_, &own) == 0 &&
        (own.st_uid != owner || own.st_gid != group)) {
      keep_error(::fchown(descriptor_, owner, group));
    }
  }

  void write(std::string_view text) {
    while (error_ == 0 && !text.empty()) {
      const auto written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) {
        continue;
      }
      keep_error(written < 0 ? -1 : 0);
      text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    keep_error(error_ == 0 ? ::fsync(descriptor_) : 0);
  }

  void rename_to(const std::string& path) {
    keep_error(error_ == 0 ? ::rename(path_.c_str(), path.c_str()) : 0);
    kept_ = kept_ || error_ == 0;
  }

  void keep() { kept_ = true; }
  const std::string& path() const { return path_; }
  int error() const { return error_; }

 private:
  void keep_error(int result) { error_ = error_ == 0 && result != 0 ? errno : error_; }

  std::string path_;
  int descriptor_ = -1;
  int error_ = 0;
  bool kept_ = false;
};

text::SourceErrors not_written(const NewFile& file) {
  return file.error() == EEXIST
             ? source_error(file.path(), {}, "exists", "move it away, so that it is not lost")
             : because(file.path(), "cannot be written", file.error());
}

/// So that the renaming outlives a power failure. A folder that cannot be brought to the disk is no reason to fail.
void settle(const files::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

}  // namespace

SourceResult<UserFile> read_user_file(const std::string& path) {
  UserFile file;
  file.path = path;
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? SourceResult<UserFile>(file) : because(path, "cannot be read", errno);
  }
  std::error_code lost;
  file.path = files::canonical(path, lost).string();
  if (lost || ::stat(file.path.c_str(), &found) != 0) {
    return source_error(path, {}, "is a link to a file that does not exist",
                        "make that file, or remove the link");
  }
  if (!S_ISREG(found.st_mode) || found.st_size > largest) {
    return source_error(path, {}, "is not a file of at most 16 MiB", "move it away");
  }
  std::ifstream in(file.path, std::ios::binary);
  std::ostringstream read;
  if (!in || (found.st_size > 0 && !(read << in.rdbuf()))) {
    return because(path, "cannot be read", errno);
  }
  file.exists = true;
  file.text = read.str();
  file.mode = found.st_mode & 07777U;
  file.owner = found.st_uid;
  file.group = found.st_gid;
  return file;
}

SourceResult<std::string> replace_user_file(const UserFile& file, const std::string& text,
                                            Readers readers) {
  const auto folder = files::path(file.path).parent_path();
  std::error_code failure;
  if (!folder.empty()) {
    files::create_directories(folder, failure);
  }
  if (failure) {
    return because(folder.string(), "cannot be made", failure.value());
  }
  NewFile next(file.path + ".new",
               readers == Readers::owner ? file.mode & (S_IRUSR | S_IWUSR) : file.mode);
  if (file.exists) {
    next.give_to(file.owner, file.group);
  }
  next.write(text);
  if (next.error() != 0) {
    return not_written(next);
  }
  const auto now = read_user_file(file.path);
  if (now.has_error()) {
    return now.error();
  }
  if (now->exists != file.exists || now->text != file.text) {
    return source_error(file.path, {}, "was changed by another program meanwhile",
                        "close the agent, and try again");
  }
  if (!file.exists) {
    next.rename_to(file.path);
    settle(folder);
    return next.error() == 0 ? source_text("") : not_written(next);
  }
  NewFile backup(file.path + ".bak", file.mode);
  if (backup.error() == 0) {
    backup.give_to(file.owner, file.group);
    backup.write(file.text);
  }
  if (backup.error() != 0) {
    return not_written(backup);
  }
  next.rename_to(file.path);
  if (next.error() != 0) {
    return not_written(next);
  }
  backup.keep();
  settle(folder);
  return source_text(backup.path());
}

}  // namespace understudy::tool
