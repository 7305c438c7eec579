/// A provider that follows a script, for tests of code that is built on `failover`.
///
/// Invariants
/// 1. Behaves like a stream: it notes phases, bytes, heartbeats and progress in the attempt, so that stall limits apply
///    as to a real stream. Uses no socket; runs in virtual time.
/// 2. Records every attempt that reached it, for comparison with the call's report.
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

/// How a provider handles one request.
class UNDERSTUDY_API Behaviour {
 public:
  /// Sends the first token after `first`, then nine more at intervals of `gap`.
  static Behaviour answer(Clock::duration first, Clock::duration gap = {});
  /// Fails with this failure after a time.
  static Behaviour fail(Failure failure, Clock::duration after = {});
  /// Sends headers, then heartbeats at this interval forever; zero: nothing more.
  static Behaviour stall(Clock::duration heartbeats = {});

  /// Sends heartbeats at this interval while it is silent.
  Behaviour& with_heartbeats(Clock::duration every) { return heartbeats = every, *this; }

  std::optional<Failure> failure;  ///< empty: it answers
  Clock::duration after{};         ///< until the failure or the first token
  Clock::duration gap{};
  Clock::duration heartbeats{};

 private:
  Behaviour() = default;
};

/// An attempt as seen by its provider.
class Asked {
 public:
  /// How the attempt has ended.
  enum class End : unsigned char { none, answered, failed, cancelled };

  unsigned number = 0;      ///< counts the attempts at this provider, from 0
  Clock::time_point began;  ///< when it arrived
  Clock::time_point ended;
  std::string credential;  ///< the secret that was sent
  ReasonSet mended;
  End end = End::none;
};

/// See the top of the file.
class UNDERSTUDY_API ScriptedProvider {
 public:
  /// What the provider does about an attempt.
  using Script = std::function<Behaviour(const Asked&)>;

  ScriptedProvider(std::string name, Script script)
      : name_(std::move(name)), script_(std::move(script)) {}
  ScriptedProvider(const ScriptedProvider&) = delete;
  ScriptedProvider& operator=(const ScriptedProvider&) = delete;

  /// The provider's name.
  const std::string& name() const noexcept { return name_; }

  /// Answers with "answer of NAME" after the last token. The provider must outlive the call.
  asio::awaitable<Result<std::string>> ask(Attempt& attempt);

  /// The attempts so far, in order.
  const std::vector<Asked>& asked() const noexcept { return asked_; }
  /// The number of requests in progress.
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
