#include "process.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback_address(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::string proc(int pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

/// A line of /proc/PID/status, in MiB.
double status_mib(int pid, const std::string& field) {
  std::ifstream status(proc(pid, "status"));
  std::string word;
  while (status >> word) {
    if (word == field) {
      double kib = 0;
      status >> kib;
      return kib / 1024;
    }
  }
  must(false, "the memory of a proxy that is gone");
  return 0;
}

}  // namespace

void must(bool fine, const char* what) {
  if (!fine) {
    std::perror(what);
    std::exit(1);
  }
}

Cores::Cores() {
  cpu_set_t allowed;
  must(::sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
  CPU_ZERO(&proxys_);
  others_ = allowed;
  shared_ = CPU_COUNT(&allowed) < 2;
  for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
    if (CPU_ISSET(core, &allowed)) {
      CPU_SET(core, &proxys_);
      if (!shared_) {
        CPU_CLR(core, &others_);
      }
      break;
    }
  }
}

void Cores::use_proxys() const {
  must(::sched_setaffinity(0, sizeof proxys_, &proxys_) == 0, "sched_setaffinity");
}

void Cores::use_others() const {
  must(::sched_setaffinity(0, sizeof others_, &others_) == 0, "sched_setaffinity");
}

Process::Process(const std::function<void()>& run, const std::string& log) {
  const auto parent = ::getpid();
  pid_ = ::fork();
  must(pid_ >= 0, "fork");
  if (pid_ > 0) {
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) {
    std::_Exit(1);
  }
  if (!log.empty()) {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(file >= 0 && ::dup2(file, 1) == 1 && ::dup2(file, 2) == 2, log.c_str());
  }
  run();
  std::_Exit(1);
}

Process::~Process() {
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 200; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      return;
    }
    std::this_thread::sleep_for(10ms);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void become(const std::vector<std::string>& arguments) {
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  ::execv(words.front(), words.data());
  std::perror(words.front());
  std::_Exit(1);
}

int child_of(int pid) {
  const auto task = "task/" + std::to_string(pid) + "/children";
  for (int i = 0; i < 500; ++i) {
    int child = 0;
    if (std::ifstream(proc(pid, task.c_str())) >> child) {
      return child;
    }
    std::this_thread::sleep_for(10ms);
  }
  must(false, "nginx has no worker");
  return 0;
}

double cpu_ns(int pid) {
  clockid_t clock{};
  timespec time{};
  must(::clock_getcpuclockid(pid, &clock) == 0 && ::clock_gettime(clock, &time) == 0,
       "a process's time");
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double resident(int pid) { return status_mib(pid, "VmRSS:"); }
double peak(int pid) { return status_mib(pid, "VmHWM:"); }

void forget_peak(int pid) { std::ofstream(proc(pid, "clear_refs")) << "5"; }

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  auto address = loopback_address(0);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  must(socket >= 0 && ::bind(socket, generic, size) == 0 &&
           ::getsockname(socket, generic, &size) == 0,
       "a free port");
  ::close(socket);
  return ntohs(address.sin_port);
}

void await_listener(std::uint16_t port, const std::string& log) {
  auto address = loopback_address(port);
  for (int i = 0; i < 1000; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool there =
        ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    if (there) {
      return;
    }
    std::this_thread::sleep_for(10ms);
  }
  std::cerr << std::ifstream(log).rdbuf();
  must(false, "a proxy that does not listen");
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  must(::getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  return limit.rlim_cur;
}

}  // namespace bench
