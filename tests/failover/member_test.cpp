#include "understudy/failover/member.hpp"

#include <doctest/doctest.h>

#include "understudy/failover/credential_pool.hpp"

using namespace understudy;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<CredentialPool> keys(std::string_view secret) {
  return std::make_shared<CredentialPool>("anthropic",
                                          std::vector{Credential("work", Secret(secret))});
}

}  // namespace

TEST_CASE("what a member says of itself") {
  const auto pool = keys("key-1");
  const auto member = Member("anthropic", "claude-opus-4-7")
                          .with_credentials(pool)
                          .with_context_window(200'000)
                          .with_stall(StallSettings().with_stale(120s))
                          .with_reasoning_floor(600s)
                          .with_base_url("http://a.test");
  CHECK(member.provider() == "anthropic");
  CHECK(member.model() == "claude-opus-4-7");
  CHECK(member.name() == "anthropic/claude-opus-4-7");
  CHECK(member.base_url() == "http://a.test");
  CHECK(member.credentials() == pool);
  CHECK(member.context_window() == 200'000);
  CHECK(member.stall().stale == 120s);
  CHECK(member.reasoning_floor() == 600s);
  const Member plain("anthropic", "claude-opus-4-7");
  CHECK(plain.base_url().empty());
  CHECK(plain.credentials() == nullptr);
  CHECK_FALSE(plain.context_window());
}

TEST_CASE("a copy does not change with what it was copied from") {
  Member member("anthropic", "claude-opus-4-7");
  const Member copy = member;
  member.with_base_url("http://a.test").with_context_window(1000);
  CHECK(copy.base_url().empty());
  CHECK(copy.key() == "claude-opus-4-7@anthropic");
  CHECK_FALSE(copy.context_window());
  CHECK(member.key() == "claude-opus-4-7@http://a.test");
}

TEST_CASE("the same member: model, endpoint and credentials, whatever the provider is called") {
  const auto pool = keys("key-1");
  const auto member =
      Member("anthropic", "opus").with_base_url("http://a.test").with_credentials(pool);
  class Row {
   public:
    const char* what;
    Member other;
    bool same;
  };
  const Row rows[] = {
      {"a copy", member, true},
      {"another name for the same backend",
       Member("my-proxy", "opus").with_base_url("http://a.test").with_credentials(pool), true},
      {"more known of it", Member(member).with_context_window(1), true},
      {"another model",
       Member("anthropic", "haiku").with_base_url("http://a.test").with_credentials(pool), false},
      {"another endpoint",
       Member("anthropic", "opus").with_base_url("http://b.test").with_credentials(pool), false},
      {"the provider's own endpoint", Member("anthropic", "opus").with_credentials(pool), false},
      {"another pool", Member(member).with_credentials(keys("key-2")), false},
      {"no credentials", Member("anthropic", "opus").with_base_url("http://a.test"), false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(member.same_as(row.other) == row.same);
    CHECK(row.other.same_as(member) == row.same);
    CHECK((member.key() != row.other.key() || member.key_hash() == row.other.key_hash()));
  }
}

TEST_CASE("without a base URL the provider's name stands for the endpoint") {
  CHECK(Member("anthropic", "opus").endpoint() == "anthropic");
  CHECK(Member("anthropic", "opus").with_base_url("http://a.test").endpoint() == "http://a.test");
  CHECK_FALSE(Member("anthropic", "opus").same_as(Member("openrouter", "opus")));
}
