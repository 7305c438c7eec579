#include "understudy/text/json_writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace understudy;

TEST_CASE("objects, arrays and values, with the commas in the right places") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("name", "a").member("count", 2U).member("ratio", 0.5);
  json.key("list").begin_array().value(-1).value(true).null().begin_object().end_object();
  json.begin_array().end_array().raw("[1]").end_array();
  json.member("whole", 600'000.0)
      .member("not finite", std::numeric_limits<double>::infinity())
      .end_object();
  CHECK(
      out ==
      R"({"name":"a","count":2,"ratio":0.5,"list":[-1,true,null,{},[],[1]],"whole":600000,"not finite":null})");
}

TEST_CASE("strings are escaped, and valid UTF-8 whatever comes in") {
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
  };
  CHECK(escaped("\"\\\n\r\t\b\f\x01") == R"(\"\\\n\r\t\b\f\u0001)");
  CHECK(escaped("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x9A\xB0") ==
        "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x9A\xB0");
  // Alone, cut, overlong, a surrogate, beyond the last character.
  CHECK(escaped("a\x80z") == "a\xEF\xBF\xBDz");
  CHECK(escaped("a\xE2\x82") == "a\xEF\xBF\xBD");
  CHECK(escaped("\xC0\xAF").substr(0, 3) == "\xEF\xBF\xBD");
  CHECK(escaped("\xED\xA0\x80").substr(0, 3) == "\xEF\xBF\xBD");
  CHECK(escaped("\xF4\x90\x80\x80").substr(0, 3) == "\xEF\xBF\xBD");
}
