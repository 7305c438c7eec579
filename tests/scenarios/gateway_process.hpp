/// `understudy serve` as a process of its own.
///
///     GatewayProcess gateway(program, configuration);
///     ... ask at 127.0.0.1:gateway.port() ...
///     const int status = gateway.stop();
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace scenarios {

/// Raises the limit on descriptors to what the machine allows, also for processes that are started later. The limit.
std::size_t allow_many_descriptors();

/// See the top of the file. Throws std::runtime_error, with what the program said, if it does not come up.
class GatewayProcess {
 public:
  GatewayProcess(const std::string& program, const std::string& configuration);
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  pid_t process() const noexcept { return child_; }

  /// SIGSTOP and SIGCONT.
  void suspend() const;
  void resume() const;

  /// Other words in its configuration file, and SIGHUP.
  void reload(const std::string& configuration) const;

  /// Resident memory in KiB, and open descriptors.
  std::size_t memory() const;
  std::size_t descriptors() const;

  /// SIGTERM, and does not wait.
  void drain() const;

  /// After drain(): as stop(), but without a second SIGTERM, which kills a process that is past its handlers.
  int drained();

  /// SIGTERM, and waits for the end; SIGKILL if there is none within 15 s. The exit status, or 128 and the
  /// signal.
  int stop();

  /// What it has printed so far.
  std::string log() const;

 private:
  void wait_for_port();
  int wait_for_end(int signal);

  std::string folder_;
  pid_t child_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace scenarios
