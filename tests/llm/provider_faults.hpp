/// What may be wrong with a provider before it has said anything, and what the report is to say of it.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "provider_world.hpp"

namespace provider_test {

using namespace std::chrono_literals;
using testing::Fault;
using testing::Greeting;
using testing::Reply;
using testing::SeenConnection;
using R = FailoverReason;

inline const std::string ten = "one two three four five six seven eight nine ten";

/// A sick primary and a healthy fallback: what the report says of the primary, and that all is over.
struct FaultCase {
  std::string name;
  std::function<void(FaultServer&)> script;
  R reason;
  bool at_once;  // else after the limit
  LimitClock clock = LimitClock::none;
  Phase phase = Phase::none;
  bool during_handshake = false;  // over TLS it is one
};

/// One limit for everything.
inline StallSettings scaled_down(Clock::duration limit) {
  return StallSettings()
      .with_connect(limit)
      .with_write(limit)
      .with_first_progress(limit)
      .with_stale(limit)
      .with_whole_answer(limit);
}

inline const std::vector<FaultCase>& faults() {
  static const std::vector<FaultCase> all{
      {"accept, then silence", [](FaultServer& s) { s.greet(Greeting::silence()); }, R::timeout,
       false, LimitClock::progress, Phase::first_progress, true},
      {"closes at once", [](FaultServer& s) { s.greet(Greeting::close()); }, R::connection, true},
      {"resets at once", [](FaultServer& s) { s.greet(Greeting::reset()); }, R::connection, true},
      {"reads the request, and says nothing (S06)",
       [](FaultServer& s) { s.reply(Reply::answer().before_head(Fault::silence())); }, R::timeout,
       false, LimitClock::progress, Phase::first_progress},
      {"headers at once, the first event late (S07)",
       [](FaultServer& s) { s.reply(Reply::answer().after(0, Fault::pause(20s))); }, R::timeout,
       false, LimitClock::progress, Phase::first_progress},
      {"headers, then heartbeats for ever (S17)",
       [](FaultServer& s) { s.reply(Reply::answer().after(0, Fault::silence(100ms))); }, R::timeout,
       false, LimitClock::progress, Phase::first_progress},
      {"the start alone, then silence (S19)",
       [](FaultServer& s) { s.reply(Reply::answer().after(1, Fault::silence())); }, R::timeout,
       false, LimitClock::progress, Phase::first_progress},
      {"context overflow (S12)",
       [](FaultServer& s) {
         s.reply(Reply::status(400, "prompt is too long: 210000 tokens > 200000 maximum",
                               "invalid_request_error"));
       },
       R::context_overflow, true},
      {"a rate limit",
       [](FaultServer& s) {
         s.reply(
             Reply::status(429, "slow down", "rate_limit_error").with_header("retry-after", "60"));
       },
       R::rate_limit, true},
      {"no such key",
       [](FaultServer& s) {
         s.reply(Reply::status(401, "invalid x-api-key", "authentication_error"));
       },
       R::auth, true},
      {"an error in the first frame (S23)",
       [](FaultServer& s) {
         s.reply(Reply::answer().after(0, Fault::error("overloaded_error", "Overloaded")));
       },
       R::overloaded, true},
      {"an error after the start",
       [](FaultServer& s) {
         s.reply(Reply::answer().after(1, Fault::error("overloaded_error", "Overloaded")));
       },
       R::overloaded, true},
      {"the connection is reset in the head",
       [](FaultServer& s) { s.reply(Reply::answer().reset_at(20)); }, R::connection, true},
      {"the connection ends in the head",
       [](FaultServer& s) { s.reply(Reply::answer().close_at(20)); }, R::connection, true},
      {"a truncated chunk",
       [](FaultServer& s) { s.reply(Reply::answer().after(1, Fault::truncated_chunk())); },
       R::connection, true},
      {"a stream that ends in due form without having said anything",
       [](FaultServer& s) { s.reply(Reply::answer().after(1, Fault::end())); },
       R::malformed_response, true},
      {"a page of HTML", [](FaultServer& s) { s.reply(Reply::html()); }, R::malformed_response,
       true},
      {"a header without end", [](FaultServer& s) { s.reply(Reply::oversized_header()); },
       R::malformed_response, true},
      {"a redirect", [](FaultServer& s) { s.reply(Reply::redirect("http://elsewhere.test/")); },
       R::malformed_response, true},
      {"gzip, unasked", [](FaultServer& s) { s.reply(Reply::gzipped()); }, R::malformed_response,
       true},
      {"never reads the request (S37)", [](FaultServer& s) { s.greet(Greeting::unread()); },
       R::connection, false, LimitClock::phase, Phase::write},
  };
  return all;
}

/// A sick member and a well one: the well one's answer, once and in time, and what the report says.
inline void check_fault(const FaultCase& fault, Protocol protocol, Transport transport,
                        const StallSettings& settings) {
  CAPTURE(fault.name);
  World world(transport);
  auto& sick = world.add(protocol);
  auto& well = world.add(Protocol::openai_responses);
  world.policy.with_stall(settings).with_backoff(BackoffSettings(1ms, 1ms));
  fault.script(sick);
  Request request("m");
  if (fault.phase == Phase::write) {
    request.messages.emplace_back(Role::user, std::string(std::size_t{8} * 1024 * 1024, 'x'));
  }
  const auto told = world.ask(request);
  require_answer(told);
  CHECK(told.answer->text() == ten);
  CHECK(told.text == ten);  // once
  const auto limit = *settings.stale;
  const Clock::duration allowed =
      transport == Transport::memory ? 260ms : 5s;  // a retry after 250 ms at most
  CHECK(told.took <= (fault.at_once ? Clock::duration::zero() : limit) + allowed);
  const bool shaken = fault.during_handshake && transport == Transport::tls;
  const auto& failed = told.report.attempts.at(0);
  CHECK(failed.failure.code() == (shaken ? R::connection : fault.reason));
  CHECK(failed.failure.evidence().clock == (shaken ? LimitClock::phase : fault.clock));
  CHECK(failed.failure.evidence().phase == (shaken ? Phase::connect : fault.phase));
  CHECK(told.report.answer()->member.name() == "b/model-b");
  CHECK(well.requests() == 1);
  CHECK(told.open_connections <= told.idle_connections);
  for (const auto& connection : sick.connections()) {
    CHECK(connection.sent_after(told.ended) == 0);
  }
}

}  // namespace provider_test
