/// What happened in a call: which members were asked, in what order, with what outcome, and why.
///
/// Every call has one, also if it succeeded. It names credentials by their labels.
///
/// Invariants
/// 1. Holds no secret and no text of the request; text of the provider is bounded (Failure).
/// 2. Attempts stand in the order in which they began. Tokens are "at least": an attempt that was
///    abandoned may cost more than what was heard of it.
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

/// What an attempt was for.
enum class AttemptKind : unsigned char {
  plain,
  probe,  ///< finds out whether a member that has failed works again
  hedge,  ///< beside an attempt that is slow, or a probe
};

UNDERSTUDY_API std::string_view to_string(AttemptKind kind) noexcept;

/// One attempt. Times are since the attempt began, but for `began`.
class UNDERSTUDY_API AttemptReport {
 public:
  static constexpr std::size_t phases = static_cast<std::size_t>(Phase::finish) + 1;

  AttemptReport(Member m, AttemptKind k, Clock::duration since_call_began)
      : member(std::move(m)), kind(k), began(since_call_began) {}

  const std::string* credential_label() const noexcept { return credential.get(); }
  bool answered() const noexcept { return ended && !failure.code(); }

  Member member;
  std::shared_ptr<const std::string> credential;  ///< its label; null: none
  AttemptKind kind;
  bool ended = false;
  Clock::duration began;  ///< since the call began
  Clock::duration took{};
  std::optional<Clock::duration> first_progress;
  std::array<Clock::duration, phases> in_phase{};
  Failure failure;  ///< none (code zero): it answered
  std::optional<Decision> decision;
  std::uint64_t tokens_spent = 0;
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
  Clock::duration took{};
  error_code code;  ///< zero: answered

  /// The attempt that answered, or null.
  const AttemptReport* answer() const noexcept;

  /// All of it in one line.
  std::string why() const;
  /// One line for each attempt, for people.
  std::string to_text() const;
  /// One JSON object, for logs and tools. Times in milliseconds.
  std::string to_json() const;
};

}  // namespace understudy
