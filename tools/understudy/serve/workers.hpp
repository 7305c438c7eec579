/// The program's workers, what they share, and what is done to all of them.
///
///     Workers workers(options, std::move(setup), std::move(state));
///     workers.drain();
///     workers.join();
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "prometheus_metrics.hpp"
#include "stderr_log.hpp"
#include "understudy/client/client_state.hpp"
#include "understudy/gateway/records.hpp"
#include "understudy/gateway/setup.hpp"
#include "worker.hpp"

namespace understudy::tool {

struct ServeOptions {
  std::string config;  ///< path
  bool allow_open = false;
};

/// See the top of the file. Threads: `reload` one at a time, all else any.
class Workers {
 public:
  /// Listens and starts its threads. Throws boost::system::system_error.
  Workers(ServeOptions options, const gateway::Setup& setup, std::shared_ptr<ClientState> state);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  /// Where it listens, and its number of threads.
  std::string where() const;

  /// Reads the configuration again and applies it, or logs why it was rejected. Blocks while it reads.
  void reload();

  void drain();
  void stop();

  /// Waits until all have ended.
  void join();

 private:
  void warn_of_connections();
  void note_certificate(const gateway::Setup& setup);

  ServeOptions options_;
  std::shared_ptr<const Config> config_;  // in force
  std::shared_ptr<ClientState> state_;
  std::shared_ptr<StderrLog> log_;
  std::shared_ptr<PrometheusMetrics> metrics_;
  std::shared_ptr<gateway::Records> records_;
  std::deque<Worker> workers_;
};

}  // namespace understudy::tool
