#include "../../tools/understudy/connect/json_settings.hpp"

#include <doctest/doctest.h>

#include "../../tools/understudy/connect/json_fault.hpp"
#include "text/json_valid.hpp"

namespace json_settings_test {

using namespace understudy;
using namespace understudy::tool;

namespace {

using Keep = Setting::Keep;

const std::vector<Setting> one{{{"env", "URL"}, "\"http://a\""}};

struct Row {
  const char* name;
  std::string before;
  std::vector<Setting> settings;
  std::string after;
};

}  // namespace

TEST_CASE("settings are added in the file's own style, and all else is kept byte for byte") {
  const std::vector<Row> rows{
      {"no file", "", one, "{\n  \"env\": {\n    \"URL\": \"http://a\"\n  }\n}\n"},
      {"an empty object", "{}", one, "{\n  \"env\": {\n    \"URL\": \"http://a\"\n  }\n}"},
      {"another member", "{\n    \"a\" : [1,2 , 3]\n}\n", one,
       "{\n    \"a\" : [1,2 , 3],\n    \"env\": {\n        \"URL\": \"http://a\"\n    }\n}\n"},
      {"tabs", "{\n\t\"env\": {\n\t\t\"A\": \"1\"\n\t}\n}", one,
       "{\n\t\"env\": {\n\t\t\"A\": \"1\",\n\t\t\"URL\": \"http://a\"\n\t}\n}"},
      {"on one line", R"({"env": {"A": "1"}, "b": 1e5})", one,
       R"({"env": {"A": "1", "URL": "http://a"}, "b": 1e5})"},
      {"lines of Windows", "{\r\n  \"env\": {\r\n    \"A\": \"1\"\r\n  }\r\n}", one,
       "{\r\n  \"env\": {\r\n    \"A\": \"1\",\r\n    \"URL\": \"http://a\"\r\n  }\r\n}"},
      {"another value", R"({"env":{"URL" : "http://b","\u0041":"\/"}})", one,
       R"({"env":{"URL" : "http://a","\u0041":"\/"}})"},
      {"an object in the way of none", R"({"env":{"URL":{"x":1}}})", one,
       R"({"env":{"URL":"http://a"}})"},
      {"repeated", R"({"env":{"URL":"b","URL":"c"}})", one,
       R"({"env":{"URL":"http://a","URL":"http://a"}})"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto edited = with_settings("f", row.before, row.settings);
    REQUIRE(edited.has_value());
    CHECK(*edited == row.after);
    CHECK(json::is_valid(*edited));
    CHECK(with_settings("f", *edited, row.settings).value() == *edited);
  }
}

TEST_CASE("what is there stays if it is the same, smaller, or the user's") {
  struct Kept {
    const char* there;
    const char* ours;
    Keep keep;
    bool stays;
  };
  const Kept rows[] = {
      {R"("http:\/\/a")", R"("http:\/\/a")", Keep::never, true},
      {R"([ {"id" : "a"} ])", R"([{"id": "a"}])", Keep::never, true},
      {R"("1")", R"("2")", Keep::never, false},
      {R"("100000")", R"("200000")", Keep::if_smaller, true},
      {R"("200000")", R"("200000")", Keep::if_smaller, true},
      {R"("400000")", R"("200000")", Keep::if_smaller, false},
      {R"("400k")", R"("200000")", Keep::if_smaller, false},
      {"150000", "200000", Keep::if_smaller, true},
      {"null", "200000", Keep::if_smaller, false},
      {R"("anything")", R"("ours")", Keep::if_there, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.there);
    const std::string before = std::string("{\"a\":") + row.there + "}";
    const std::string after = std::string("{\"a\":") + (row.stays ? row.there : row.ours) + "}";
    CHECK(with_settings("f", before, {{{"a"}, row.ours, row.keep}}).value() == after);
  }
}

TEST_CASE("a text that is not JSON is an error that says where and what to write") {
  struct Broken {
    std::string text;
    const char* error;
  };
  const Broken rows[] = {
      {"{\n  \"a\": 1,\n}", "f:2:9: a comma before a closing bracket"},
      {"{\n  // mine\n  \"a\": 1}", "f:2:3: a comment"},
      {"{\"a\": 1 /* mine */}", "f:1:9: a comment"},
      {"{\"a\": 1", "f:1:8: the text ends within a value"},
      {"{\"a\": \"open}\n", "f:1:7: "},
      {"{\"a\" 1}", "f:1:6: a member without a name"},
      {"{a: 1}", "f:1:2: a member without a name"},
      {"{\"a\": 1 \"b\": 2}", "f:1:9: no comma between two values"},
      {"{\"a\": [1}", "f:1:9: a bracket that closes none of its kind"},
      {"{\"a\": tru}", "f:1:7: not a JSON value"},
      {"{} {}", "f:1:4: something after the end"},
      {"\xef\xbb\xbf{}", "f:1:1: a byte order mark"},
      {"[1]", "f:1:1: is not a JSON object"},
      {"{\"env\": \"x\"}", "f:1:9: `env` is not an object: write {} in its place"},
      {"{\"env\": null}", "f:1:9: `env` is not an object"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto edited = with_settings("f", row.text, one);
    REQUIRE(edited.has_error());
    const auto error = to_string(edited.error());
    CAPTURE(error);
    CHECK(error.starts_with(row.error));
  }
}

TEST_CASE("every beginning of a valid text has a fault within it") {
  const std::string whole = R"({"a": [1, -2.5e3, {"b\"": null}], "c": "\u00e9", "d": {}, "e": []})";
  REQUIRE(!json_fault(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto part = whole.substr(0, size);
    CAPTURE(part);
    const auto fault = json_fault(part);
    REQUIRE(fault.has_value());
    CHECK(fault->place.line == 1);
    CHECK(fault->place.column <= size + 1);
    CHECK(!fault->suggestion.empty());
  }
}

TEST_CASE("a secret is not printed") {
  std::vector<Setting> settings{{{"env", "TOKEN"}, "\"sesame\""}};
  settings.front().secret("\"one of server.keys\"");
  const auto printed = printable(settings);
  CHECK(printed == "{\n  \"env\": {\n    \"TOKEN\": \"one of server.keys\"\n  }\n}\n");
  CHECK(with_settings("f", "", settings).value().find("sesame") != std::string::npos);
}

}  // namespace json_settings_test
