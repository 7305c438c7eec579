/// What stands between the load and the upstream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "process.hpp"

namespace bench {

/// A side of the comparison: a port to ask, and the process to watch. No process: upstream itself.
struct Side {
  std::string name;
  std::uint16_t port = 0;
  std::unique_ptr<Process> process;
  int pid = 0;  // of the one that works, where the process is its master
};

/// One worker with `proxy_buffering off` and upstream connections that are kept, its files in `folder`.
/// Nothing: there is no nginx.
std::optional<Side> start_nginx(const Cores& cores, const std::string& folder,
                                std::uint16_t upstream);

/// `understudy serve` with one thread. Nothing: there is no such program.
std::optional<Side> start_understudy(const Cores& cores, const std::string& folder,
                                     std::uint16_t upstream, const std::string& program);

}  // namespace bench
