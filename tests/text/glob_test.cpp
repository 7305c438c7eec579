#include "../../lib/text/glob.hpp"

#include <doctest/doctest.h>

#include <string>

#include "../growth.hpp"

using understudy::text::is_glob;
using understudy::text::matches_glob;

TEST_CASE("a star stands for any text") {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  for (const auto& row : {
           Row{"claude-haiku-*", "claude-haiku-4-5", true},
           Row{"claude-haiku-*", "claude-haiku-", true},
           Row{"claude-haiku-*", "claude-haiku", false},
           Row{"*-mini", "gpt-5-mini", true},
           Row{"*-mini", "gpt-5-mini-2", false},
           Row{"*", "", true},
           Row{"*", "anything", true},
           Row{"a*b*c", "a-b-b-c", true},
           Row{"a*b*c", "a-c-b", false},
           Row{"a**c", "abc", true},
           Row{"abc", "abc", true},
           Row{"abc", "ABC", false},
           Row{"", "", true},
           Row{"", "a", false},
       }) {
    CAPTURE(row.pattern);
    CAPTURE(row.name);
    CHECK(matches_glob(row.pattern, row.name) == row.matches);
  }
  CHECK(is_glob("a*"));
  CHECK_FALSE(is_glob("a"));
}

TEST_CASE("a long name costs what its length says") {
  const auto found = growth::of(
      [](std::size_t bytes) {
        return [name = std::string(bytes, 'a')] { CHECK_FALSE(matches_glob("*a*ab", name)); };
      },
      std::size_t{1} << 20U);
  CHECK_MESSAGE(found.ratio() <= growth::linear, found);
}
