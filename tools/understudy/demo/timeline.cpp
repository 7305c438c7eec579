#include "timeline.hpp"

#include <array>
#include <cstdio>

namespace understudy::tool {
namespace {

std::string_view words_for(Phase phase) {
  switch (phase) {
    case Phase::none: return "";
    case Phase::pool_wait: return "waits for a connection";
    case Phase::connect: return "connects";
    case Phase::write: return "sends the request";
    case Phase::first_progress: return "waits for the first token";
    case Phase::progress: return "waits for the next token";
    case Phase::whole_answer: return "waits for the whole answer";
    case Phase::error_body: return "reads the error";
    case Phase::finish: return "waits for the end";
  }
  return "";
}

}  // namespace

void Timeline::note(std::string_view what, Colour colour) {
  std::array<char, 16> time{};
  std::snprintf(time.data(), time.size(), "%7.3f s  ",
                std::chrono::duration<double>(Clock::now() - began_).count());
  out_.line(std::string(time.data()) + std::string(what), colour);
  speaking_ = false;
}

void Timeline::attempt_began(const AttemptReport& attempt) {
  note("asks " + attempt.member.name(), Colour::bold);
}

void Timeline::phase_entered(const AttemptReport&, Phase phase) {
  if (phase != Phase::none) {
    note("  " + std::string(words_for(phase)), Colour::dim);
  }
}

void Timeline::heartbeat_heard(const AttemptReport&) { note("  heartbeat", Colour::dim); }

void Timeline::attempt_progressed(const AttemptReport&) { note("  first token"); }

void Timeline::attempt_ended(const AttemptReport& attempt) {
  if (!attempt.answered()) {
    failed(attempt);
    return;
  }
  std::string losses;
  for (const auto& loss : attempt.losses) {
    losses += (losses.empty() ? "  not as the client wrote it: " : ", ");
    losses.append(loss.effect).append(" ").append(loss.what);
  }
  if (!losses.empty()) {
    note(losses, Colour::yellow);
  }
}

void Timeline::answer_broke(const AttemptReport& attempt) { failed(attempt); }

void Timeline::failed(const AttemptReport& attempt) {
  note("  " + to_string(attempt.failure), Colour::red);
  if (attempt.decision) {
    note("  -> " + std::string(to_string(attempt.decision->action)) + ": " +
             std::string(attempt.decision->why),
         Colour::yellow);
  }
}

void Timeline::call_ended(const CallReport& report) {
  note(report.why(), report.code ? Colour::red : Colour::green);
}

void Timeline::said(std::string_view text) {
  if (!speaking_) {
    out_.line("");
    out_.write("           | ");
    speaking_ = true;
  }
  out_.write(text, Colour::cyan);
}

void Timeline::delivered(std::string_view form) {
  note("  in the client's protocol: " + std::string(form));
}

void Timeline::taken_back() { note("  the delivered part is retracted", Colour::yellow); }

}  // namespace understudy::tool
