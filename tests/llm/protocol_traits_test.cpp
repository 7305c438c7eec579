#include "understudy/llm/protocol_traits.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "stream_fixtures.hpp"
#include "understudy/llm/codec.hpp"

namespace protocol_traits_test {

using namespace understudy;
using namespace understudy::llm;

TEST_CASE("a row is its enumerator's, and its codec speaks its protocol") {
  for (const auto protocol : protocols) {
    const auto& traits = traits_of(protocol);
    CAPTURE(traits.name);
    CHECK(traits.protocol == protocol);
    CHECK(traits.codec.protocol() == protocol);
    CHECK(protocol_from(traits.name) == protocol);
    CHECK(&codec_for(protocol) == &traits.codec);
  }
  CHECK(!protocol_from("Anthropic_Messages"));
  CHECK(!protocol_from(""));
}

TEST_CASE("what tells protocols apart is different in every row") {
  std::set<std::string_view> names;
  std::set<std::string_view> paths;
  std::set<std::string_view> prefixes;
  for (const auto protocol : protocols) {
    const auto& traits = traits_of(protocol);
    CAPTURE(traits.name);
    CHECK(names.insert(traits.name).second);
    CHECK(paths.insert(traits.path).second);
    CHECK(prefixes.insert(traits.answer_id_prefix).second);
    CHECK(traits.path.starts_with('/'));
    CHECK(traits.rules.longest_tool_id >= 9);
    CHECK((traits.overloaded_status == 503 || traits.overloaded_status == 529));
    for (const auto& member : traits.unserved) {
      CHECK(member.message.find(member.name) != std::string_view::npos);
      CHECK(!member.code.empty());
    }
  }
}

TEST_CASE("every protocol has recorded streams") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    CHECK(!stream_fixtures::fixtures_of(protocol).empty());
  }
}

}  // namespace protocol_traits_test
