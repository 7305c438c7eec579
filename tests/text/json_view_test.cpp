#include "understudy/text/json_view.hpp"

#include <doctest/doctest.h>

#include <string>

#include "../growth.hpp"

using namespace understudy;
using Kind = JsonView::Kind;

TEST_CASE("an object is read member by member, strings without escapes, numbers as written") {
  const JsonDocument document(
      R"( { "a b" : "x\n\u00e9", "n": 12345678901234567890.50, "t": true, "f": false, "z": null,
           "list": [1, [2], {"k": "v"}] } )");
  const auto root = document.root();
  REQUIRE(root);
  CHECK(root->kind() == Kind::object);
  const auto members = root->members();
  REQUIRE(members.size() == 6);
  CHECK(members[0].first == "a b");
  CHECK(members[0].second.string() == "x\n\xC3\xA9");
  CHECK(members[1].second.kind() == Kind::number);
  CHECK(members[1].second.text() == "12345678901234567890.50");
  CHECK(members[2].second.text() == "true");
  CHECK(members[3].second.kind() == Kind::boolean);
  CHECK(members[4].second.kind() == Kind::null);
  const auto list = members[5].second.elements();
  REQUIRE(list.size() == 3);
  CHECK(list[1].elements().front().text() == "2");
  CHECK(list[2].members().front().second.string() == "v");
  CHECK(members[5].second.members().empty());
  CHECK(root->elements().empty());
}

TEST_CASE(
    "of members with the same name the last one counts, also if one is written with escapes") {
  const JsonDocument document(R"({"a": 1, "b": 2, "\u0061": 3})");
  const auto members = document.root().value().members();
  REQUIRE(members.size() == 2);
  CHECK(members[0].first == "a");
  CHECK(members[0].second.text() == "3");
}

TEST_CASE("what is not one JSON object has no root") {
  std::string deep;
  for (int i = 0; i < 200; ++i) {
    deep += R"({"a":)";
  }
  deep += "1" + std::string(200, '}');
  for (const auto& text : {std::string(), std::string("[1]"), std::string("{} {}"),
                           std::string(R"({"a":})"), std::string(R"({"a":1)"), deep}) {
    CAPTURE(text);
    CHECK_FALSE(JsonDocument(text).root());
  }
}

TEST_CASE("the cost of reading a large object grows with its size") {
  const auto found = growth::of(
      [](std::size_t bytes) {
        std::string text = "{";
        for (int i = 0; text.size() < bytes; ++i) {
          text += "\"key" + std::to_string(i) + "\":[" + std::to_string(i) + "],";
        }
        text += "\"end\":1}";
        return [text] {
          const JsonDocument document(text);
          for (const auto& [name, value] : document.root().value().members()) {
            REQUIRE(value.elements().size() <= 1);
          }
        };
      },
      256 * 1024);
  CHECK_MESSAGE(found.ratio() <= growth::linear, found);
}
