/// What signals do to the program's gateway: SIGHUP reloads the configuration; the first SIGTERM or SIGINT drains, the
/// second ends at once.
///
/// Invariants
/// 1. The thread that waits for signals does nothing that can block, so that the second one always ends the program:
///    also while a configuration is being read from a file system that hangs, and when a worker is busy.
///
///     Signals signals(workers);
///     signals.run();
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>

#include "workers.hpp"

namespace understudy::tool {

/// See the top of the file. The workers must outlive it.
class Signals {
 public:
  explicit Signals(Workers& workers);

  /// Completes when all workers have ended; rethrows what ended one.
  void run();

 private:
  void wait();
  void end();

  Workers& workers_;
  asio::thread_pool reloading_{1};
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGINT, SIGTERM, SIGHUP};
  bool draining_ = false;
};

}  // namespace understudy::tool
