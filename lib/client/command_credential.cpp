#include "client/command_credential.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "understudy/runtime/local_fault.hpp"
#include "understudy/runtime/race.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it in no header

namespace understudy::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_output = std::size_t{64} * 1024;
constexpr Clock::duration longest_run = 30s;
constexpr Clock::duration between_looks =
    20ms;  // at whether it has ended, once its output is closed

/// A process that is running. It is killed with the object, and never left as a zombie.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    close_end(output_);
  }

  /// Returns 0, or the error.
  int start(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return errno;
    }
    output_ = ends[0];
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv;
    argv.reserve(copies.size() + 1);
    for (auto& one : copies) {
      argv.push_back(one.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    pid_ = error == 0 ? pid : 0;
    return error;
  }

  /// The end of the pipe that its output comes from; the caller closes it.
  int take_output() noexcept { return std::exchange(output_, -1); }

  /// Its status, if it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) {
      return std::nullopt;
    }
    pid_ = 0;
    return status;
  }

 private:
  static void close_end(int end) {
    if (end >= 0) {
      ::close(end);
    }
  }

  pid_t pid_ = 0;
  int output_ = -1;
};

/// What it printed until it closed its output and ended.
asio::awaitable<Result<std::string>> output_of(Process& process) {
  asio::posix::stream_descriptor pipe(co_await asio::this_coro::executor, process.take_output());
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() <= longest_output) {
    const auto [error, size] =
        co_await pipe.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    text.append(buffer.data(), size);
    if (error) {
      break;
    }
  }
  if (text.size() > longest_output) {
    co_return Failure(FailoverReason::auth, "printed more than 64 KiB");
  }
  auto status = process.ended();
  while (!status) {
    co_await sleep_for(between_looks);
    status = process.ended();
  }
  if (!WIFEXITED(*status)) {
    co_return Failure(FailoverReason::auth, "was killed");
  }
  if (WEXITSTATUS(*status) != 0) {
    co_return Failure(FailoverReason::auth,
                      "ended with status " + std::to_string(WEXITSTATUS(*status)));
  }
  co_return text;
}

Result<Secret> secret_in(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(space), text.size());
  const auto secret = text.substr(begin, text.find_last_not_of(space) + 1 - begin);
  if (secret.empty() || secret.find_first_of("\r\n") != std::string_view::npos) {
    return Failure(FailoverReason::auth, "did not print a credential on one line");
  }
  return Secret(secret);
}

asio::awaitable<Result<Secret>> run(std::vector<std::string> arguments) {
  const auto failure = [&](std::string_view what) {
    return Failure(FailoverReason::auth,
                   "the command `" + arguments.front() + "` " + std::string(what));
  };
  Process process;
  if (const int error = process.start(arguments); error != 0) {
    if (const auto local = local_fault_of(error_code(error, boost::system::system_category()))) {
      co_return Failure(*local, "the command `" + arguments.front() + "` cannot be run");
    }
    co_return failure(std::string("cannot be run: ") + std::strerror(error));
  }
  const auto read = [&]() -> asio::awaitable<Result<std::string>> { return output_of(process); };
  const auto too_long = []() -> asio::awaitable<Result<std::string>> {
    co_await sleep_for(longest_run);
    co_return Failure(FailoverReason::auth, "did not end within 30 seconds");
  };
  const auto output = co_await race(read, too_long);
  const auto& printed = output.index() == 0 ? std::get<0>(output) : std::get<1>(output);
  if (printed.has_error()) {
    co_return failure(printed.error().message());
  }
  auto secret = secret_in(*printed);
  if (secret.has_error()) {
    co_return failure(secret.error().message());
  }
  co_return secret;
}

}  // namespace

Result<Credential> command_credential(std::string label,
                                      const std::vector<std::string>& arguments) {
  asio::io_context context;
  std::optional<Result<Secret>> first;
  auto ask = [&]() -> asio::awaitable<void> { first.emplace(co_await run(arguments)); };
  asio::co_spawn(context, std::move(ask), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  if (first->has_error()) {
    return Failure(FailoverReason::auth_permanent, first->error().message());
  }
  auto refresh = [arguments](const Secret&) -> asio::awaitable<Result<Tokens>> {
    auto secret = co_await run(arguments);
    if (secret.has_error()) {
      co_return secret.error();
    }
    co_return Tokens(std::move(*secret));
  };
  auto persist = [](const Tokens&) { return Result<void>(); };
  return Credential(std::move(label), **first)
      .with_refresher(Refresher(Secret(), std::move(refresh), std::move(persist)));
}

}  // namespace understudy::detail
