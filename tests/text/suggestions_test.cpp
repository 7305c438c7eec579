#include "text/suggestions.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace understudy::text;

TEST_CASE("the nearest candidate, if one is near") {
  constexpr std::array<std::string_view, 3> keys{"model", "provider", "eager_on_timeout"};
  CHECK(nearest("model", keys) == "model");
  CHECK(nearest("modle", keys) == "model");
  CHECK(nearest("MODEL", keys) == "model");
  CHECK(nearest("eager-on-timeouts", keys) == "eager_on_timeout");
  CHECK(nearest("mdl", keys) == "");
  CHECK(nearest("zebra", keys) == "");
  CHECK(nearest("", keys) == "");
  CHECK(nearest(std::string(61, 'm'), keys) == "");
  CHECK(nearest("ab", std::array<std::string_view, 1>{"ba"}) == "ba");
}

TEST_CASE("what a message shows of a text is short and has no control characters") {
  CHECK(excerpt("stale") == "stale");
  CHECK(excerpt("a\x1b[31m\x7f") == "a?[31m?");
  CHECK(excerpt(std::string(60, 'x')) == std::string(60, 'x'));
  CHECK(excerpt(std::string(61, 'x')) == std::string(60, 'x') + "...");
  // Not in the middle of a character.
  CHECK(excerpt(std::string(59, 'x') + "\xc3\xa4") == std::string(59, 'x') + "...");
  CHECK(ticked("stale") == "`stale`");
  CHECK(in_quotes("180s") == "\"180s\"");
}

TEST_CASE("lists in words") {
  constexpr std::array<std::string_view, 3> words{"a", "b", "c"};
  CHECK(list_of(words) == "`a`, `b` or `c`");
  CHECK(list_of(words, "") == "a, b or c");
  CHECK(list_of(std::span(words).first(2)) == "`a` or `b`");
  CHECK(list_of(std::span(words).first(1)) == "`a`");
  CHECK(list_of({}) == "");
  CHECK(list_of_strings(words) == R"(`"a"`, `"b"` or `"c"`)");
}
