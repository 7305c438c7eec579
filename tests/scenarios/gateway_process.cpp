#include "gateway_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace scenarios {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 10ms;
constexpr auto longest_start = 30s;
constexpr auto longest_end = 15s;

[[noreturn]] void become(const std::string& program, const std::string& folder) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // whatever becomes of us
  for (const auto* name : {"UNDERSTUDY_STREAM_STALE_TIMEOUT", "HERMES_STREAM_STALE_TIMEOUT",
                           "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"}) {
    ::unsetenv(name);
  }
  const int log = ::open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  const auto config = folder + "/understudy.toml";
  ::execl(program.c_str(), "understudy", "serve", "--config", config.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

std::size_t allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

GatewayProcess::GatewayProcess(const std::string& program, const std::string& configuration)
    : folder_(std::filesystem::temp_directory_path() / "scenarios-XXXXXX") {
  if (::mkdtemp(folder_.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  std::ofstream(folder_ + "/understudy.toml") << configuration;
  child_ = ::fork();
  if (child_ == 0) {
    become(program, folder_);
  }
  try {
    wait_for_port();
  } catch (...) {
    wait_for_end(SIGKILL);
    std::filesystem::remove_all(folder_);
    throw;
  }
}

GatewayProcess::~GatewayProcess() {
  if (child_ > 0) {
    wait_for_end(SIGKILL);
  }
  std::filesystem::remove_all(folder_);
}

void GatewayProcess::wait_for_port() {
  const std::string before = "http://127.0.0.1:";
  const auto until = std::chrono::steady_clock::now() + longest_start;
  while (std::chrono::steady_clock::now() < until) {
    const auto text = log();
    const auto at = text.find(before);
    // With the line's end, so that no digit is missing.
    if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
      port_ = static_cast<std::uint16_t>(std::stoul(text.substr(at + before.size())));
      return;
    }
    if (::waitpid(child_, nullptr, WNOHANG) == child_) {
      child_ = 0;
      break;
    }
    std::this_thread::sleep_for(look_every);
  }
  throw std::runtime_error("the gateway does not come up:\n" + log());
}

void GatewayProcess::suspend() const { ::kill(child_, SIGSTOP); }
void GatewayProcess::resume() const { ::kill(child_, SIGCONT); }
void GatewayProcess::drain() const { ::kill(child_, SIGTERM); }

void GatewayProcess::reload(const std::string& configuration) const {
  std::ofstream(folder_ + "/understudy.toml") << configuration;
  ::kill(child_, SIGHUP);
}

std::size_t GatewayProcess::memory() const {
  std::ifstream status("/proc/" + std::to_string(child_) + "/status");
  std::string word;
  std::size_t kib = 0;
  while (status >> word) {
    if (word == "VmRSS:") {
      status >> kib;
    }
  }
  return kib;
}

std::size_t GatewayProcess::descriptors() const {
  const std::filesystem::directory_iterator open("/proc/" + std::to_string(child_) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

int GatewayProcess::drained() { return wait_for_end(0); }  // kill() with 0 sends nothing
int GatewayProcess::stop() { return wait_for_end(SIGTERM); }

int GatewayProcess::wait_for_end(int signal) {
  if (child_ == 0) {
    return 0;
  }
  ::kill(child_, signal);
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + longest_end;
  while (::waitpid(child_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(look_every);
  }
  child_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string GatewayProcess::log() const {
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace scenarios
