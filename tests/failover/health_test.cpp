#include "understudy/failover/health.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <thread>

#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using testing::VirtualTime;

namespace {

constexpr Clock::time_point start{1h};
constexpr CallId first{1};
constexpr CallId second{2};
constexpr CallId third{3};
constexpr Clock::duration lease = 10min;

/// What an attempt with everything uses.
HealthKeys all_keys() {
  HealthKeys keys;
  keys[Concern::member] = "member";
  keys[Concern::endpoint] = "endpoint";
  keys[Concern::credential] = "credential";
  keys[Concern::credential_model] = "credential\nmodel";
  return keys;
}

/// A Health with a clock that the test moves; every attempt uses `keys`.
class Patient {
 public:
  /// An attempt of `call` that began `ago` fails now.
  void fails(FailoverReason reason, CallId call = first, Clock::duration ago = 0s,
             std::optional<Clock::duration> retry_after = std::nullopt) {
    Health::Probe none;
    health.failed(keys, reason, retry_after, call, now - ago, now, none);
  }
  void probe_fails(Health::Probe& probe, FailoverReason reason, CallId call = second,
                   std::optional<Clock::duration> retry_after = std::nullopt) {
    health.failed(keys, reason, retry_after, call, now, now, probe);
  }
  void succeeds(Clock::duration ago = 0s) {
    Health::Probe none;
    health.succeeded(keys, now - ago, none);
  }
  Health::Outlook look(CallId call = second) const { return health.look(keys.all(), call, now); }
  Health::Probe probe(CallId call = second, bool early = false) {
    return health.probe(keys.all(), call, now, lease, early);
  }
  Health::MarkReport only_mark() const {
    const auto marks = health.marks(now);
    REQUIRE(marks.size() == 1);
    return marks.front();
  }
  /// How long nobody may look, from now on.
  Clock::duration cooldown() const { return only_mark().cooldown; }

  Health health;
  HealthKeys keys = all_keys();
  Clock::time_point now = start;
};

}  // namespace

TEST_CASE("cooldown: the ladders") {
  class Row {
   public:
    CooldownLadder ladder;
    unsigned failed_probes;
    Clock::duration lasts;
  };
  using enum CooldownLadder;
  const Row rows[] = {
      {none, 0, 0s},     {none, 9, 0s},
      {limit, 0, 60s},   {limit, 1, 120s},
      {limit, 2, 240s},  {limit, 7, 7680s},
      {limit, 8, 4h},    {limit, 1'000'000, 4h},
      {stall, 0, 15s},   {stall, 1, 30s},
      {stall, 2, 60s},   {stall, 6, 960s},
      {stall, 7, 30min}, {stall, 1'000'000, 30min},
      {brief, 0, 15s},   {brief, 1, 15s},
      {brief, 4, 15s},   {brief, 5, 30s},
      {brief, 6, 60s},   {brief, 8, 240s},
      {brief, 9, 5min},  {brief, 1'000'000, 5min},
  };
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.ladder));
    CAPTURE(row.failed_probes);
    CHECK(cooldown(row.ladder, row.failed_probes) == row.lasts);
  }
}

TEST_CASE("a failure marks what its reason concerns, and that alone") {
  for (const auto& row : all_reasons()) {
    CAPTURE(row.name);
    Patient patient;
    patient.fails(row.reason);
    const auto marks = patient.health.marks(patient.now);
    if (row.concern == Concern::nothing) {
      CHECK(marks.empty());
      CHECK(patient.health.all_well());
      continue;
    }
    REQUIRE(marks.size() == 1);
    CHECK(marks[0].key == patient.keys[row.concern]);
    CHECK(marks[0].reason == row.reason);
    CHECK(marks[0].cooldown == cooldown(row.ladder, 0));
    CHECK(marks[0].dead == (row.reason == FailoverReason::auth_permanent));
    CHECK_FALSE(patient.health.all_well());
    CHECK(patient.look().standing == Standing::cooling);
    CHECK(patient.look().reason == row.reason);
  }
}

