/// A provider that does what a script says, for tests of whatever is built on `failover`.
///
/// Invariants
/// 1. Behaves like a stream: notes phases, bytes, heartbeats and progress in the attempt, so that stall
///    limits apply as they would to a real one. Knows no socket; runs in virtual time.
/// 2. Remembers every attempt that reached it, to be held against the call's report.
///
///     ScriptedProvider primary("anthropic", [](const Asked&) { return Behaviour::stall(10s); });
///     ScriptedProvider fallback("openai", [](const Asked&) { return Behaviour::answer(200ms); });
///     auto outcome = co_await failover(chain, policy, state, [&](Attempt& attempt) {
///       return (attempt.member().provider() == "openai" ? fallback : primary).ask(attempt);
///     });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/attempt.hpp"

namespace understudy::testing {

/// What a provider does with one request.
class UNDERSTUDY_API Behaviour {
 public:
  /// The first token after `first`, then nine more, `gap` apart.
  static Behaviour answer(Clock::duration first, Clock::duration gap = {});
  /// This failure, after a time.
  static Behaviour fail(Failure failure, Clock::duration after = {});
  /// Headers, then heartbeats at this distance for ever; zero: nothing more at all.
  static Behaviour stall(Clock::duration heartbeats = {});

  /// Heartbeats at this distance while it is silent.
  Behaviour& with_heartbeats(Clock::duration every) { return heartbeats = every, *this; }

  std::optional<Failure> failure;  ///< none: it answers
  Clock::duration after{};         ///< until the failure or the first token
  Clock::duration gap{};
  Clock::duration heartbeats{};

 private:
  Behaviour() = default;
};

/// An attempt as its provider sees it.
class Asked {
 public:
  enum class End : unsigned char { none, answered, failed, cancelled };

  unsigned number = 0;      ///< of the attempts at this provider, from 0
  Clock::time_point began;  ///< when it came
  Clock::time_point ended;
  std::string credential;  ///< the secret that was sent
  ReasonSet mended;
  End end = End::none;
};

/// See the top of the file.
class UNDERSTUDY_API ScriptedProvider {
 public:
  using Script = std::function<Behaviour(const Asked&)>;

  ScriptedProvider(std::string name, Script script)
      : name_(std::move(name)), script_(std::move(script)) {}
  ScriptedProvider(const ScriptedProvider&) = delete;
  ScriptedProvider& operator=(const ScriptedProvider&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// Answers with "answer of NAME" when the last token has come. The provider must outlive it.
  asio::awaitable<Result<std::string>> ask(Attempt& attempt);

  const std::vector<Asked>& asked() const noexcept { return asked_; }
  /// How many requests are under way.
  std::size_t alive() const noexcept { return alive_; }

 private:
  class Visit;

  static asio::awaitable<void> silence(Attempt& attempt, Clock::duration length,
                                       Clock::duration heartbeats);

  std::string name_;
  Script script_;
  std::vector<Asked> asked_;
  std::size_t alive_ = 0;
};

}  // namespace understudy::testing
