#include "understudy/failover/detail/prospect.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using detail::CallContext;
using detail::health_keys;
using detail::Leg;
using detail::MemberRun;
using detail::next_credential;
using detail::prospect;

namespace {

std::shared_ptr<CredentialPool> two_keys() {
  return std::make_shared<CredentialPool>(
      "a", std::vector<Credential>{Credential("one", Secret("first")),
                                   Credential("two", Secret("second"))});
}

class ProspectWorld {
 public:
  /// Marks what the reason concerns, of the first member with this credential, in another call.
  void fail(FailoverReason reason, std::optional<std::size_t> credential = std::nullopt) {
    Health::Probe none;
    state.health().failed(health_keys(chain[0], credential), reason, std::nullopt,
                          state.next_call(), Clock::now(), Clock::now(), none);
  }
  detail::Prospect look() { return prospect(call, 0, call.id, Clock::now()); }
  MemberRun run(std::size_t credential) {
    MemberRun run(0, state.record(chain[0]), Leg::only, Clock::now());
    run.credential = chain[0].credentials()->use(credential);
    return run;
  }

  testing::VirtualTime time;
  Chain chain{Member("a", "m").with_credentials(two_keys()).with_context_window(1000)};
  Policy policy;
  State state;
  CallContext call{chain, policy, state, CallOptions(), std::source_location::current()};
};

}  // namespace

TEST_CASE("the names of marks") {
  const auto plain = health_keys(Member("a", "m").with_base_url("http://h"), std::nullopt);
  CHECK(plain[Concern::member] == "member m@http://h");
  CHECK(plain[Concern::endpoint] == "endpoint http://h");
  CHECK(plain[Concern::credential] == "credential a");
  CHECK(plain[Concern::credential_model] == "credential a\nm");
  const auto member = Member("a", "m").with_credentials(two_keys());
  CHECK(health_keys(member, std::nullopt)[Concern::credential].empty());
  CHECK(health_keys(member, 1)[Concern::credential] == "credential a/two");
}

TEST_CASE("nothing is marked: healthy, with the first credential") {
  ProspectWorld world;
  const auto p = world.look();
  CHECK(p.candidate.standing == Standing::healthy);
  CHECK(p.candidate.context_window == 1000);
  CHECK(p.credential == 0);
  CHECK_FALSE(p.whole_member);
}

TEST_CASE("a credential in cooldown: the next one") {
  ProspectWorld world;
  world.fail(FailoverReason::billing, 0);
  const auto p = world.look();
  CHECK(p.candidate.standing == Standing::healthy);
  CHECK(p.credential == 1);
}

TEST_CASE("all credentials in cooldown: the one whose cooldown ends first") {
  ProspectWorld world;
  world.fail(FailoverReason::billing, 1);
  world.fail(FailoverReason::billing, 0);
  const auto p = world.look();
  CHECK(p.candidate.standing == Standing::cooling);
  CHECK(p.outlook.reason == FailoverReason::billing);
  CHECK(p.credential.has_value());
  CHECK_FALSE(p.whole_member);
}

TEST_CASE("the member in cooldown, whatever its credentials") {
  ProspectWorld world;
  world.fail(FailoverReason::timeout);
  const auto p = world.look();
  CHECK(p.candidate.standing == Standing::cooling);
  CHECK(p.whole_member);
}

TEST_CASE("the next credential: not tried, not in cooldown") {
  ProspectWorld world;
  const auto now = Clock::now();
  CHECK(next_credential(world.call, world.run(0), now) == 1);
  auto run = world.run(1);
  run.credentials_tried.push_back(0);
  CHECK_FALSE(next_credential(world.call, run, now));
  world.fail(FailoverReason::billing, 1);
  CHECK_FALSE(next_credential(world.call, world.run(0), now));
  run.credential.reset();
  CHECK_FALSE(next_credential(world.call, run, now));
}
