#include "../../tools/understudy/connect/user_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace user_file_test {

using namespace understudy;
using namespace understudy::tool;

namespace {

namespace files = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string pattern = (files::temp_directory_path() / "understudy-user-file-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { files::remove_all(path_); }

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(files::directory_iterator(path_), files::directory_iterator()));
  }

 private:
  std::string path_;
};

void write(const std::string& file, const std::string& text, mode_t mode) {
  std::ofstream(file) << text;
  ::chmod(file.c_str(), mode);
}

std::string read(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

mode_t mode_of(const std::string& file) {
  struct stat found{};
  return ::stat(file.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

}  // namespace

TEST_CASE("a file is replaced with a backup, and keeps its mode unless it gets a secret") {
  for (const auto readers : {Readers::as_before, Readers::owner}) {
    const Folder folder;
    const auto file = folder / "f";
    write(file, "old", 0644);
    const auto backup = replace_user_file(read_user_file(file).value(), "new", readers);
    REQUIRE(backup.has_value());
    CHECK(*backup == file + ".bak");
    CHECK(read(file) == "new");
    CHECK(read(*backup) == "old");
    CHECK(mode_of(file) == (readers == Readers::owner ? 0600 : 0644));
    CHECK(mode_of(*backup) == 0644);
    CHECK(folder.count() == 2);
    const auto again = replace_user_file(read_user_file(file).value(), "newer", readers);
    REQUIRE(again.has_error());
    CHECK(to_string(again.error()).find(".bak: exists: move it away") != std::string::npos);
    CHECK(read(file) == "new");
    CHECK(read(*backup) == "old");
    CHECK(folder.count() == 2);
  }
}

TEST_CASE("a new file is its owner's alone, in a folder that is made for it") {
  const Folder folder;
  const auto file = folder / "a/b/f";
  const auto before = read_user_file(file).value();
  CHECK(!before.exists);
  CHECK(replace_user_file(before, "new", Readers::as_before).value().empty());
  CHECK(read(file) == "new");
  CHECK(mode_of(file) == 0600);
}

TEST_CASE("a link stays a link, and one to nothing is refused") {
  const Folder folder;
  write(folder / "real", "old", 0640);
  files::create_symlink("real", folder / "link");
  files::create_symlink("gone", folder / "broken");
  const auto file = read_user_file(folder / "link").value();
  CHECK(file.text == "old");
  REQUIRE(replace_user_file(file, "new", Readers::as_before).has_value());
  CHECK(files::is_symlink(folder / "link"));
  CHECK(read(folder / "real") == "new");
  CHECK(mode_of(folder / "real") == 0640);
  CHECK(read(folder / "real.bak") == "old");
  CHECK(read_user_file(folder / "broken").has_error());
  CHECK(read_user_file(folder / ".").has_error());
}

TEST_CASE("a file that another program has changed, or that cannot be written, is left alone") {
  const Folder folder;
  const auto file = folder / "f";
  write(file, "old", 0600);
  const auto seen = read_user_file(file).value();
  write(file, "changed", 0600);
  CHECK(replace_user_file(seen, "new", Readers::as_before).has_error());
  CHECK(read(file) == "changed");
  CHECK(folder.count() == 1);
  write(file + ".new", "of another run", 0600);
  CHECK(replace_user_file(read_user_file(file).value(), "new", Readers::as_before).has_error());
  CHECK(read(file) == "changed");
  CHECK(read(file + ".new") == "of another run");
}

}  // namespace user_file_test
