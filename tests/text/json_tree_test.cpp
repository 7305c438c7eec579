#include "../../lib/text/json_tree.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace understudy;
using json::Tree;

namespace {

/// An event's text in compact form, or why it is malformed.
std::string compact(std::string_view text) {
  text::Arena arena;
  std::string out = "kept ";
  const char* const why = json::append_compact(json::padded_copy(text, arena), arena, out);
  if (why != nullptr) {
    CHECK(out == "kept ");
    return why;
  }
  return out.substr(5);
}

std::string written(const Tree& tree) {
  std::string out;
  tree.write(out);
  CHECK(out.size() == tree.length());
  return out;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("compact: without white space, numbers and escapes as they were written") {
  CHECK(
      compact("{ \"a\" : [ 1.50 , -0 , 1e+2 , 12345678901234567890123 ] ,\t\"b\\u00e9\" : { } }") ==
      R"({"a":[1.50,-0,1e+2,12345678901234567890123],"b\u00e9":{}})");
  CHECK(compact(R"({"a":"x\"\\\ud83c","b":null,"c":true,"d":false})") ==
        R"({"a":"x\"\\\ud83c","b":null,"c":true,"d":false})");
  CHECK(compact(R"({"a":[NaN, Infinity, -Infinity]})") == R"({"a":[null,null,null]})");
  CHECK(compact("{\"a\":\"\xFF\"}") == "{\"a\":\"\xEF\xBF\xBD\"}");
  CHECK(compact("{\"a\":" + nested(100) + "}") == "{\"a\":" + nested(100) + "}");
}

TEST_CASE("compact: anything else is malformed, wherever it stands") {
  for (const std::string text : {"",
                                 "1",
                                 "[1]",
                                 "{\"a\":}",
                                 "{\"a\" 1}",
                                 "{\"a\":1",
                                 "{\"a\":01}",
                                 "{\"a\":1.}",
                                 "{\"a\":.5}",
                                 "{\"a\":+1}",
                                 "{\"a\":1e}",
                                 "{\"a\":-}",
                                 "{\"a\":tru}",
                                 "{\"a\":nulll}",
                                 "{\"a\":\"\\q\"}",
                                 "{\"a\":\"\\u12g4\"}",
                                 "{\"\\q\":1}",
                                 "{\"a\":[1,]}",
                                 "{\"a\":[1 2]}",
                                 "{\"a\":{\"b\":x}}",
                                 "{\"a\":\"\n\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(compact(text).starts_with('{'));
  }
  CHECK_FALSE(compact("{\"a\":" + nested(200) + "}").starts_with('{'));
  CHECK_FALSE(compact("{\"a\":" + nested(100000) + "}").starts_with('{'));
}

TEST_CASE("one object and nothing else") {
  CHECK(json::compact_object(" {\"a\": 1} ") == R"({"a":1})");
  for (const std::string text : {"", "{}{}", "{\"a\":1", "[]", "{} x", "\"x\""}) {
    CAPTURE(text);
    CHECK(json::compact_object(text).empty());
  }
}

TEST_CASE("members and elements of compact text") {
  std::vector<std::string> seen;
  json::each_member(R"({"a":"x,}\"","b":[1,{"c":[2]}],"d":-1e5,"e":{},"f":null})",
                    [&](std::string_view name, std::string_view value) {
                      seen.push_back(std::string(name) + " " + std::string(value));
                      return true;
                    });
  CHECK(seen ==
        std::vector<std::string>{R"(a "x,}\"")", R"(b [1,{"c":[2]}])", "d -1e5", "e {}", "f null"});
  seen.clear();
  json::each_element(R"([1,"]",[],{"a":[3]},null])", [&](std::string_view value) {
    seen.emplace_back(value);
    return seen.size() < 4;
  });
  CHECK(seen == std::vector<std::string>{"1", R"("]")", "[]", R"({"a":[3]})"});
  CHECK(json::each_element("{}", [](std::string_view) { return false; }));
  CHECK(json::each_member("[1]", [](std::string_view, std::string_view) { return false; }));
  CHECK(json::member_of(R"({"a":1,"b":2,"a":3})", "a") == "3");
  CHECK(json::member_of(R"({"a":1})", "b").empty());
}

