#include "understudy/failover/state.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("one record for a member, at a place that stays") {
  State state;
  const Member member("anthropic", "claude-opus-4-7");
  auto& record = state.record(member);
  for (int i = 0; i < 1000; ++i) {
    state.record(Member("anthropic", "model-" + std::to_string(i)));
  }
  CHECK(&state.record(member) == &record);
  CHECK(&state.record(Member("anthropic", "claude-opus-4-7")) == &record);
  CHECK(&state.record(Member("anthropic", "claude-haiku-4-5")) != &record);
  CHECK(&state.record(Member("anthropic", "claude-opus-4-7").with_base_url("http://a.test")) !=
        &record);
}

TEST_CASE("members of a provider share its retry budget, other providers have their own") {
  State state(BudgetSettings(0, 1));
  auto& opus = state.record(Member("anthropic", "claude-opus-4-7"));
  auto& haiku = state.record(Member("anthropic", "claude-haiku-4-5"));
  auto& other = state.record(Member("openai", "gpt-5.5"));
  CHECK(opus.budget().withdraw());
  CHECK_FALSE(haiku.budget().withdraw());
  CHECK(other.budget().withdraw());
}

TEST_CASE("what is usual: the first sample, then a quarter of each") {
  State state;
  auto& record = state.record(Member("anthropic", "claude-opus-4-7"));
  CHECK(record.usual_first_progress() == 0s);
  record.note_first_progress(4s);
  CHECK(record.usual_first_progress() == 4s);
  record.note_first_progress(8s);
  CHECK(record.usual_first_progress() == 5s);
  record.note_first_progress(1s);
  CHECK(record.usual_first_progress() == 4s);
  for (int i = 0; i < 50; ++i) {
    record.note_first_progress(200ms);
  }
  CHECK(record.usual_first_progress() >= 200ms);
  CHECK(record.usual_first_progress() < 201ms);
}

TEST_CASE("random numbers: in [0, 1), spread, and the same for the same seed") {
  State one(BudgetSettings(), 7);
  State same(BudgetSettings(), 7);
  State other(BudgetSettings(), 8);
  std::array<int, 10> seen{};
  int equal_to_other = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto number = one.random();
    REQUIRE(number >= 0.0);
    REQUIRE(number < 1.0);
    REQUIRE(number == same.random());
    equal_to_other += number == other.random() ? 1 : 0;
    ++seen[static_cast<std::size_t>(number * 10)];
  }
  CHECK(equal_to_other < 10);
  for (const auto count : seen) {
    CHECK(count > 800);
    CHECK(count < 1200);
  }
}

TEST_CASE("each call has its own id, and none has the empty id") {
  State state;
  std::set<CallId> ids;
  for (int i = 0; i < 100; ++i) {
    ids.insert(state.next_call());
  }
  CHECK(ids.size() == 100);
  CHECK(ids.count(CallId{}) == 0);
}

TEST_CASE("threads that meet a new member at once share its record") {
  State state;
  std::vector<MemberRecord*> found(4);
  std::vector<std::thread> threads;
  for (auto& place : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        place = &state.record(Member("anthropic", "model-" + std::to_string(i)));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (const auto* record : found) {
    CHECK(record == found[0]);
  }
}
