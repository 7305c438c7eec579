#include "understudy/failover/call_report.hpp"

#include <doctest/doctest.h>

#include <simdjson.h>
#include <boost/asio/io_context.hpp>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using testing::Asked;
using testing::Behaviour;
using testing::ScriptedProvider;
using testing::VirtualTime;

namespace {

constexpr const char* secret = "sk-ant-do-not-show";

/// Two members, the first with a credential; a turn is one call and its report.
class Desk {
 public:
  Desk(ScriptedProvider::Script first, ScriptedProvider::Script second)
      : lead("anthropic", std::move(first)), understudy("openai", std::move(second)) {
    chain[0].with_credentials(std::make_shared<CredentialPool>(
        "anthropic", std::vector{Credential("work", Secret(secret))}));
  }

  CallReport turn() {
    auto call = [&]() -> asio::awaitable<std::optional<CallReport>> {
      auto outcome = co_await failover(chain, policy, state, [&](Attempt& attempt) {
        return (attempt.member().provider() == "openai" ? understudy : lead).ask(attempt);
      });
      co_return std::move(outcome.report);
    };
    return time.run(context, call()).value();
  }

  VirtualTime time;
  asio::io_context context;
  ScriptedProvider lead;
  ScriptedProvider understudy;
  Chain chain{Member("anthropic", "opus"), Member("openai", "gpt")};
  Policy policy;
  State state;
};

Behaviour stalls(const Asked&) { return Behaviour::stall(10s); }
Behaviour answers(const Asked&) { return Behaviour::answer(5ms); }
Behaviour overloaded(const Asked&) {
  return Behaviour::fail(Failure(FailoverReason::overloaded, "529").with_tokens_spent(7), 40ms);
}

/// Every report is valid JSON, and shows no secret in any form.
void check_forms(const CallReport& report) {
  simdjson::dom::parser parser;
  CHECK(parser.parse(report.to_json()).error() == simdjson::SUCCESS);
  for (const auto& text : {report.why(), report.to_text(), report.to_json()}) {
    CHECK(text.find(secret) == std::string::npos);
  }
}

}  // namespace

TEST_CASE("a plain success") {
  Desk desk(answers, answers);
  const auto report = desk.turn();
  CHECK(report.why() == "anthropic/opus (work) answered");
  CHECK(report.to_text() ==
        "anthropic/opus (work) answered\n"
        "  0.000 s  plain  anthropic/opus (work)  answered after 0.005 s\n");
  CHECK(report.to_json() ==
        R"({"outcome":"answered","took_ms":5,"why":"anthropic/opus (work) answered","attempts":[)"
        R"({"member":"anthropic/opus","credential":"work","kind":"plain","began_ms":0,"took_ms":5,)"
        R"("first_progress_ms":5,"phases_ms":{"first_progress":5},"outcome":"answered"}],)"
        R"("passed_over":[]})");
  REQUIRE(report.answer() != nullptr);
  CHECK(*report.answer()->credential_label() == "work");
  CHECK_FALSE(report.code);
  check_forms(report);
}

TEST_CASE("a success after a stall: what stalled, for how long, by whose limit, what was decided") {
  Desk desk(stalls, answers);
  const auto report = desk.turn();
  const std::string stall =
      "anthropic/opus (work): timeout: 180 s without progress (limit 180 s, default; phase "
      "first_progress; last byte 10 s ago; 272 bytes, 17 heartbeats)";
  CHECK(report.why() == "openai/gpt answered, after " + stall);
  CHECK(report.to_text() == report.why() +
                                "\n"
                                "  0.000 s  plain  anthropic/opus (work)  " +
                                stall.substr(stall.find("timeout")) +
                                " after 180.000 s; fail_over: a stall fails over at once\n"
                                "  180.000 s  plain  openai/gpt  answered after 0.005 s\n");
  const auto json = report.to_json();
  CHECK(json.find(R"("outcome":"timeout","evidence":{"phase":"first_progress","clock":"progress",)"
                  R"("limit_ms":180000,"limit_origin":"default","since_last_byte_ms":10000,)"
                  R"("since_last_progress_ms":180000,"lateness_ms":0,"bytes":272,"heartbeats":17},)"
                  R"("action":"fail_over","after_ms":0,"why":"a stall fails over at once"})") !=
        std::string::npos);
  REQUIRE(report.answer() != nullptr);
  CHECK(report.answer()->member.provider() == "openai");
  CHECK(report.answer()->credential_label() == nullptr);
  check_forms(report);
}

