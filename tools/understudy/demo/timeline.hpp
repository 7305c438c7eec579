/// Shows a call while it runs: phases, heartbeats, expiry, cause and next attempt, and the answer's words
/// between them.
#pragma once

#include "../terminal.hpp"
#include "play.hpp"
#include "understudy/failover/log_observer.hpp"

namespace understudy::tool {

class Timeline final : public Audience {
 public:
  explicit Timeline(Terminal& out)
      : out_(out),
        began_(Clock::now()),
        log_([this](LogLine what, std::string_view text) { note(what, text); }) {}

  void attempt_began(const AttemptReport& attempt) override { log_.attempt_began(attempt); }
  void phase_entered(const AttemptReport& attempt, Phase phase) override {
    log_.phase_entered(attempt, phase);
  }
  void heartbeat_heard(const AttemptReport& attempt) override { log_.heartbeat_heard(attempt); }
  void attempt_progressed(const AttemptReport& attempt) override {
    log_.attempt_progressed(attempt);
  }
  void attempt_ended(const AttemptReport& attempt) override { log_.attempt_ended(attempt); }
  void answer_broke(const AttemptReport& attempt) override { log_.answer_broke(attempt); }
  void call_ended(const CallReport& report) override { log_.call_ended(report); }
  void said(std::string_view text) override;
  void taken_back() override;
  void delivered(std::string_view form) override;

 private:
  void note(LogLine what, std::string_view text);

  Terminal& out_;
  Clock::time_point began_;
  LogObserver log_;
  bool speaking_ = false;
};

}  // namespace understudy::tool
