/// The report of a call: which members were asked, in what order, with what outcome, and why.
///
/// Every call has a report, also if it succeeded. It identifies credentials by their labels.
///
/// Invariants
/// 1. Contains no secret and no text of the request; text of the provider is limited in size (Failure).
/// 2. Attempts are in the order in which they began. Token counts are lower bounds: an abandoned attempt may cost more
///    than what was received from it.
///
///     std::cout << outcome.report.why() << "\n";
///     // openai-codex/gpt-5.5 answered, after anthropic/claude-opus-4-7: timeout: 180 s without progress ...
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/failover/member.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/runtime/limit.hpp"

namespace understudy {

/// The purpose of an attempt.
enum class AttemptKind : unsigned char {
  plain,
  probe,  ///< tests whether a member that has failed works again
  hedge,  ///< runs beside a slow attempt, or beside a probe
};

/// The name of the kind, as in reports.
UNDERSTUDY_API std::string_view to_string(AttemptKind kind) noexcept;

/// Something in the request that a member did not get as the caller wrote it.
class RequestLoss {
 public:
  RequestLoss(std::string_view e, std::string_view a, std::string w)
      : effect(e), about(a), what(std::move(w)) {}

  std::string_view effect;  ///< "dropped", "changed", "added"; it lives as long as the program
  std::string_view about;  ///< one of a few words, for metrics: "parameter", "tool"; lives likewise
  std::string what;  ///< for reports: may be the caller's own text, such as the name of a tool
};

/// One attempt. Times are relative to its start, except `began`.
class UNDERSTUDY_API AttemptReport {
 public:
  static constexpr std::size_t phases = static_cast<std::size_t>(Phase::finish) + 1;

  AttemptReport(Member m, AttemptKind k, Clock::duration since_call_began)
      : member(std::move(m)), kind(k), began(since_call_began) {}

  /// The label of the credential that was used; null if there was none.
  const std::string* credential_label() const noexcept { return credential.get(); }
  /// Whether the attempt has ended with an answer.
  bool answered() const noexcept { return ended && !failure.code(); }

  Member member;
  std::shared_ptr<const std::string> credential;  ///< its label, or null
  AttemptKind kind;
  bool ended = false;
  Clock::duration began;  ///< since the call began
  Clock::duration took{};
  std::optional<Clock::duration> first_progress;
  std::array<Clock::duration, phases> in_phase{};
  Failure failure;  ///< code zero if it answered
  std::optional<Decision> decision;
  std::uint64_t tokens_spent = 0;
  std::uint64_t undecodable = 0;  ///< parts of the answer that could not be decoded
  bool inferred_finish =
      false;  ///< the member did not say why its answer ended; the answer itself does
  std::vector<RequestLoss> losses;  ///< what the member did not get of the request
  std::string request_id;           ///< the member's own id of the request; empty: none
  /// Names and values, for the client of a gateway; not a part of any report.
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t restored =
      0;  ///< pieces of its own reasoning that the member got back from a foreign client
  std::size_t ignored =
      0;  ///< pieces of earlier reasoning that the member reports not to have used
};

/// A member that was passed over, and why.
class SkippedMember {
 public:
  SkippedMember(Member m, Eligibility e, std::optional<FailoverReason> s)
      : member(std::move(m)), because(e), reason(s) {}

  Member member;
  Eligibility because;
  std::optional<FailoverReason> reason;  ///< of its cooldown, if it is in one
};

/// See the top of the file.
class UNDERSTUDY_API CallReport {
 public:
  std::vector<AttemptReport> attempts;
  std::vector<SkippedMember> skipped;
  std::string session;  ///< a hash of the conversation that the call belongs to; empty: not known
  std::string session_why;  ///< why the chain was not asked in its own order for it; empty: it was
  Clock::duration took{};
  error_code code;  ///< zero if the call was answered

  /// The attempt that answered, or null.
  const AttemptReport* answer() const noexcept;

  /// The whole call in one line.
  std::string why() const;
  /// One line for each attempt, for human readers.
  std::string to_text() const;
  /// One JSON object, for logs and tools. Times in milliseconds.
  std::string to_json() const;
};

}  // namespace understudy