TEST_CASE("without a credential there is nothing to mark about it") {
  Patient patient;
  patient.keys = HealthKeys();
  patient.keys[Concern::member] = "member";
  patient.fails(FailoverReason::rate_limit);
  patient.fails(FailoverReason::billing);
  CHECK(patient.health.all_well());
}

TEST_CASE("marks under other names do not affect a member") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  HealthKeys other = all_keys();
  other[Concern::member] = "other member";
  CHECK(patient.health.look(other.all(), second, patient.now).standing == Standing::healthy);
  CHECK_FALSE(patient.health.probe(other.all(), second, patient.now, lease));
}

TEST_CASE("of several marks the worst counts") {
  Patient patient;
  patient.fails(FailoverReason::timeout);     // the member, 15 s
  patient.fails(FailoverReason::rate_limit);  // the credential for the model, 60 s
  CHECK(patient.look().reason == FailoverReason::rate_limit);
  CHECK(patient.look().until == start + 60s);
  patient.now += 20s;  // the stall is due for a probe, the limit is not
  CHECK(patient.look().standing == Standing::cooling);
  CHECK_FALSE(patient.probe());
  patient.now += 40s;
  CHECK(patient.look().standing == Standing::probe_due);
  CHECK(patient.probe());
}

TEST_CASE("the time that the provider named wins over the ladder") {
  Patient patient;
  SUBCASE("shorter") {
    patient.fails(FailoverReason::rate_limit, first, 0s, 5s);
    CHECK(patient.cooldown() == 5s);
  }
  SUBCASE("longer") {
    patient.fails(FailoverReason::rate_limit, first, 0s, 5min);
    CHECK(patient.cooldown() == 5min);
  }
  CHECK(patient.look().named);
  CHECK(patient.look().returns == patient.look().until);
}

TEST_CASE("a named time beyond five minutes is probed every five minutes, and counts 4 h at most") {
  class Row {
   public:
    Clock::duration named;
    Clock::duration counts;
  };
  for (const auto& row : {Row{5min + 1s, 5min + 1s}, Row{2h, 2h}, Row{4h, 4h}, Row{7 * 24h, 4h},
                          Row{Clock::duration::max(), 4h}}) {
    CAPTURE(row.named.count());
    Patient patient;
    patient.fails(FailoverReason::rate_limit, first, 0s, row.named);
    CHECK(patient.only_mark().named == row.counts);
    CHECK(patient.look().returns == start + row.counts);
    CHECK(patient.cooldown() == 5min);
    patient.now += 5min - 1ns;
    CHECK_FALSE(patient.probe(second));
    patient.now += 1ns;
    CHECK(patient.look().standing == Standing::probe_due);
    CHECK(patient.look().named);  // all the same
    CHECK(patient.probe(second));
  }
}

TEST_CASE(
    "a failed probe before the named time: five minutes to the next, and no longer cooldown after "
    "it") {
  Patient patient;
  patient.fails(FailoverReason::rate_limit, first, 0s, 12min);
  SUBCASE("it has lost its hedge") {
    for (const auto& [call, lasts] :
         {std::pair(second, Clock::duration(5min)), std::pair(third, Clock::duration(2min))}) {
      patient.now += 5min;
      auto probe = patient.probe(call);
      REQUIRE(probe);
      patient.health.probe_lost(probe, call, patient.now);
      CHECK(patient.cooldown() == lasts);  // the second ends with the named time
      CHECK(patient.only_mark().failed_probes == 0);
    }
    patient.now += 2min;
    auto probe = patient.probe(second);
    patient.probe_fails(probe, FailoverReason::rate_limit, second);
    CHECK(patient.only_mark().failed_probes == 1);  // now it counts
    CHECK(patient.cooldown() == 120s);
    CHECK(patient.only_mark().named == 0s);
  }
  SUBCASE("the provider names a shorter time, or a longer one") {
    patient.now += 5min;
    auto probe = patient.probe(second);
    patient.probe_fails(probe, FailoverReason::rate_limit, second, 30s);
    CHECK(patient.cooldown() == 30s);
    CHECK(patient.only_mark().named == 30s);
    patient.now += 30s;
    auto next = patient.probe(third);
    patient.probe_fails(next, FailoverReason::rate_limit, third, 1h);
    CHECK(patient.cooldown() == 5min);
    CHECK(patient.only_mark().named == 1h);
  }
  SUBCASE("its success ends the mark, whatever time was named") {
    patient.now += 5min;
    auto probe = patient.probe(second);
    patient.health.succeeded(patient.keys, patient.now, probe);
    CHECK(patient.health.all_well());
  }
}