TEST_CASE("append: strings and arrays are joined as they were written") {
  Tree text;
  text.append("null");
  text.append("\"\"");
  CHECK(written(text) == "\"\"");
  text.append(R"("\ud83c")");
  text.append("null");
  text.append(R"("\udf1e \"x\"")");
  CHECK(written(text) == R"("\ud83c\udf1e \"x\"")");
  CHECK(json::unescaped_text(text.text()) == "\xF0\x9F\x8C\x9E \"x\"");
  Tree list("[]");
  list.append("[1]");
  list.append("[]");
  list.append(R"([{"a":2},3])");
  CHECK(written(list) == R"([1,{"a":2},3])");
  CHECK(list.count() == 3);
  list.append("[4,5]");
  CHECK(written(list) == R"([1,{"a":2},3,4,5])");
  list.append("\"other\"");
  CHECK(written(list) == "\"other\"");
}

TEST_CASE("lone surrogates are replaced, pairs are not") {
  for (const auto& [before, after] :
       {std::pair(R"(["\ud83c\udf1e","\u00e9\n"])", R"(["\ud83c\udf1e","\u00e9\n"])"),
        std::pair(R"(["\ud83c","\udf1e"])", R"(["\ufffd","\ufffd"])"),
        std::pair(R"(["\uD83c\ud83c\udf1e\udf1e"])", R"(["\ufffd\ud83c\udf1e\ufffd"])"),
        std::pair(R"(["\\ud83c\\\ud83c"])", R"(["\\ud83c\\\ufffd"])"),
        std::pair(R"("\u0000")", R"("\u0000")")}) {
    std::string json = before;
    json::replace_lone_surrogates(json);
    CHECK(json == after);
  }
}

TEST_CASE("merge: objects by member, in the order in which they came; nothing is lost to null") {
  Tree tree(R"({"a":{"x":1,"y":[1]},"b":"set","a2":0})");
  tree.merge(R"({"b":null,"c":null,"a":{"y":[2],"z":{}}})");
  tree.merge(R"({"b":"","c":"","a2":7})");
  tree.merge("null");
  CHECK(written(tree) == R"({"a":{"x":1,"y":[2],"z":{}},"b":"set","a2":7,"c":""})");
  tree.merge("[1]");
  CHECK(written(tree) == "[1]");
  Tree duplicates(R"({"a":1,"b":2,"a":3})");
  CHECK(duplicates.find("b")->text() == "2");
  CHECK(duplicates.find("c") == nullptr);
  CHECK(written(duplicates) == R"({"a":3,"b":2})");
}

TEST_CASE("merge: what is too deep or too large is replaced") {
  const auto deep = [](int depth, const std::string& inner) {
    std::string out = inner;
    for (int i = 0; i < depth; ++i) {
      out = "{\"d\":" + out + "}";
    }
    return out;
  };
  Tree shallow(deep(Tree::deepest_merge - 1, R"({"a":1})"));
  shallow.merge(deep(Tree::deepest_merge - 1, R"({"b":2})"));
  CHECK(written(shallow) == deep(Tree::deepest_merge - 1, R"({"a":1,"b":2})"));
  Tree tree(deep(Tree::deepest_merge, R"({"a":1})"));
  tree.merge(deep(Tree::deepest_merge, R"({"b":2})"));
  CHECK(written(tree) == deep(Tree::deepest_merge, R"({"b":2})"));
  std::string large = "{";
  for (std::size_t i = 0; i <= Tree::most_members; ++i) {
    large += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
  }
  large += "}";
  Tree full(R"({"a":1})");
  full.merge(large);
  CHECK(written(full) == large);
  CHECK(full.member("a") == nullptr);
  CHECK(full.find("1") == nullptr);
  full.merge(R"({"a":2})");
  CHECK(written(full) == R"({"a":2})");
}

TEST_CASE("members and elements are added; what is neither becomes one") {
  Tree tree;
  CHECK(tree.null());
  tree.member("list")->add("1");
  tree.member("list")->add(Tree(R"({"a":2})"));
  tree.member("list")->element(1).member("b")->set("3");
  CHECK(written(tree) == R"({"list":[1,{"a":2,"b":3}]})");
  CHECK(tree.object());
  CHECK_FALSE(tree.null());
  CHECK(tree.find("list")->array());
  CHECK(tree.count() == 0);
  Tree text("\"x\"");
  CHECK(text.find("a") == nullptr);
  text.member("a");
  CHECK(written(text) == R"({"a":null})");
  Tree list;
  while (list.add("0") != nullptr) {
  }
  CHECK(list.count() == Tree::most_elements);
}
