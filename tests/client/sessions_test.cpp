#include "understudy/client/sessions.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <random>

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;

namespace {

Request conversation(int turns = 1, const std::string& beginning = "Is it full?") {
  Request request("claude");
  request.messages.emplace_back(Role::user, beginning);
  for (int i = 1; i < turns; ++i) {
    request.messages.emplace_back(Role::assistant, "It is.");
    request.messages.emplace_back(Role::user, "And now?");
  }
  return request;
}

SessionIdentity identity(const std::string& session, const std::string& agent = "",
                         const std::string& caller = "") {
  SessionIdentity who;
  who.session = session;
  who.agent = agent;
  who.caller = caller;
  return who;
}

SessionKey key(int turns = 2, const SessionIdentity& client = identity("s")) {
  return SessionKey::of(conversation(turns), client, "");
}

const Member a("a", "m");
const Member b("b", "m");
const Member c("c", "m");

std::string order(const SessionAdvice& advice) {
  std::string names;
  for (const auto& member : advice.chain) {
    names += member.provider();
  }
  return names;
}

const Clock::time_point start{1h};

}  // namespace

TEST_CASE("a conversation is known by its session, agent, model, route, caller and beginning") {
  const auto same = key();
  CHECK(key(5).conversation == same.conversation);
  CHECK(key(5).session == same.session);
  CHECK_FALSE(key(2, identity("s", "sub-agent")).conversation == same.conversation);
  CHECK(key(2, identity("s", "sub-agent")).session == same.session);
  CHECK_FALSE(key(2, identity("t")).session == same.session);
  CHECK_FALSE(key(2, identity("s", "", "another key")).session == same.session);
  CHECK_FALSE(SessionKey::of(conversation(2), identity("s"), "route").session == same.session);
  // After a compaction it is another conversation in the same session.
  const auto compacted = SessionKey::of(conversation(2, "A summary."), identity("s"), "");
  CHECK_FALSE(compacted.conversation == same.conversation);
  CHECK(compacted.session == same.session);
  // Without an id the beginning is all that there is.
  CHECK(key(2, identity("")).session == key(9, identity("")).session);
  CHECK_FALSE(SessionKey::of(conversation(2, "x"), identity(""), "").session ==
              key(2, identity("")).session);
  CHECK_FALSE(key(1).begun);
  CHECK(key(2).begun);
  CHECK(same.conversation.text().size() == 32);
}

TEST_CASE("the pieces of a name do not run into each other") {
  CHECK_FALSE(key(2, identity("ab", "c")).conversation == key(2, identity("a", "bc")).conversation);
}

TEST_CASE("a conversation returns when the fallback's cache is cold, and no sooner") {
  Sessions sessions;
  sessions.served(key(), a, nullptr, {}, {}, start);
  sessions.served(key(), b, nullptr, {}, {}, start + 1h - 1s);
  const auto at = [&](Clock::duration after, ReturnWhen when = ReturnWhen::cold) {
    return sessions.advise(key(), {a, b, c}, when, start + 1h - 1s + after);
  };
  CHECK(order(at(1min)) == "bac");
  CHECK(at(1min).why.find("b/m") != std::string::npos);
  CHECK(order(at(4min + 59s)) == "bac");
  CHECK(order(at(5min)) == "abc");
  CHECK(at(5min).why.empty());
  CHECK(order(at(1min, ReturnWhen::at_once)) == "abc");
  CHECK(order(at(50min, ReturnWhen::next_session)) == "bac");
  CHECK(order(at(61min, ReturnWhen::next_session)) == "abc");  // it is forgotten
}

TEST_CASE("a conversation returns at once to a member whose own cache is still warm") {
  Sessions sessions;
  sessions.served(key(), a, nullptr, {}, {}, start);
  sessions.served(key(), b, nullptr, {}, {}, start + 1min);
  CHECK(order(sessions.advise(key(), {a, b}, ReturnWhen::cold, start + 2min)) == "ab");
  sessions.served(key(), b, nullptr, {}, {}, start + 4min);
  CHECK(order(sessions.advise(key(), {a, b}, ReturnWhen::cold, start + 5min)) == "ba");
}

