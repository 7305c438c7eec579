/// Writes the events of calls as lines of text, for a log or a terminal.
///
/// Invariants
/// 1. One line for each event, without a line feed. Lines about an attempt are indented, except its first.
/// 2. No line has a secret or a part of a prompt; what a provider says of an error may quote the request.
/// 3. What `write` throws is contained, as for every Observer.
///
///     LogObserver log([](LogLine, std::string_view text) { std::clog << text << "\n"; });
///     auto outcome = co_await failover(chain, policy, state, call, CallOptions().with_observer(log));
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/failover/observer.hpp"

namespace understudy {

/// What a line is about.
enum class LogLine : unsigned char {
  attempt,    ///< an attempt begins
  phase,      ///< it enters a phase, or a heartbeat was received
  progress,   ///< its first token was received
  loss,       ///< what the member did not get of the request
  failure,    ///< it has failed, or its answer has broken
  decision,   ///< what happens next, and why
  answered,   ///< the call has an answer: the report's line
  no_answer,  ///< the call has failed: the report's line
};

/// See the top of the file. Use one for calls of one thread: it keeps no state, but `write` is called as the calls run.
class UNDERSTUDY_API LogObserver : public Observer {
 public:
  /// Gets each line. Called on the thread of the call; should not block.
  using Write = std::function<void(LogLine what, std::string_view text)>;

  explicit LogObserver(Write write) : write_(std::move(write)) {}

  void attempt_began(const AttemptReport& attempt) override;
  void phase_entered(const AttemptReport& attempt, Phase phase) override;
  void heartbeat_heard(const AttemptReport& attempt) override;
  void attempt_progressed(const AttemptReport& attempt) override;
  void attempt_ended(const AttemptReport& attempt) override;
  void answer_broke(const AttemptReport& attempt) override;
  void call_ended(const CallReport& report) override;

 private:
  void failed(const AttemptReport& attempt);

  Write write_;
};

}  // namespace understudy
