/// A chain of scripted providers in virtual time, for tests that retell what users have seen.
///
///     Incident incident;
///     auto& primary = incident.add(Member("anthropic", "opus"), stalls);
///     incident.add(Member("openai", "gpt"), answers);
///     CHECK(incident.turn().result.value() == "answer of openai/gpt");
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace incident_test {

using namespace understudy;
using namespace understudy::testing;

using namespace std::chrono_literals;

/// See the top of the file. A turn is one call.
class Incident {
 public:
  /// The member's provider, at the end of the chain.
  ScriptedProvider& add(const Member& member, ScriptedProvider::Script script) {
    chain.push_back(member);
    return providers_.emplace_back(member.name(), std::move(script));
  }

  asio::awaitable<Outcome<std::string>> call(CallOptions options = CallOptions()) {
    auto ask = [this](Attempt& attempt) { return at(attempt.member()).ask(attempt); };
    co_return co_await failover(chain, policy, state, std::move(ask), options);
  }

  Outcome<std::string> turn(CallOptions options = CallOptions()) {
    return time.run(context, optional_call(options)).value();
  }

  void pass(Clock::duration duration) { time.run_for(context, duration); }
  std::vector<Health::MarkReport> marks() { return state.health().marks(Clock::now()); }

  VirtualTime time;
  asio::io_context context;
  Chain chain;
  Policy policy;
  State state;

 private:
  ScriptedProvider& at(const Member& member) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (chain[i].same_as(member)) {
        return providers_[i];
      }
    }
    throw std::logic_error("a member that is not in the chain");
  }

  // VirtualTime::run wants what it returns to be default-constructible.
  asio::awaitable<std::optional<Outcome<std::string>>> optional_call(CallOptions options) {
    co_return co_await call(options);
  }

  std::deque<ScriptedProvider> providers_;
};

/// Whom a turn asked, in order, by name.
inline std::vector<std::string> asked_in(const Outcome<std::string>& outcome) {
  std::vector<std::string> names;
  for (const auto& attempt : outcome.report.attempts) {
    names.push_back(attempt.member.name());
  }
  return names;
}

inline Behaviour answers(const Asked&) { return Behaviour::answer(5ms); }
inline Behaviour stalls(const Asked&) { return Behaviour::stall(10s); }

/// Always this failure, after 40 ms.
inline ScriptedProvider::Script fails(const Failure& failure) {
  return [failure](const Asked&) { return Behaviour::fail(failure, 40ms); };
}

/// Credentials "1", "2", ... of that provider; their secrets are "key-1", "key-2", ...
inline std::shared_ptr<CredentialPool> keys(const std::string& provider, int count,
                                            Strategy strategy = Strategy::fill_first) {
  std::vector<Credential> credentials;
  for (int i = 1; i <= count; ++i) {
    const auto name = std::to_string(i);
    credentials.emplace_back(name, Secret("key-" + name));
  }
  return std::make_shared<CredentialPool>(provider, std::move(credentials), strategy);
}

}  // namespace incident_test
