// The faults of provider_faults.hpp and the founding incident, over the kernel's loopback and in real time:
// bounds are generous, and only reached when something is wrong.
#include <doctest/doctest.h>

#include "provider_faults.hpp"

namespace real_sockets_test {

using namespace provider_test;

namespace {

constexpr Clock::duration limit = 400ms;

void all_faults(Transport transport) {
  for (const auto& fault : faults()) {
    check_fault(fault, Protocol::anthropic_messages, transport, scaled_down(limit));
  }
}

}  // namespace

TEST_CASE("every fault over TCP") { all_faults(Transport::tcp); }

TEST_CASE("every fault over TLS") { all_faults(Transport::tls); }

TEST_CASE("a certificate that cannot be verified: the next member, at once") {
  for (const auto kind :
       {testing::TestCertificates::Kind::expired, testing::TestCertificates::Kind::wrong_host,
        testing::TestCertificates::Kind::self_signed}) {
    World world(Transport::tls);
    world.add().greet(Greeting::serve().with_certificate(kind));
    world.add();
    const auto told = world.ask();
    require_answer(told);
    CHECK(told.report.attempts.at(0).failure.code() == R::ssl_cert_verification);
    CHECK(world.servers[0].requests() == 0);
  }
}

TEST_CASE("nobody listens: the next member") {
  World world(Transport::tcp);
  world.add();
  world.acceptors[0]->close();
  world.add();
  const auto told = world.ask();
  require_answer(told);
  CHECK(told.report.attempts.at(0).failure.code() == R::connection);
}

TEST_CASE(
    "issue 22277 over sockets: headers, then heartbeats for ever; the fallback answers in whole, "
    "once") {
  for (const auto transport : {Transport::tcp, Transport::tls}) {
    World world(transport);
    auto& sick = world.add(Protocol::anthropic_messages);
    world.add(Protocol::openai_responses);
    world.policy.with_stall(scaled_down(limit));
    sick.reply(Reply::answer().after(1, Fault::silence(20ms)));
    const auto began = Clock::now();
    const auto told = world.ask();
    require_answer(told);
    CHECK(told.text == ten);
    CHECK(told.took >= limit);
    CHECK(told.took < limit + 10s);
    const auto& stalled = told.report.attempts.at(0).failure;
    CHECK(stalled.code() == R::timeout);
    CHECK(stalled.evidence().clock == LimitClock::progress);
    CHECK(stalled.evidence().heartbeats >= 3);
    CHECK(stalled.evidence().origin == LimitOrigin::user);
    REQUIRE(sick.connections().size() == 1);
    const auto& connection = sick.connections()[0];
    CHECK(connection.end == SeenConnection::End::client_reset);
    CHECK(connection.requests.size() == 1);
    // Within 50 ms of the expiry, in fact: bench/net/founding_incident.cpp, in a release build.
    CHECK(connection.ended - began < limit + 10s);
  }
}

}  // namespace real_sockets_test