TEST_CASE("of several marks the latest time of return counts") {
  Patient patient;
  patient.fails(FailoverReason::timeout);                     // the member, 15 s
  patient.fails(FailoverReason::rate_limit, first, 0s, 2h);   // the credential for the model
  patient.fails(FailoverReason::connection, first, 0s, 10s);  // the endpoint
  patient.now += 5min;
  CHECK(patient.look().standing == Standing::probe_due);
  CHECK(patient.look().named);
  CHECK(patient.look().returns == start + 2h);
}

TEST_CASE("a straggler lengthens a named time, and postpones no probe by that") {
  Patient patient;
  patient.fails(FailoverReason::rate_limit, first, 0s, 10min);
  patient.now += 4min;
  patient.fails(FailoverReason::rate_limit, second, 5min, 2h);
  CHECK(patient.only_mark().named == 2h);
  CHECK(patient.cooldown() == 5min);  // it has just failed
  patient.fails(FailoverReason::rate_limit, third, 5min, 1h);
  CHECK(patient.only_mark().named == 2h);
}

TEST_CASE("stragglers can lengthen a mark to a named time, and never shorten it") {
  Patient patient;
  patient.fails(FailoverReason::rate_limit, first, 0s, 30s);
  patient.now += 1s;
  patient.fails(FailoverReason::rate_limit, second, 2s, 10s);
  CHECK(patient.cooldown() == 29s);
  patient.fails(FailoverReason::rate_limit, second, 2s);  // and one that heard of no time
  CHECK(patient.cooldown() == 29s);
  patient.fails(FailoverReason::rate_limit, third, 2s, 40s);
  CHECK(patient.cooldown() == 40s);
  CHECK(patient.look(CallId{4}).named);
}

TEST_CASE("a thousand calls that fail together have seen one failure") {
  Patient patient;
  for (std::uint64_t call = 1; call <= 1000; ++call) {
    patient.fails(FailoverReason::timeout, CallId{call}, 180s);
    patient.now += 1ms;
  }
  CHECK(patient.only_mark().failed_probes == 0);
  CHECK(patient.cooldown() == 15s - 1000ms);
}

TEST_CASE("a straggler's reason does not replace that of the mark; a later failure's does") {
  Patient patient;
  patient.fails(FailoverReason::overloaded);
  patient.now += 5s;
  patient.fails(FailoverReason::server_error, second, 10s);
  CHECK(patient.only_mark().reason == FailoverReason::overloaded);
  patient.fails(FailoverReason::server_error, second, 1s);
  CHECK(patient.only_mark().reason == FailoverReason::server_error);
}

