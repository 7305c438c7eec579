#include "workers.hpp"

#include <utility>

#include "serve_setup.hpp"
#include "understudy/gateway/certificate.hpp"

namespace understudy::tool {
namespace {

std::shared_ptr<gateway::Records> records_for(const LogConfig& config,
                                              std::shared_ptr<gateway::Log> log,
                                              std::shared_ptr<gateway::Metrics> metrics) {
  gateway::RecordsOptions options;
  options.with_log(std::move(log)).with_metrics(std::move(metrics)).with_prompts(config.prompts);
  return std::make_shared<gateway::Records>(std::move(options));
}

}  // namespace

Workers::Workers(ServeOptions options, const gateway::Setup& setup,
                 std::shared_ptr<ClientState> state)
    : options_(std::move(options)),
      config_(setup.config),
      state_(std::move(state)),
      log_(std::make_shared<StderrLog>(config_->log)),
      metrics_(std::make_shared<PrometheusMetrics>()),
      records_(records_for(config_->log, log_, metrics_)) {
  warn_of_connections();
  note_certificate(setup);
  const auto threads = threads_of(config_->server);
  auto port = config_->server.port;
  for (unsigned i = 0; i < threads; ++i) {
    port = workers_.emplace_back(setup, state_, records_, port).port();
  }
  for (auto& worker : workers_) {
    worker.start();
  }
  state_->on_warning([records = records_](std::string_view text) { records->warning(text); });
}

Workers::~Workers() { state_->on_warning({}); }

void Workers::warn_of_connections() {
  if (const auto warning = connections_warning(config_->server)) {
    records_->warning(*warning);
  }
}

void Workers::note_certificate(const gateway::Setup& setup) {
  const auto expiry = gateway::certificate_expiry(setup.http);
  metrics_->certificate_expires(expiry);
  if (const auto warning = gateway::certificate_warning(expiry, std::chrono::system_clock::now())) {
    records_->warning(*warning);
  }
}

std::string Workers::where() const {
  const auto& server = config_->server;
  return std::string(server.tls ? "https" : "http") + "://" + server.host + ":" +
         std::to_string(workers_.front().port()) + ", " + std::to_string(workers_.size()) +
         " threads";
}

void Workers::reload() {
  auto config = load_config(options_.config);
  if (config.has_error()) {
    records_->config_rejected(config.error());
    return;
  }
  const bool wants_restart = keep_unchangeable(*config, *config_);
  auto setup = serve_setup(std::move(*config), options_.allow_open);
  if (setup.has_error()) {
    records_->config_rejected(setup.error());
    return;
  }
  if (const auto read = state_->reload(*setup->config); read.has_error()) {
    records_->config_rejected(read.error());
    return;
  }
  if (wants_restart) {
    records_->warning(
        "changes to server.listen, server.threads, log.format and log.prompts take effect after a "
        "restart");
  }
  const auto previous = std::exchange(config_, setup->config);
  if (config_->server.max_connections != previous->server.max_connections) {
    warn_of_connections();
  }
  note_certificate(*setup);
  log_->set_level(config_->log.level);
  for (auto& worker : workers_) {
    worker.reload(*setup);
  }
  records_->config_applied();
}

void Workers::drain() {
  for (auto& worker : workers_) {
    worker.drain();
  }
}

void Workers::stop() {
  for (auto& worker : workers_) {
    worker.stop();
  }
}

void Workers::join() {
  for (auto& worker : workers_) {
    worker.join();
  }
}

}  // namespace understudy::tool
