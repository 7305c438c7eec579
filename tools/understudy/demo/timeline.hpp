/// Shows a call while it runs: phases, heartbeats, expiry, cause and next attempt, and the answer's words
/// between them.
#pragma once

#include "../terminal.hpp"
#include "play.hpp"

namespace understudy::tool {

class Timeline final : public Audience {
 public:
  explicit Timeline(Terminal& out) : out_(out), began_(Clock::now()) {}

  void attempt_began(const AttemptReport& attempt) override;
  void phase_entered(const AttemptReport& attempt, Phase phase) override;
  void heartbeat_heard(const AttemptReport& attempt) override;
  void attempt_progressed(const AttemptReport& attempt) override;
  void attempt_ended(const AttemptReport& attempt) override;
  void answer_broke(const AttemptReport& attempt) override;
  void call_ended(const CallReport& report) override;
  void said(std::string_view text) override;
  void taken_back() override;
  void delivered(std::string_view form) override;

 private:
  void note(std::string_view what, Colour colour = Colour::plain);
  void failed(const AttemptReport& attempt);

  Terminal& out_;
  Clock::time_point began_;
  bool speaking_ = false;
};

}  // namespace understudy::tool