TEST_CASE("one probe at a time, once the cooldown is over") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s - 1ns;
  CHECK(patient.look().standing == Standing::cooling);
  CHECK_FALSE(patient.probe());
  patient.now += 1ns;
  CHECK(patient.look().standing == Standing::probe_due);
  auto probe = patient.probe();
  REQUIRE(probe);
  CHECK(patient.only_mark().probing);
  CHECK(patient.look(third).standing == Standing::cooling);
  CHECK(patient.look(third).until == patient.now + lease);
  CHECK_FALSE(patient.probe(third));
  CHECK_FALSE(patient.probe(third, true));

  SUBCASE("released: the next one may look, nothing is worse") {
    probe.release();
    CHECK_FALSE(probe);
    CHECK(patient.only_mark().failed_probes == 0);
    CHECK(patient.probe(third));
  }
  SUBCASE("dropped: the same") {
    {
      const auto dropped = std::move(probe);
    }
    CHECK_FALSE(patient.only_mark().probing);
    CHECK(patient.probe(third));
  }
  SUBCASE("another probe assigned to it releases it") {
    probe = Health::Probe();
    CHECK(patient.probe(third));
  }
  SUBCASE("its lease expires, and the late probe cannot touch the next one's") {
    patient.now += lease - 1ns;
    CHECK_FALSE(patient.probe(third));
    patient.now += 1ns;
    const auto next = patient.probe(third);
    REQUIRE(next);
    probe.release();
    CHECK(patient.only_mark().probing);
    CHECK_FALSE(patient.probe(CallId{4}));
  }
  SUBCASE("renewed: it lasts from then on") {
    patient.now += lease - 1s;
    patient.health.renew(probe, patient.now, lease);
    patient.now += lease - 1ns;
    CHECK_FALSE(patient.probe(third));
    patient.now += 1ns;
    CHECK(patient.probe(third));
  }
}

TEST_CASE("a failed probe doubles the cooldown") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  Clock::duration expected = 15s;
  for (unsigned failed = 1; failed <= 9; ++failed) {
    CAPTURE(failed);
    patient.now += expected;
    const CallId call{1 + failed};
    auto probe = patient.probe(call);
    REQUIRE(probe);
    patient.probe_fails(probe, FailoverReason::timeout, call);
    CHECK_FALSE(probe);
    expected = std::min<Clock::duration>(expected * 2, 30min);
    CHECK(patient.only_mark().failed_probes == failed);
    CHECK_FALSE(patient.only_mark().probing);
    CHECK(patient.cooldown() == expected);
  }
}

TEST_CASE("a failed probe's named time wins over its doubled cooldown, shorter or longer") {
  for (const auto named : {Clock::duration(4s), Clock::duration(4min)}) {
    Patient patient;
    patient.fails(FailoverReason::rate_limit);
    patient.now += 60s;
    auto probe = patient.probe();
    patient.probe_fails(probe, FailoverReason::rate_limit, second, named);
    CHECK(patient.cooldown() == named);
    CHECK(patient.look(third).named);
    CHECK(patient.only_mark().failed_probes == 1);
  }
}

TEST_CASE("a probe that fails for another reason: the old mark has failed, the new one is new") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  auto probe = patient.probe();
  patient.probe_fails(probe, FailoverReason::rate_limit);
  const auto marks = patient.health.marks(patient.now);
  REQUIRE(marks.size() == 2);
  CHECK(marks[0].key == patient.keys[Concern::credential_model]);
  CHECK(marks[0].cooldown == 60s);
  CHECK(marks[0].failed_probes == 0);
  CHECK(marks[1].key == patient.keys[Concern::member]);
  CHECK(marks[1].cooldown == 30s);
  CHECK(marks[1].failed_probes == 1);
  CHECK_FALSE(marks[1].probing);
}

TEST_CASE("a probe that fails by the request's own fault says nothing") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  auto probe = patient.probe();
  patient.probe_fails(probe, FailoverReason::context_overflow);
  CHECK_FALSE(probe);
  CHECK(patient.only_mark().failed_probes == 0);
  CHECK(patient.look().standing == Standing::probe_due);
}

TEST_CASE("an early probe that fails does not escalate") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 5s;
  auto probe = patient.probe(second, true);
  REQUIRE(probe);
  CHECK_FALSE(patient.probe(third, true));
  patient.now += 1s;
  SUBCASE("failed") { patient.probe_fails(probe, FailoverReason::timeout); }
  SUBCASE("lost its hedge") { patient.health.probe_lost(probe, second, patient.now); }
  CHECK(patient.only_mark().failed_probes == 0);
  CHECK(patient.cooldown() == 9s);
  CHECK(patient.look(third).standing == Standing::cooling);
  CHECK(patient.look(second).standing == Standing::healthy);  // its own mark now
}

