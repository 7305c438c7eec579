/// The processes of the gateway's benchmark: each on its core, measured from outside, ended with its object.
#pragma once

#include <sched.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// Prints what the system says is wrong, and ends the benchmark.
void must(bool fine, const char* what);

/// Which cores the proxy has, and which everybody else. On a machine with one core they share it.
class Cores {
 public:
  /// Of those that this process may use, the last is the proxy's.
  Cores();

  void use_proxys() const;
  void use_others() const;
  bool shared() const noexcept { return shared_; }

 private:
  cpu_set_t proxys_;
  cpu_set_t others_;
  bool shared_;
};

/// A child. It dies with its parent.
class Process {
 public:
  /// Forks, so make it before there are threads. `run` must not return. What it prints goes to the file
  /// `log`, or where ours goes if that is empty.
  Process(const std::function<void()>& run, const std::string& log);
  /// SIGTERM, and SIGKILL if that is not enough.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const noexcept { return pid_; }

 private:
  int pid_;
};

/// Becomes that program; for Process.
[[noreturn]] void become(const std::vector<std::string>& arguments);

/// The one child of a process, for nginx's worker.
int child_of(int pid);

/// Nanoseconds for which the process has worked, in the kernel too.
double cpu_ns(int pid);

/// What it holds of memory, in MiB: now, and at most since `forget_peak`.
double resident(int pid);
double peak(int pid);
void forget_peak(int pid);

/// A port on loopback that nobody listens on now.
std::uint16_t free_port();

/// Until somebody listens there; ends the benchmark, and prints the log, if nobody does within 10 s.
void await_listener(std::uint16_t port, const std::string& log);

std::uint64_t raise_descriptor_limit();

}  // namespace bench
