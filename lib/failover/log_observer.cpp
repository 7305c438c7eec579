#include "understudy/failover/log_observer.hpp"

namespace understudy {
namespace {

/// What an attempt does in a phase; empty: nothing.
std::string_view doing(Phase phase) {
  switch (phase) {
    case Phase::none: return "";
    case Phase::pool_wait: return "  waits for a connection";
    case Phase::connect: return "  connects";
    case Phase::write: return "  sends the request";
    case Phase::first_progress: return "  waits for the first token";
    case Phase::progress: return "  waits for the next token";
    case Phase::whole_answer: return "  waits for the whole answer";
    case Phase::error_body: return "  reads the error";
    case Phase::finish: return "  waits for the end";
  }
  return "";
}

}  // namespace

void LogObserver::attempt_began(const AttemptReport& attempt) {
  write_(LogLine::attempt, "asks " + attempt.member.name());
}

void LogObserver::phase_entered(const AttemptReport&, Phase phase) {
  if (const auto words = doing(phase); !words.empty()) {
    write_(LogLine::phase, words);
  }
}

void LogObserver::heartbeat_heard(const AttemptReport&) { write_(LogLine::phase, "  heartbeat"); }

void LogObserver::attempt_progressed(const AttemptReport&) {
  write_(LogLine::progress, "  first token");
}

void LogObserver::attempt_ended(const AttemptReport& attempt) {
  if (!attempt.answered()) {
    failed(attempt);
    return;
  }
  std::string losses;
  for (const auto& loss : attempt.losses) {
    losses += losses.empty() ? "  not as the client wrote it: " : ", ";
    losses.append(loss.effect).append(" ").append(loss.what);
  }
  if (!losses.empty()) {
    write_(LogLine::loss, losses);
  }
}

void LogObserver::answer_broke(const AttemptReport& attempt) { failed(attempt); }

void LogObserver::failed(const AttemptReport& attempt) {
  write_(LogLine::failure, "  " + to_string(attempt.failure));
  if (attempt.decision) {
    write_(LogLine::decision, "  -> " + std::string(to_string(attempt.decision->action)) + ": " +
                                  std::string(attempt.decision->why));
  }
}

void LogObserver::call_ended(const CallReport& report) {
  write_(report.code ? LogLine::no_answer : LogLine::answered, report.why());
}

}  // namespace understudy