TEST_CASE("a probe that loses its hedge without progress has failed") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  auto probe = patient.probe();
  patient.now += 2s;
  patient.health.probe_lost(probe, second, patient.now);
  CHECK_FALSE(probe);
  CHECK(patient.only_mark().failed_probes == 1);
  CHECK(patient.only_mark().reason == FailoverReason::timeout);
  CHECK(patient.cooldown() == 30s);
  CHECK_FALSE(patient.look(third).named);
}

TEST_CASE("a call's own marks do not keep it from its later members") {
  Patient patient;
  patient.fails(FailoverReason::connection, first);
  CHECK(patient.look(first).standing == Standing::healthy);
  CHECK(patient.look(second).standing == Standing::cooling);
  patient.now += 1h;
  CHECK_FALSE(patient.probe(first));  // nothing that it would have to look after
  CHECK(patient.probe(second));
}

TEST_CASE("success closes the marks of what it used, if it began after them") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.fails(FailoverReason::connection);
  patient.now += 10s;
  patient.succeeds(10s + 1ns);  // began before
  CHECK(patient.health.marks(patient.now).size() == 2);
  HealthKeys member_only;
  member_only[Concern::member] = "member";
  Health::Probe none;
  patient.health.succeeded(member_only, start, none);
  CHECK(patient.only_mark().key == "endpoint");
  patient.succeeds(5s);
  CHECK(patient.health.all_well());
  CHECK(patient.look().standing == Standing::healthy);
}

TEST_CASE(
    "a probe's success closes what it has leased, whatever it has seen, and frees the others") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.fails(FailoverReason::rate_limit);
  patient.now += 60s;
  auto probe = patient.probe();
  REQUIRE(probe);
  SUBCASE("both were used") {
    patient.health.succeeded(patient.keys, start - 1s, probe);
    CHECK(patient.health.all_well());
  }
  SUBCASE("another credential had taken over") {
    HealthKeys used = patient.keys;
    used[Concern::credential_model] = "other\nmodel";
    patient.health.succeeded(used, start - 1s, probe);
    CHECK(patient.only_mark().reason == FailoverReason::rate_limit);
    CHECK_FALSE(patient.only_mark().probing);
    CHECK(patient.only_mark().failed_probes == 0);
  }
  CHECK_FALSE(probe);
}

TEST_CASE("a dead mark is never probed, and no success of a straggler closes it") {
  Patient patient;
  patient.fails(FailoverReason::auth_permanent);
  patient.now += 365 * 24h;
  CHECK(patient.look().standing == Standing::cooling);
  CHECK(patient.look().dead);
  CHECK(patient.look().until == Clock::time_point::max());
  CHECK_FALSE(patient.probe());
  CHECK_FALSE(patient.probe(second, true));
  patient.succeeds();
  CHECK(patient.only_mark().dead);
  patient.fails(FailoverReason::auth, second);  // a milder one later revives nothing
  CHECK(patient.only_mark().dead);
}

TEST_CASE("another credential under that key: its marks are gone, others' stay") {
  Patient patient;
  patient.fails(FailoverReason::auth_permanent);
  patient.fails(FailoverReason::rate_limit);
  patient.fails(FailoverReason::timeout);
  HealthKeys neighbour;
  neighbour[Concern::credential] = "credential2";
  Health::Probe none;
  patient.health.failed(neighbour, FailoverReason::billing, std::nullopt, first, start, start,
                        none);
  CHECK(patient.health.marks(patient.now).size() == 4);
  patient.health.credential_changed("credential");
  const auto marks = patient.health.marks(patient.now);
  REQUIRE(marks.size() == 2);
  CHECK(marks[0].key == "credential2");
  CHECK(marks[1].key == "member");
}

