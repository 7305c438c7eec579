#include "comparison.hpp"

#include <boost/asio/io_context.hpp>
#include <optional>

#include "../terminal.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/stall_scaling.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace understudy::tool {
namespace {

using namespace std::chrono_literals;
using testing::Behaviour;
using testing::ScriptedProvider;

constexpr std::uint64_t prompt_tokens = 60'000;

class Incident {
 public:
  explicit Incident(const Policy& policy) : policy_(policy) {}

  /// Until the first token, with what earlier calls have learned, or as if there had been none.
  Clock::duration call(bool remember) {
    State forgetful;
    const auto outcome = time_.run(context_, ask(remember ? state_ : forgetful)).value();
    const auto* const answer = outcome.report.answer();
    return answer == nullptr ? outcome.report.took : answer->began + *answer->first_progress;
  }

  void pass(Clock::duration time) { time_.run_for(context_, time); }

 private:
  asio::awaitable<std::optional<Outcome<std::string>>> ask(State& state) {
    auto by_member = [this](Attempt& attempt) {
      return (attempt.member().provider() == "anthropic" ? lead_ : understudy_).ask(attempt);
    };
    co_return co_await failover(chain_, policy_, state, std::move(by_member),
                                CallOptions()
                                    .with_prompt(prompt_tokens)
                                    .with_scaled_stale(llm::scaled_stale(prompt_tokens)));
  }

  testing::VirtualTime time_;
  asio::io_context context_;
  ScriptedProvider lead_{"lead", [](const testing::Asked&) { return Behaviour::stall(10s); }};
  ScriptedProvider understudy_{"understudy",
                               [](const testing::Asked&) { return Behaviour::answer(400ms); }};
  Chain chain_{Member("anthropic", "claude-opus-4-7"), Member("openai-codex", "gpt-5.5")};
  Policy policy_;
  State state_;
};

Waits waits(const Policy& policy, bool remember) {
  Incident incident(policy);
  Waits waits;
  waits.first = incident.call(remember);
  incident.pass(60s);
  waits.next = incident.call(remember);
  return waits;
}

}  // namespace

std::string Comparison::in_one_line() const {
  return "Without failover on stalls: " + spoken(usual.first) + " to the first token, and " +
         spoken(usual.next) + " again a minute later. Here: " + spoken(here.first) + ", and then " +
         spoken(here.next) + ".";
}

Comparison compare() {
  Comparison comparison;
  comparison.usual = waits(Policy().with_eager_on_timeout(false).with_max_retries(3), false);
  comparison.here = waits(Policy(), true);
  return comparison;
}

}  // namespace understudy::tool
