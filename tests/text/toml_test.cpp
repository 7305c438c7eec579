#include "text/toml.hpp"

#include <doctest/doctest.h>

using namespace understudy::text;

namespace {

TomlNode::Table table_of(std::string_view text) {
  auto parsed = parse_toml(text);
  REQUIRE(std::holds_alternative<TomlNode>(parsed));
  return std::get<TomlNode::Table>(std::get<TomlNode>(parsed).value);
}

SourceError error_of(std::string_view text) {
  auto parsed = parse_toml(text);
  REQUIRE(std::holds_alternative<SourceError>(parsed));
  return std::get<SourceError>(parsed);
}

}  // namespace

TEST_CASE("a tree of values, with their places, in the order of the file") {
  const auto root = table_of(
      "z = true\na = -3\n[t]\n\"x y\" = 1.5\nlist = ['s', {k = \"ä\", l = 1}]\nday = 1979-05-27\n");
  REQUIRE(root.size() == 3);
  CHECK(root[0].key == "z");
  CHECK(root[0].place == SourcePlace(1, 1));
  CHECK(root[0].node.place == SourcePlace(1, 5));
  CHECK(std::get<bool>(root[0].node.value));
  CHECK(std::get<std::int64_t>(root[1].node.value) == -3);
  const auto& t = std::get<TomlNode::Table>(root[2].node.value);
  REQUIRE(t.size() == 3);
  CHECK(t[0].key == "x y");
  CHECK(std::get<double>(t[0].node.value) == 1.5);
  const auto& list = std::get<TomlNode::List>(t[1].node.value);
  CHECK(std::get<std::string>(list.at(0).value) == "s");
  const auto& inner = std::get<TomlNode::Table>(list.at(1).value);
  CHECK(std::get<std::string>(inner.at(0).node.value) == "ä");
  CHECK(inner.at(1).place == SourcePlace(5, 24));  // columns count characters
  CHECK(std::holds_alternative<TomlNode::Other>(t[2].node.value));
  CHECK(table_of("").empty());
}

TEST_CASE("the first error of syntax, which quotes nothing of the text") {
  const auto error = error_of("a = 1\nkey = do-not-print-me\n");
  CHECK(error.place.line == 2);
  CHECK(error.what == "syntax error in a value");
  CHECK((error.what + error.suggestion).find("do-not-print-me") == std::string::npos);
  CHECK(error_of("a = 1\na = 2\n").what == "defined twice");
  CHECK(error_of("[a\n").what == "syntax error in a section header");
  CHECK(error_of("a = 1 = 2\n").what == "syntax error in a value");
  CHECK(error_of("a = \"\xff\"\n").what == "not UTF-8");
}

TEST_CASE("depth and number of entries are bounded") {
  CHECK(error_of("a = " + std::string(500'000, '[')).what == "nested too deeply");
  std::string dots = "a";
  std::string lines;
  for (int i = 0; i < 1001; ++i) {
    dots += ".a";
    lines += "k" + std::to_string(i) + " = 1\n";
  }
  CHECK(error_of(dots + " = 1").what == "nested too deeply");
  CHECK(error_of(lines).what == "more than 1000 entries");
}
