/// Plays a scenario: providers in this process on loopback, real HTTP, and a client as its users have it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "scenario.hpp"
#include "understudy/failover/observer.hpp"

namespace understudy::tool {

/// Who watches: of the calls, and of what their consumer gets.
class Audience : public Observer {
 public:
  virtual void said(std::string_view /*text*/) {}
  virtual void taken_back() {}
  /// `form`: the types of the events that the client gets, in order, each with how often it comes in a row.
  virtual void delivered(std::string_view /*form*/) {}
};

/// What was seen of a scenario.
class Played {
 public:
  Ending ending = Ending::fails;
  error_code code;   ///< of the failure
  std::string text;  ///< as the consumer has it at the end
  std::string form;  ///< of a scenario with a client's request: as Audience::delivered
  std::size_t retracts = 0;
  CallReport report;
  Clock::duration first_token{};  ///< since the call began; zero: none came
  Clock::duration took{};
  std::size_t open_connections = 0;  ///< that the providers see afterwards
  std::size_t understudy_requests = 0;
  bool anybody_marked = false;

  /// In what it ended otherwise than it should; empty: in nothing.
  std::string complaint(const Scenario& scenario) const;
};

/// Completes when all that it has started has ended. `seed` is for the jitter of retries. Cancellation: as Asio
/// does.
asio::awaitable<void> play(const Scenario& scenario, std::uint64_t seed, Audience& audience,
                           Played& played);

}  // namespace understudy::tool