TEST_CASE("all failed: each one, in order, with what it cost at least") {
  Desk desk(overloaded, [](const Asked&) {
    return Behaviour::fail(Failure(FailoverReason::rate_limit).with_retry_after(90s), 10ms);
  });
  const auto report = desk.turn();
  CHECK(report.answer() == nullptr);
  CHECK(report.code == FailoverReason::rate_limit);
  CHECK(report.why() ==
        "failed (rate_limit), after anthropic/opus (work): overloaded: 529; openai/gpt: "
        "rate_limit");
  const auto json = report.to_json();
  CHECK(json.starts_with(R"({"outcome":"rate_limit","took_ms":50,)"));
  CHECK(json.find(R"("message":"529")") != std::string::npos);
  CHECK(json.find(R"("tokens_spent_at_least":7)") != std::string::npos);
  CHECK(json.find(R"("retry_after_ms":90000)") != std::string::npos);
  check_forms(report);
}

TEST_CASE("which members were passed over, and why") {
  Desk desk(stalls, answers);
  desk.turn();
  SUBCASE("in cooldown") {
    const auto report = desk.turn();
    CHECK(report.why() == "openai/gpt answered, passed over anthropic/opus: in cooldown, timeout");
    CHECK(report.to_json().ends_with(
        R"("passed_over":[{"member":"anthropic/opus","because":"in cooldown, timeout"}]})"));
    CHECK(report.attempts.size() == 1);
    check_forms(report);
  }
  SUBCASE("a window too small") {
    desk.chain.insert(desk.chain.begin(), Member("small", "local").with_context_window(0));
    const auto report = desk.turn();
    CHECK(report.why() ==
          "openai/gpt answered, passed over small/local: its window is too small; anthropic/opus: "
          "in cooldown, timeout");
    check_forms(report);
  }
}

TEST_CASE("a probe and the hedge beside it are told apart") {
  Desk desk(stalls, answers);
  desk.turn();
  desk.time.run_for(desk.context, 15s);
  const auto report = desk.turn();
  CHECK(report.why() ==
        "openai/gpt answered, after anthropic/opus (work): another one settled the race first");
  CHECK(report.to_text() == report.why() +
                                "\n"
                                "  0.000 s  probe  anthropic/opus (work)  another one settled the "
                                "race first after 2.005 s\n"
                                "  2.000 s  hedge  openai/gpt  answered after 0.005 s\n");
  check_forms(report);
}

TEST_CASE("stopped by the local side: not a failure of a member") {
  Desk desk(stalls, stalls);
  desk.policy.with_deadline(20s);
  const auto report = desk.turn();
  CHECK(report.code == StopReason::deadline);
  CHECK(
      report.why().starts_with("stopped (deadline reached), after anthropic/opus (work): timeout"));
  check_forms(report);
}

TEST_CASE("a provider that repeats the key in its error does not get it into a report") {
  const std::string echoed = std::string("Incorrect API key provided: ") + secret + ". Sorry.";
  Desk desk([&](const Asked&) { return Behaviour::fail(Failure(FailoverReason::auth, echoed)); },
            answers);
  check_forms(desk.turn());
}

TEST_CASE("text of the provider cannot break out of the JSON") {
  Desk desk(
      [](const Asked&) {
        return Behaviour::fail(Failure(FailoverReason::billing, "\"}],\n\x01\xff\\"));
      },
      answers);
  check_forms(desk.turn());
}
