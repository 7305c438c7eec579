/// What the gateway counts, for Prometheus.
///
/// Invariants
/// 1. Names and units by Prometheus' conventions. What labels say comes from the configuration or from a fixed
///    list, never from a client: their number is bounded.
/// 2. Any thread.
/// 3. Built without prometheus-cpp (Meson: -Dmetrics=disabled) it counts nothing, and says so.
///
///     Metrics metrics;
///     Client client(executor, config, state, ClientOptions().with_observer(metrics));
///     metrics.answered(Protocol::openai_chat, 200, 1200ms);
///     std::cout << metrics.text(state->state().health().marks(Clock::now())).value();
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "understudy/failover/health.hpp"
#include "understudy/failover/observer.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::tool {

/// See the top of the file.
class Metrics final : public Observer {
 public:
  Metrics();
  ~Metrics() override;

  void attempt_ended(const AttemptReport& attempt) override;
  void answer_broke(const AttemptReport& attempt) override;

  /// A call was answered to its client, or failed, with that status.
  void answered(Protocol protocol, unsigned status, Clock::duration took);

  /// All of it in Prometheus' text format 0.0.4. Nothing: it was built without.
  std::optional<std::string> text(const std::vector<Health::MarkReport>& marks) const;

 private:
  struct Families;

  std::unique_ptr<Families> families_;
};

}  // namespace understudy::tool
