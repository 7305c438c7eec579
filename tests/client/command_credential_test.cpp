#include "client/command_credential.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>

using namespace understudy;
using understudy::detail::command_credential;

namespace {

std::string why(const std::vector<std::string>& arguments) {
  const auto credential = command_credential("c", arguments);
  REQUIRE(credential.has_error());
  CHECK(credential.error().code() == FailoverReason::auth_permanent);
  return credential.error().message();
}

}  // namespace

TEST_CASE("the credential is what the command prints; a refresh runs it again") {
  const auto file = std::filesystem::temp_directory_path() / "understudy-command-credential";
  std::ofstream(file) << "first\n";
  const auto credential = command_credential("cat", {"cat", file.string()});
  REQUIRE(credential.has_value());
  CHECK(credential->secret.reveal() == "first");
  REQUIRE(credential->refresher.has_value());
  std::ofstream(file) << "second\n";
  asio::io_context context;
  std::string refreshed;
  auto refresh = [&]() -> asio::awaitable<void> {
    const auto tokens = co_await credential->refresher->refresh(Secret());
    refreshed = tokens ? std::string(tokens->access.reveal()) : tokens.error().message();
  };
  asio::co_spawn(context, std::move(refresh),
                 [](const std::exception_ptr& error) { CHECK(error == nullptr); });
  context.run();
  CHECK(refreshed == "second");
  std::filesystem::remove(file);
}

TEST_CASE("a command that gives no credential: what is wrong, and not what it printed") {
  CHECK(why({"/no/such/program"}) ==
        "the command `/no/such/program` cannot be run: No such file or directory");
  CHECK(why({"false"}) == "the command `false` ended with status 1");
  CHECK(why({"true"}) == "the command `true` did not print a credential on one line");
  CHECK(why({"printf", "secret-a\\nsecret-b\\n"}) ==
        "the command `printf` did not print a credential on one line");
  CHECK(why({"head", "-c", "70000", "/dev/zero"}) == "the command `head` printed more than 64 KiB");
  CHECK(why({"sh", "-c", "kill -9 $$"}) == "the command `sh` was killed");
}
