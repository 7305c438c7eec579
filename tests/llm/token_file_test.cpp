#include "understudy/llm/token_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "understudy/runtime/scope.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace token_file_test {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;
namespace fs = std::filesystem;

namespace {

/// A folder with a file in it.
class Folder {
 public:
  Folder() {
    std::string pattern = fs::temp_directory_path() / "understudy-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    write("old");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }

  std::string file() const { return path / "tokens.json"; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  std::string read() const {
    std::ifstream in(file());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool has(const std::string& name) const { return fs::exists(path / name); }
  struct stat status(const std::string& name) const {
    struct stat status{};
    REQUIRE(::stat((path / name).c_str(), &status) == 0);
    return status;
  }

  fs::path path;
};

/// Runs `body(scope)` in virtual time, and says how long it took.
template <class Body>
Clock::duration run(Body body) {
  testing::VirtualTime time;
  asio::io_context context;
  time.run(context, with_scope(std::move(body)));
  return time.elapsed();
}

}  // namespace

TEST_CASE("what is reserved is on the disk, for its owner alone, and makes the file when written") {
  const Folder folder;
  TokenFile file(folder.file());
  REQUIRE(file.reserve(100'000).has_value());
  const auto reserved = folder.status("tokens.json.new");
  CHECK(reserved.st_blocks * 512 >= 100'000);
  CHECK((reserved.st_mode & 0777) == 0600);
  CHECK(folder.read() == "old");
  REQUIRE(file.write("new").has_value());
  CHECK(folder.read() == "new");
  CHECK_FALSE(folder.has("tokens.json.new"));
  CHECK(file.write("newer").has_value());
  CHECK(file.read().value() == "newer");
}

TEST_CASE("any step that fails leaves the old contents whole, and nothing beside them") {
  for (const auto step :
       {FileStep::create, FileStep::reserve, FileStep::write, FileStep::sync, FileStep::rename}) {
    for (const int error : {ENOSPC, EDQUOT, EACCES, EROFS, EIO}) {
      CAPTURE(static_cast<int>(step));
      CAPTURE(error);
      const Folder folder;
      bool broken = true;
      TokenFile file(folder.file(), [&](FileStep at) { return broken && at == step ? error : 0; });
      const auto failed = file.write("new");
      REQUIRE(failed.has_error());
      CHECK(failed.error().code() == FailoverReason::auth);
      CHECK(failed.error().message().find("token file " + folder.file() + ": ") == 0);
      CHECK(folder.read() == "old");
      CHECK_FALSE(folder.has("tokens.json.new"));
      broken = false;
      CHECK(file.write("new").has_value());
      CHECK(folder.read() == "new");
    }
  }
}

TEST_CASE("a file that cannot be renamed over, such as a mount point, is overwritten in place") {
  const Folder folder;
  folder.write("old contents");
  const auto before = folder.status("tokens.json").st_ino;
  TokenFile file(folder.file(), [&](FileStep at) { return at == FileStep::rename ? EBUSY : 0; });
  CHECK(file.write("new").has_value());
  CHECK(folder.read() == "new");
  CHECK(folder.status("tokens.json").st_ino == before);
  CHECK_FALSE(folder.has("tokens.json.new"));
}

TEST_CASE("mode: as it was, but a file that everyone may read is its owner's from now on") {
  for (const auto& [before, after] :
       {std::pair(0600U, 0600U), std::pair(0640U, 0640U), std::pair(0400U, 0400U),
        std::pair(0644U, 0600U), std::pair(0666U, 0600U)}) {
    CAPTURE(before);
    const Folder folder;
    fs::permissions(folder.file(), fs::perms(before));
    TokenFile file(folder.file());
    REQUIRE(file.write("new").has_value());
    CHECK((folder.status("tokens.json").st_mode & 0777) == after);
  }
}

TEST_CASE("a link to a link stays, and the file is replaced where it is") {
  const Folder folder;
  const Folder links;
  fs::create_symlink(folder.file(), links.path / "a");
  fs::create_symlink("a", links.path / "b");
  TokenFile file(links.path / "b");
  REQUIRE(file.write("new").has_value());
  CHECK(folder.read() == "new");
  CHECK(fs::is_symlink(links.path / "a"));
  CHECK(fs::is_symlink(links.path / "b"));
}

TEST_CASE("a file that was removed meanwhile, to log out, does not come back") {
  const Folder folder;
  TokenFile file(folder.file());
  REQUIRE(file.reserve(10).has_value());
  fs::remove(folder.file());
  CHECK(file.write("new").has_error());
  CHECK(file.write("new").has_error());
  CHECK_FALSE(folder.has("tokens.json"));
  CHECK_FALSE(folder.has("tokens.json.new"));
}

TEST_CASE("the lock: one at a time, also by way of a link; the others wait for it") {
  const Folder folder;
  fs::create_symlink(folder.file(), folder.path / "link");
  TokenFile first(folder.file());
  TokenFile second(folder.path / "link");
  const auto took = run([&](Scope& scope) -> awaitable<void> {
    const auto one = co_await first.lock();
    CHECK(one.has_value());
    const auto again = co_await first.lock();
    CHECK(again.has_value());
    auto ends = [&]() -> awaitable<void> {
      co_await sleep_for(950ms);
      first.unlock();
    };
    scope.spawn(ends);
    const auto two = co_await second.lock();
    CHECK(two.has_value());
    CHECK_FALSE(first.locked());
  });
  CHECK(took == 1s);
  CHECK((folder.status("tokens.json.lock").st_mode & 0777) == 0600);
}

TEST_CASE("a lock that stays is an error that names it; a folder of that name is one") {
  const Folder folder;
  TokenFile file(folder.file());
  fs::create_directory(folder.path / "tokens.json.lock");
  const auto took = run([&](Scope&) -> awaitable<void> {
    const auto locked = co_await file.lock();
    REQUIRE(locked.has_error());
    CHECK(locked.error().message().find(folder.file() + ".lock") != std::string::npos);
    CHECK_FALSE(file.locked());
  });
  CHECK(took == TokenFile::longest_lock);
  fs::remove(folder.path / "tokens.json.lock");
  run([&](Scope&) -> awaitable<void> {
    const auto locked = co_await file.lock();
    CHECK(locked.has_value());
  });
}

TEST_CASE("a cancelled wait for the lock ends at once, without the lock") {
  const Folder folder;
  TokenFile first(folder.file());
  TokenFile second(folder.file());
  const auto took = run([&](Scope& scope) -> awaitable<void> {
    const auto locked = co_await first.lock();
    CHECK(locked.has_value());
    auto waits = [&](Scope& inner) -> awaitable<void> {
      inner.deadline(350ms);
      co_await second.lock();
    };
    std::optional<error_code> ended;
    auto guarded = [&]() -> awaitable<void> {
      try {
        co_await with_scope(waits);
      } catch (const boost::system::system_error& thrown) {
        ended = thrown.code();
      }
    };
    scope.spawn(guarded);
    co_await scope.join();
    CHECK(ended == StopReason::deadline);
  });
  CHECK(took == 350ms);
  CHECK_FALSE(second.locked());
}

TEST_CASE(
    "what a dead process left: whole, without what it had reserved, and only if it is newer") {
  const Folder folder;
  TokenFile file(folder.file());
  CHECK_FALSE(file.left_behind());
  const auto left = folder.path / "tokens.json.new";
  std::ofstream(left) << "left" << std::string(100, '\0');
  fs::last_write_time(left, fs::last_write_time(folder.file()) - 1s);
  CHECK_FALSE(file.left_behind());
  fs::last_write_time(left, fs::last_write_time(folder.file()) + 1s);
  REQUIRE(file.left_behind() == "left");
  CHECK(file.put_in_place("left").has_value());
  CHECK(folder.read() == "left");
  CHECK_FALSE(folder.has("tokens.json.new"));
}

TEST_CASE("read: what is not there, and what is too large, is an error") {
  const Folder folder;
  CHECK(TokenFile("/no/such/file").read().error().message() ==
        "token file /no/such/file: cannot be read");
  folder.write(std::string(TokenFile::longest + 1, 'x'));
  CHECK(TokenFile(folder.file()).read().error().message() ==
        "token file " + folder.file() + ": is larger than 1 MiB");
}

}  // namespace token_file_test
