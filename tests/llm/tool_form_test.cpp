#include "understudy/llm/tool_form.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "../../lib/llm/custom_input.hpp"

namespace tool_form_test {

using namespace understudy::llm;

namespace {

/// The input, with the arguments in two pieces.
std::string cut(std::string_view arguments, std::size_t at) {
  understudy::llm::detail::CustomInput input;
  std::string out(input.add(arguments.substr(0, at)));
  out += input.add(arguments.substr(at));
  return out.append(input.end());
}

/// With the arguments in pieces of one byte.
std::string byte_by_byte(std::string_view arguments) {
  understudy::llm::detail::CustomInput input;
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    out += input.add(arguments.substr(i, 1));
  }
  return out.append(input.end());
}

struct Row {
  std::string_view arguments;
  std::string_view input;
};

constexpr Row rows[] = {
    {R"({"input":"x"})", "x"},
    {R"({"input":""})", ""},
    {" { \"input\" : \"x\" } \n", "x"},
    {R"({"input":"*** Begin Patch\n+say \"hi\"\t\\n\/\b\f\r\n"})",
     "*** Begin Patch\n+say \"hi\"\t\\n/\b\f\r\n"},
    {R"({"input":"caf\u00e9 \u20ac \ud83d\ude00 \u0041"})", "caf\u00e9 \u20ac \U0001F600 A"},
    {"{\"input\":\"caf\u00e9 \U0001F600\"}", "caf\u00e9 \U0001F600"},
    // Half a pair.
    {R"({"input":"a\ud83d b"})", "a\uFFFD b"},
    {R"({"input":"a\ude00"})", "a\uFFFD"},
    {R"({"input":"a\ud83d\ud83d\ude00"})", "a\uFFFD\U0001F600"},
    {R"({"input":"a\ud83d\n"})", "a\uFFFD\n"},
    {R"({"input":"a\ud83d"})", "a\uFFFD"},
    // Nothing was said.
    {"", ""},
    {"{}", ""},
    {" { } ", ""},
    // Cut off, at the token limit for instance.
    {R"({"inp)", ""},
    {R"({"input":"half of)", "half of"},
    {R"({"input":"half\)", "half\\"},
    {R"({"input":"half\u00)", "half\\u00"},
    {R"({"input":"half\ud83d)", "half\uFFFD"},
    // Escapes that JSON does not have.
    {R"({"input":"a\qb\u00zz\u0"})", R"(a\qb\u00zz\u0)"},
    // Something else than what was asked for: nothing is lost.
    {R"({"patch":"x"})", R"({"patch":"x"})"},
    {R"({"other":1,"input":"x"})", R"({"other":1,"input":"x"})"},
    {R"({"input":["x"]})", R"({"input":["x"]})"},
    {R"({"input":"x","why":"y"})", R"(x,"why":"y"})"},
    {R"({"in put":"x"})", R"({"in put":"x"})"},
    {R"({"input":"x"}})", R"(x}})"},
    {R"("x")", R"("x")"},
    {"*** Begin Patch", "*** Begin Patch"},
    {"null", "null"},
    {"{}x", "{}x"},
};

}  // namespace

TEST_CASE("the input of a custom call is the text in its arguments, however they are cut") {
  for (const auto& [arguments, input] : rows) {
    CAPTURE(arguments);
    CHECK(custom_input(arguments) == input);
    CHECK(byte_by_byte(arguments) == input);
    for (std::size_t at = 0; at <= arguments.size(); ++at) {
      CHECK(cut(arguments, at) == input);
    }
  }
}

TEST_CASE("text is said as soon as it comes") {
  understudy::llm::detail::CustomInput input;
  CHECK(input.add(R"({"input":"on)") == "on");
  CHECK(input.add(R"(e\)") == "e");
  CHECK(input.add(R"(ntwo\ud8)") == "\ntwo");
  CHECK(input.add(R"(3d\ude)").empty());
  CHECK(input.add(R"(00!)") == "\U0001F600!");
  CHECK(input.add(R"("})").empty());
  CHECK(input.end().empty());
}

TEST_CASE("arguments made of an input give it back") {
  for (const std::string_view text :
       {"", "x", "a \"b\"\n\\ \t caf\u00e9 \U0001F600", "{\"input\":\"x\"}"}) {
    CHECK(custom_input(custom_arguments(text)) == text);
  }
}

}  // namespace tool_form_test
