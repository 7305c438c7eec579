#include "text/json_valid.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <random>
#include <string>

using understudy::json::is_valid;

TEST_CASE("what the grammar has is valid") {
  for (const char* const text :
       {"{}", "[]", " {\"a\" : [1, -0.5e+10, true, false, null, \"x\"]} \n", "0", "-1", "1.5E3",
        "\"\\u00e9\\n\\\"\"", "123456789012345678901234567890", "[[[]]]", "{\"a\":{}}",
        "\"0123456789abcdefghijklmnopqrstuvwxyz\"", "\"\xC3\xA9\xFF\""}) {
    CAPTURE(text);
    CHECK(is_valid(text));
  }
}

TEST_CASE("what it does not have is not") {
  for (const char* const text : {"",
                                 " ",
                                 "{",
                                 "[",
                                 "{]",
                                 "[}",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "[1,]",
                                 "[1 2]",
                                 "[,1]",
                                 "01",
                                 "1.",
                                 ".5",
                                 "-",
                                 "1e",
                                 "+1",
                                 "tru",
                                 "nul",
                                 "truex",
                                 "\"a",
                                 "\"\\x\"",
                                 "\"\\u12g4\"",
                                 "\"\\u123",
                                 "\"a\nb\"",
                                 "{a:1}",
                                 "{} {}",
                                 "{}}",
                                 "{\"a\" 1}",
                                 "{\"a\":1 \"b\":2}",
                                 "'a'",
                                 "\"0123456789abcdef\x01ghij\""}) {
    CAPTURE(text);
    CHECK_FALSE(is_valid(text));
  }
}

TEST_CASE("a mutated document is judged as another parser judges it") {
  const std::string document =
      R"({"id":"c-1","n":[1,2.5,-3e2],"t":{"x":"rm -rf /scratch","y":null,"z":true},"e":"\u00e9\n"})";
  std::mt19937 random(7);
  simdjson::dom::parser parser;
  constexpr std::string_view bytes = "{}[]\",:0123456789eE+-.\\ntfux \x01";
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto text = document;
    const auto at = random() % text.size();
    switch (random() % 3) {
      case 0: text[at] = bytes[random() % bytes.size()]; break;
      case 1: text.erase(at, 1 + random() % 3); break;
      default: text.insert(at, 1, bytes[random() % bytes.size()]); break;
    }
    const bool theirs = parser.parse(text).error() == simdjson::SUCCESS;
    CAPTURE(text);
    REQUIRE(is_valid(text) == theirs);
    refused += theirs ? 0 : 1;
  }
  CHECK(refused > 5000);
}

TEST_CASE("depth is bounded") {
  CHECK(is_valid(std::string(1024, '[') + std::string(1024, ']')));
  CHECK_FALSE(is_valid(std::string(1026, '[') + std::string(1026, ']')));
}
