#include "understudy/failover/call_report.hpp"

#include <algorithm>
#include <cstdio>

#include "understudy/text/json_writer.hpp"

namespace understudy {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

std::string in_seconds(Clock::duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s",
                std::chrono::duration<double>(duration).count());
  return text.data();
}

std::string whom(const AttemptReport& attempt) {
  std::string text = attempt.member.name();
  if (attempt.credential) {
    text += " (" + *attempt.credential + ")";
  }
  return text;
}

std::string came_of(const AttemptReport& attempt) {
  if (!attempt.ended) {
    return "under way";
  }
  return attempt.answered() ? "answered" : to_string(attempt.failure);
}

void write_evidence(JsonWriter& json, const Evidence& evidence) {
  const auto milliseconds = [](Clock::duration d) { return Milliseconds(d).count(); };
  json.begin_object()
      .member("phase", to_string(evidence.phase))
      .member("clock", to_string(evidence.clock))
      .member("limit_ms", milliseconds(evidence.limit))
      .member("limit_origin", to_string(evidence.origin))
      .member("since_last_byte_ms", milliseconds(evidence.since_last_byte))
      .member("since_last_progress_ms", milliseconds(evidence.since_last_progress))
      .member("lateness_ms", milliseconds(evidence.lateness))
      .member("bytes", evidence.bytes)
      .member("heartbeats", evidence.heartbeats)
      .end_object();
}

void write_attempt(JsonWriter& json, const AttemptReport& attempt) {
  json.begin_object().member("member", attempt.member.name());
  if (attempt.credential) {
    json.member("credential", *attempt.credential);
  }
  json.member("kind", to_string(attempt.kind))
      .member("began_ms", Milliseconds(attempt.began).count())
      .member("took_ms", Milliseconds(attempt.took).count());
  if (attempt.first_progress) {
    json.member("first_progress_ms", Milliseconds(*attempt.first_progress).count());
  }
  json.key("phases_ms").begin_object();
  for (std::size_t i = 0; i < attempt.in_phase.size(); ++i) {
    if (attempt.in_phase[i] > Clock::duration::zero()) {
      json.member(to_string(static_cast<Phase>(i)), Milliseconds(attempt.in_phase[i]).count());
    }
  }
  json.end_object().member("outcome", attempt.answered() ? "answered"
                                      : attempt.ended    ? attempt.failure.code().message()
                                                         : std::string("under way"));
  if (attempt.failure.evidence().clock != LimitClock::none) {
    write_evidence(json.key("evidence"), attempt.failure.evidence());
  }
  if (!attempt.failure.message().empty()) {
    json.member("message", attempt.failure.message());
  }
  if (attempt.failure.retry_after()) {
    json.member("retry_after_ms", Milliseconds(*attempt.failure.retry_after()).count());
  }
  if (attempt.decision) {
    json.member("action", to_string(attempt.decision->action))
        .member("after_ms", Milliseconds(attempt.decision->after).count())
        .member("why", attempt.decision->why);
  }
  if (attempt.tokens_spent > 0) {
    json.member("tokens_spent_at_least", attempt.tokens_spent);
  }
  if (attempt.undecodable > 0) {
    json.member("undecodable", attempt.undecodable);
  }
  if (attempt.inferred_finish) {
    json.member("inferred_finish", true);
  }
  if (!attempt.request_id.empty()) {
    json.member("request_id", attempt.request_id);
  }
  if (attempt.restored > 0) {
    json.member("reasoning_restored", attempt.restored);
  }
  if (attempt.ignored > 0) {
    json.member("reasoning_dropped_by_provider", attempt.ignored);
  }
  if (!attempt.losses.empty()) {
    json.key("losses").begin_array();
    for (const auto& loss : attempt.losses) {
      json.value(std::string(loss.effect) + " " + loss.what);
    }
    json.end_array();
  }
  json.end_object();
}

std::string skipped_for(const SkippedMember& skipped) {
  std::string text(to_string(skipped.because));
  if (skipped.reason) {
    text += ", ";
    text += to_string(*skipped.reason);
  }
  return text;
}

}  // namespace

std::string_view to_string(AttemptKind kind) noexcept {
  switch (kind) {
    case AttemptKind::plain: return "plain";
    case AttemptKind::probe: return "probe";
    case AttemptKind::hedge: return "hedge";
  }
  return "unknown";
}

const AttemptReport* CallReport::answer() const noexcept {
  const auto found = std::find_if(attempts.begin(), attempts.end(),
                                  [](const AttemptReport& a) { return a.answered(); });
  if (found != attempts.end()) {
    return &*found;
  }
  // What was delivered before it broke may be complete (FailoverCall::answer_stands).
  const bool stands = !code && !attempts.empty() && attempts.back().inferred_finish;
  return stands ? &attempts.back() : nullptr;
}

std::string CallReport::why() const {
  std::string text;
  const auto* const answered = answer();
  if (answered != nullptr) {
    text =
        whom(*answered) + (code ? " was answering, stopped (" + code.message() + ")" : " answered");
  } else {
    text = code.category() == stop_category() ? "stopped (" + code.message() + ")"
                                              : "failed (" + code.message() + ")";
  }
  const char* separator = ", after ";
  for (const auto& attempt : attempts) {
    if (&attempt != answered) {
      text += separator + whom(attempt) + ": " + came_of(attempt);
      separator = "; ";
    }
  }
  separator = attempts.size() > 1 ? "; passed over " : ", passed over ";
  for (const auto& passed : skipped) {
    text += separator + passed.member.name() + ": " + skipped_for(passed);
    separator = "; ";
  }
  if (!session_why.empty()) {
    text += "; " + session_why;
  }
  return text;
}

std::string CallReport::to_text() const {
  std::string text = why() + "\n";
  for (const auto& attempt : attempts) {
    text += "  " + in_seconds(attempt.began) + "  " + std::string(to_string(attempt.kind)) + "  " +
            whom(attempt) + "  " + came_of(attempt) + " after " + in_seconds(attempt.took);
    if (attempt.decision) {
      text += "; " + std::string(to_string(attempt.decision->action)) + ": " +
              std::string(attempt.decision->why);
    }
    text += "\n";
  }
  return text;
}

std::string CallReport::to_json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("outcome", code ? code.message() : std::string("answered"))
      .member("took_ms", Milliseconds(took).count())
      .member("why", why());
  if (!session.empty()) {
    json.member("session", session);
  }
  json.key("attempts").begin_array();
  for (const auto& attempt : attempts) {
    write_attempt(json, attempt);
  }
  json.end_array().key("passed_over").begin_array();
  for (const auto& passed : skipped) {
    json.begin_object()
        .member("member", passed.member.name())
        .member("because", skipped_for(passed))
        .end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace understudy
