#include "text/unescaped.hpp"

#include <doctest/doctest.h>

using namespace understudy::text;

namespace {

struct EscapeCase {
  const char* written;
  const char* meant;
};

const std::vector<EscapeCase>& escape_cases() {
  static const std::vector<EscapeCase> all{
      {"", ""},
      {"plain, 100 % & C:\\dir", "plain, 100 % & C:\\dir"},
      {"%73%6b%2D1", "sk-1"},
      {"%7", ""},
      {"%", ""},
      {"%7g %zz", "%7g %zz"},
      {"&amp;&lt;&gt;&quot;&apos;", "&<>\"'"},
      {"&#115;&#0107;&#45;", "sk-"},
      {"&#x73;&#X6B;&#x2d;", "sk-"},
      {"&#115 &#115x", "s sx"},
      {"&nbsp;&#; &#x; &#300; &#99999999;", "&nbsp;&#; &#x; &#300; &#99999999;"},
      {"a&am", "a"},
      {"a&#11", "a"},
      {"a&", "a"},
      {"\\/\\\"\\\\\\'", "/\"\\'"},
      {"\\u0073\\u006B\\u002d", "sk-"},
      {"\\x73\\x6b", "sk"},
      {"\\u00e4\\ud83d\\n", "\\u00e4\\ud83d\\n"},
      {"a\\u007", "a"},
      {"a\\", "a"},
      {"%2573", "%73"},
      {"&amp;#115;", "&#115;"},
  };
  return all;
}

}  // namespace

TEST_CASE("escapes of URLs, HTML, JSON and C") {
  for (const auto& one : escape_cases()) {
    CAPTURE(one.written);
    CHECK(unescaped(one.written).bytes == one.meant);
  }
}

TEST_CASE("each byte has its place, one behind the other") {
  const std::string text = "a%2Fb&amp;c\\u002fd\\/e&#47;";
  const auto plain = unescaped(text);
  CHECK(plain.bytes == "a/b&c/d/e/");
  REQUIRE(plain.places.size() == plain.bytes.size());
  std::size_t at = 0;
  for (const auto& place : plain.places) {
    CHECK(place.begin == at);
    CHECK(place.end > place.begin);
    at = place.end;
  }
  CHECK(at == text.size());
  CHECK(text.substr(plain.places[3].begin, plain.places[3].end - plain.places[3].begin) == "&amp;");
}