TEST_CASE("a mark that is closed while its probe is under way") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  auto probe = patient.probe();
  patient.succeeds();  // of an attempt that was no probe
  CHECK(patient.health.marks(patient.now).empty());
  CHECK(patient.look(third).standing == Standing::healthy);
  // There is nothing to lease, and the member is marked anew: still one probe at a time.
  CHECK_FALSE(patient.probe(third));
  SUBCASE("its probe ends: nothing is left") {
    probe.release();
    CHECK(patient.health.all_well());
  }
  SUBCASE("its probe succeeds: nothing is left") {
    patient.health.succeeded(patient.keys, patient.now, probe);
    CHECK(patient.health.all_well());
  }
  SUBCASE("marked anew while it is under way: the old probe neither escalates nor is joined") {
    patient.now += 1s;
    patient.fails(FailoverReason::timeout, third);
    CHECK(patient.cooldown() == 15s);
    CHECK(patient.only_mark().probing);
    CHECK_FALSE(patient.probe(CallId{4}, true));
    patient.now += 1s;
    patient.health.probe_lost(probe, second, patient.now);
    CHECK(patient.only_mark().failed_probes == 0);
    CHECK(patient.cooldown() == 14s);
    CHECK_FALSE(patient.only_mark().probing);
  }
  SUBCASE("its probe fails: that is a failure of now") {
    patient.now += 1s;
    patient.probe_fails(probe, FailoverReason::timeout);
    CHECK(patient.cooldown() == 15s);
    CHECK(patient.only_mark().failed_probes == 0);
  }
}

TEST_CASE("many threads ask: one of them gets the probe") {
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  std::vector<std::future<Health::Probe>> asked;
  for (std::uint64_t i = 0; i < 8; ++i) {
    asked.push_back(
        std::async(std::launch::async, [&patient, i] { return patient.probe(CallId{10 + i}); }));
  }
  std::vector<Health::Probe> probes;
  for (auto& one : asked) {
    probes.push_back(one.get());
  }
  CHECK(std::count_if(probes.begin(), probes.end(), [](const auto& p) { return bool(p); }) == 1);
}

TEST_CASE("a call that waits for a verdict is woken by each end of a probe") {
  VirtualTime time;
  asio::io_context context;
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  auto probe = patient.probe();
  const auto seen = patient.health.notice().version();
  std::vector<Clock::duration> woken;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          if (co_await patient.health.notice().wait(seen, Clock::now() + 1h)) {
            woken.push_back(time.elapsed());
          }
        },
        asio::detached);
  }
  time.run_for(context, 7s);
  CHECK(woken.empty());
  SUBCASE("released") { probe.release(); }
  SUBCASE("succeeded") { patient.health.succeeded(patient.keys, patient.now, probe); }
  SUBCASE("failed") { patient.probe_fails(probe, FailoverReason::timeout); }
  SUBCASE("lost") { patient.health.probe_lost(probe, second, patient.now); }
  SUBCASE("the credential changed") { patient.health.credential_changed("credential"); }
  time.run(context);
  CHECK(woken == std::vector<Clock::duration>(3, 7s));
  // What has changed before the wait ends it at once.
  CHECK(time.run(context, patient.health.notice().wait(seen, Clock::now() + 1h)));
  CHECK(time.elapsed() == 7s);
}

TEST_CASE("nothing has changed: the wait ends at its time") {
  VirtualTime time;
  asio::io_context context;
  Health health;
  CHECK_FALSE(
      time.run(context, health.notice().wait(health.notice().version(), Clock::now() + 3s)));
  CHECK(time.elapsed() == 3s);
}

TEST_CASE("a verdict on another thread wakes the waiters on this one") {
  asio::io_context context;
  Patient patient;
  patient.fails(FailoverReason::timeout);
  patient.now += 15s;
  auto probe = patient.probe();
  const auto seen = patient.health.notice().version();
  const auto here = std::this_thread::get_id();
  std::optional<bool> changed;
  std::promise<void> waiting;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        waiting.set_value();
        const bool woken = co_await patient.health.notice().wait(seen, Clock::time_point::max());
        CHECK(std::this_thread::get_id() == here);
        changed = woken;
      },
      asio::detached);
  std::thread other([&] {
    waiting.get_future().wait();
    patient.health.succeeded(patient.keys, patient.now, probe);
  });
  context.run();  // ends by the wake-up alone: no time was set
  other.join();
  CHECK(changed == true);
  CHECK(patient.health.all_well());
}
