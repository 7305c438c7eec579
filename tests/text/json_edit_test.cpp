#include "text/json_edit.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

using namespace understudy::text;

namespace {

std::string edited(std::string_view json, const JsonEdits& edits) {
  return edit_json(json, edits).value_or("not well-formed");
}

}  // namespace

TEST_CASE("without edits, and where there is nothing to edit, the bytes are kept") {
  const std::string json = " { \"a\" : 1.0e+2 , \"b\" : [ 1 ,\n2 ] , \"a\" : \"\\u0041\" } ";
  CHECK(edited(json, {}) == json);
  CHECK(edited(json,
               {JsonEdit::remove({"c"}), JsonEdit::remove({"b", 7}), JsonEdit::remove({"a", "x"}),
                JsonEdit::set({"c", "d"}, "1"), JsonEdit::rename({"b", 0}, "z")}) == json);
}

TEST_CASE("a value is set in its place, and a missing member at the end of its object") {
  CHECK(edited(R"({"a":1,"b":{"c":null}})",
               {JsonEdit::set({"a"}, "[2]"), JsonEdit::set({"b", "c"}, "3")}) ==
        R"({"a":[2],"b":{"c":3}})");
  CHECK(edited(R"({"a":{ }})", {JsonEdit::set({"a", "b"}, "1"), JsonEdit::set(
                                                                    {
                                                                        "z\"",
                                                                    },
                                                                    "2")}) ==
        R"({"a":{"b":1 },"z\"":2})");
  CHECK(edited("[1, 2, 3]", {JsonEdit::set({1}, "\"x\""), JsonEdit::set({3}, "4")}) ==
        "[1, \"x\", 3]");
  CHECK(edited(R"({"a":1,"a":2})", {JsonEdit::set({"a"}, "0")}) == R"({"a":0,"a":0})");
}

TEST_CASE("what is removed goes with one comma") {
  const std::string json = R"({ "a": 1, "b": 2, "c": 3 })";
  CHECK(edited(json, {JsonEdit::remove({"a"})}) == R"({ "b": 2, "c": 3 })");
  CHECK(edited(json, {JsonEdit::remove({"b"})}) == R"({ "a": 1, "c": 3 })");
  CHECK(edited(json, {JsonEdit::remove({"c"})}) == R"({ "a": 1, "b": 2 })");
  CHECK(edited(json, {JsonEdit::remove({"b"}), JsonEdit::remove({"c"})}) == R"({ "a": 1 })");
  CHECK(edited(json, {JsonEdit::remove({"a"}), JsonEdit::remove({"c"})}) == R"({ "b": 2 })");
  CHECK(edited(json, {JsonEdit::remove({"a"}), JsonEdit::remove({"b"}), JsonEdit::remove({"c"})}) ==
        R"({ })");
  CHECK(edited(json, {JsonEdit::remove({"c"}), JsonEdit::set({"d"}, "4")}) ==
        R"({ "a": 1, "b": 2,"d":4 })");
  CHECK(edited("[[1],[2],[3]]", {JsonEdit::remove({0}), JsonEdit::remove({2, 0})}) == "[[2],[]]");
}

TEST_CASE("elements are added at the end of an array") {
  const std::string json = R"({"m":[ 1, {"a":2} ],"e":[ ]})";
  CHECK(edited(json, {JsonEdit::append({"m"}, "3"), JsonEdit::append({"m"}, "4")}) ==
        R"({"m":[ 1, {"a":2},3,4 ],"e":[ ]})");
  CHECK(edited(json, {JsonEdit::append({"e"}, "1")}) == R"({"m":[ 1, {"a":2} ],"e":[1 ]})");
  CHECK(edited(json, {JsonEdit::set({"m", 1, "a"}, "0"), JsonEdit::append({"m"}, "3")}) ==
        R"({"m":[ 1, {"a":0},3 ],"e":[ ]})");
  CHECK(edited(json, {JsonEdit::remove({"m", 1}), JsonEdit::append({"m"}, "3")}) ==
        R"({"m":[ 1,3 ],"e":[ ]})");
  CHECK(edited(json, {JsonEdit::remove({"m", 0}), JsonEdit::remove({"m", 1}),
                      JsonEdit::append({"m"}, "3")}) == R"({"m":[3 ],"e":[ ]})");
  CHECK(edited(json, {JsonEdit::append({"z"}, "3"), JsonEdit::append({"m", 1}, "3")}) == json);
}

TEST_CASE("a member is renamed, and edited below its old name") {
  CHECK(edited(R"({"max_tokens" : {"x":1}})", {JsonEdit::rename({"max_tokens"}, "max \"new\""),
                                               JsonEdit::set({"max_tokens", "x"}, "2")}) ==
        R"({"max \"new\"" : {"x":2}})");
}

TEST_CASE("names are compared by what they say, not by how they are spelled") {
  CHECK(edited(R"({"\u0061":1})", {JsonEdit::set({"a"}, "2")}) == R"({"\u0061":2})");
  CHECK(json_at(R"({"x":{"\u0061":[7, {"b":null}]}})", {"x", "a", 1, "b"}) == "null");
  CHECK(json_at(R"({"a":1})", {"a", "b"}).empty());
  CHECK(json_at(R"({"a":[ ]})", {"a", 0}).empty());
}

TEST_CASE("brackets, commas and quotes inside of strings are text") {
  CHECK(edited(R"({"a":"}],\"{","b":1})", {JsonEdit::set({"b"}, "2")}) ==
        R"({"a":"}],\"{","b":2})");
}

TEST_CASE("what is not well-formed on the way gives nothing") {
  for (const std::string_view json :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}", "{a:1}",
        "{\"a\":[1}", "{\"a\":\"x", "{\"a\":}"}) {
    CAPTURE(json);
    CHECK_FALSE(edit_json(json, {JsonEdit::set({"b"}, "1")}));
  }
}

TEST_CASE("many edits of a large body take linear time") {
  const auto edit = [](std::size_t count) {
    std::string json = "{\"messages\":[";
    JsonEdits edits;
    for (std::size_t i = 0; i < count; ++i) {
      json += (i == 0 ? "" : ",") + std::string(R"({"id":"x","content":"text"})");
      edits.push_back(JsonEdit::remove({"messages", i, "id"}));
    }
    json += "]}";
    const auto begin = std::chrono::steady_clock::now();
    const auto out = edit_json(json, edits);
    REQUIRE(out);
    CHECK(out->size() == json.size() - count * std::string_view(R"("id":"x",)").size());
    return std::chrono::steady_clock::now() - begin;
  };
  const auto few = edit(2'000);
  CHECK(edit(20'000) < 60 * few + std::chrono::milliseconds(100));
}

TEST_CASE("the elements of an array, as they are written") {
  using understudy::text::json_elements;
  using Texts = std::vector<std::string_view>;
  CHECK(json_elements(R"( [1, {"a":[2]} ,"x"])", 9) == Texts{"1", R"({"a":[2]})", R"("x")"});
  CHECK(json_elements("[1,2,3]", 2) == Texts{"1", "2"});
  for (const char* const none : {"", "[]", "{}", "1", "[", "[,"}) {
    CAPTURE(none);
    CHECK(json_elements(none, 9).empty());
  }
}