TEST_CASE("the first question of a conversation goes to the first member") {
  Sessions sessions;
  sessions.served(key(1), b, nullptr, {}, {}, start);
  CHECK(order(sessions.advise(key(1), {a, b}, ReturnWhen::next_session, start)) == "ab");
  CHECK(order(sessions.advise(key(2), {a, b}, ReturnWhen::next_session, start)) == "ba");
}

TEST_CASE("a member that has left the chain is forgotten") {
  Sessions sessions;
  sessions.served(key(), c, nullptr, {}, {}, start);
  CHECK(order(sessions.advise(key(), {a, b}, ReturnWhen::next_session, start)) == "ab");
}

TEST_CASE("a session keeps its credential, also for sub-agents, and takes over another one") {
  const auto pool = std::make_shared<CredentialPool>(
      "a", std::vector{Credential("one", Secret("1")), Credential("two", Secret("2"))});
  Member member("a", "m");
  member.with_credentials(pool);
  Sessions sessions;
  auto used = pool->use(1);
  sessions.served(key(), member, &used, {}, {}, start);
  const auto first = [&](const SessionKey& of) {
    return sessions.advise(of, {member}, ReturnWhen::cold, start).chain[0].credential_first();
  };
  CHECK(first(key()) == 1);
  CHECK(first(key(1, identity("s", "sub-agent"))) == 1);
  CHECK_FALSE(first(key(1, identity("other"))));
  used = pool->use(0);
  sessions.served(key(), member, &used, {}, {}, start);
  CHECK(first(key()) == 0);
}

TEST_CASE("what had to be mended is mended at once in the next turn, for that member alone") {
  Sessions sessions;
  const ReasonSet mends{FailoverReason::thinking_signature};
  sessions.served(key(), a, nullptr, mends, {"drop:verbosity", "resume:tail"}, start);
  const auto advice = sessions.advise(key(), {a, b}, ReturnWhen::cold, start);
  REQUIRE(advice.chain[0].mends() != nullptr);
  CHECK(advice.chain[0].mends()->reasons == mends);
  CHECK(advice.chain[0].mends()->named == std::vector<std::string>{"drop:verbosity"});
  CHECK(advice.chain[1].mends() == nullptr);
  CHECK(a.mends() == nullptr);  // the chain's own member
  CHECK(sessions.advise(key(2, identity("t")), {a}, ReturnWhen::cold, start).chain[0].mends() ==
        nullptr);
}

TEST_CASE("100,000 conversations are remembered, the oldest are forgotten") {
  Sessions sessions;
  const auto numbered = [](std::uint64_t n) {
    SessionKey one;
    one.session = {n, n * 0x9E3779B97F4A7C15U};
    one.conversation = one.session;
    one.begun = true;
    return one;
  };
  for (std::uint64_t i = 0; i < Sessions::most + 1000; ++i) {
    sessions.served(numbered(i), b, nullptr, {}, {}, start + std::chrono::milliseconds(i));
  }
  CHECK(sessions.size() == Sessions::most);
  const auto later = start + 5min - 1s;
  CHECK(order(sessions.advise(numbered(0), {a, b}, ReturnWhen::next_session, later)) == "ab");
  CHECK(order(sessions.advise(numbered(5000), {a, b}, ReturnWhen::next_session, later)) == "ba");
  sessions.served(numbered(1), b, nullptr, {}, {}, start + 2h);
  CHECK(sessions.size() == 1);
}

TEST_CASE("a table finds what it should, whatever was forgotten in between") {
  understudy::detail::SessionTable<SessionHash, int> table(50, 1h);
  std::map<std::uint64_t, std::pair<int, Clock::time_point>> kept;
  std::mt19937_64 random(1);
  auto now = start;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::seconds(random() % 100);
    // Few slots, so that many hashes want the same.
    const SessionHash hash{random() % 120, random() % 7};
    const auto id = hash.high * 7 + hash.low;
    const auto known = kept.find(id);
    const bool fresh = known != kept.end() && now - known->second.second <= 1h;
    const auto* const found = table.find(hash, now);
    REQUIRE((found != nullptr) <= fresh);
    if (found != nullptr) {
      REQUIRE(*found == known->second.first);
    }
    if (random() % 3 > 0) {
      table.at(hash, now) = i;
      kept[id] = {i, now};
      REQUIRE(*table.find(hash, now) == i);
    }
    REQUIRE(table.size() <= 50);
  }
}
