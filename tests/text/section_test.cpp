#include "text/section.hpp"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>

using namespace understudy::text;
using namespace std::chrono_literals;

namespace {

KeyRow key_row(std::string_view name, std::string example) {
  KeyRow key(name, "string", "What it is.");
  key.example = std::move(example);
  return key;
}

const Schema& schema() {
  static const Schema all = [] {
    auto name = key_row("name", "\"a\"");
    name.required = true;
    return Schema({
        SectionRow(
            "all", "Everything.",
            {name, key_row("flag", "true"), key_row("wait", "\"3s\""), key_row("body", "\"1KiB\""),
             key_row("count", "2"), key_row("share", "0.5"), key_row("color", "\"red\""),
             key_row("inner", "{}"), key_row("list", "[{}]"), key_row("free", "{}")}),
        SectionRow("all.inner", "A table.", {key_row("key", "1")}),
    });
  }();
  return all;
}

/// Reads [all] of a text, and gives the errors.
template <class Read>
std::vector<std::string> errors_of(const std::string& keys, const Read& read) {
  const auto document = parse_toml("[all]\n" + keys);
  REQUIRE(std::holds_alternative<TomlNode>(document));
  Findings findings;
  const Section file(findings, schema(), "", std::get<TomlNode>(document));
  const auto section = file.table("all", "all");
  REQUIRE(section);
  read(*section);
  section->finish();
  file.finish();
  std::vector<std::string> lines;
  for (const auto& error : findings.take()) {
    lines.push_back(std::to_string(error.place.line) + ":" + std::to_string(error.place.column) +
                    " " + error.what + " | " + error.suggestion);
  }
  return lines;
}

using Lines = std::vector<std::string>;
constexpr std::array<std::string_view, 2> colors{"red", "green"};

}  // namespace

TEST_CASE("each type of value") {
  const auto errors = errors_of(
      "name = \"n\"\nflag = true\nwait = \"2m\"\nbody = \"2KiB\"\ncount = 7\nshare = 1\n"
      "color = \"green\"\ninner = {key = 1}\nlist = [{key = 1}, {key = 2}]\nfree = {x = 1}\n",
      [](const Section& section) {
        CHECK(section.text("name") == "n");
        CHECK(section.says("name", "n"));
        CHECK(section.flag("flag") == true);
        CHECK(section.duration("wait") == 2min);
        CHECK(section.size("body", 0, 4096) == 2048U);
        CHECK(section.whole("count", 0, 7) == 7);
        CHECK(section.share("share") == 1.0);
        CHECK(section.choice("color", colors) == 1U);
        CHECK(section.table("inner", "all.inner")->whole("key", 0, 1) == 1);
        CHECK(section.tables("list", "all.inner")->size() == 2);
        CHECK(section.list("list")->size() == 2);
        CHECK(section.entries("free")->front().key == "x");
        CHECK(section.place() == SourcePlace(1, 1));
        CHECK(section.place_of("count") == SourcePlace(6, 9));
        CHECK(section.has("count"));
      });
  CHECK(errors.empty());
}

TEST_CASE("absent keys give nothing, and only required ones are noted") {
  const auto errors = errors_of("", [](const Section& section) {
    CHECK_FALSE(section.text("name"));
    CHECK_FALSE(section.duration("wait"));
    CHECK_FALSE(section.table("inner", "all.inner"));
    CHECK(section.list("list") == nullptr);
    CHECK(section.lacks("wait"));
    CHECK(section.place_of("wait") == section.place());
  });
  CHECK(errors == Lines{"1:1 no `name` in [all] | write name = \"a\""});
}

TEST_CASE("wrong values: the place, what is wrong, and what to write") {
  const auto errors = errors_of(
      "name = 1\nflag = 1\nwait = 180\nbody = \"9KiB\"\ncount = 8\nshare = 1.5\n"
      "color = \"grene\"\ninner = 1\nlist = [1]\nfree = []\n",
      [](const Section& section) {
        CHECK_FALSE(section.text("name"));
        CHECK_FALSE(section.flag("flag"));
        CHECK_FALSE(section.duration("wait"));
        CHECK_FALSE(section.size("body", 0, 4096));
        CHECK_FALSE(section.whole("count", 0, 7));
        CHECK_FALSE(section.share("share"));
        CHECK_FALSE(section.choice("color", colors));
        CHECK_FALSE(section.table("inner", "all.inner"));
        CHECK(section.tables("list", "all.inner")->empty());
        CHECK(section.entries("free") == nullptr);
      });
  CHECK(errors == Lines{"2:8 `name` must be a string | write name = \"a\"",
                        "3:8 `flag` must be true or false | write flag = true",
                        "4:8 `wait` must be a string with a unit | write wait = \"180s\"",
                        "5:8 `body` must be from 0B to 4KiB | write body = \"1KiB\"",
                        "6:9 `count` must be from 0 to 7 | write count = 2",
                        "7:9 `share` must be from 0 to 1 | write share = 0.5",
                        "8:9 `color` cannot be \"grene\" | did you mean \"green\"?",
                        "9:9 `inner` must be a table | write inner = {}",
                        "10:9 `list` must hold nothing but tables | write list = [{}]",
                        "11:8 `free` must be a table | write free = {}"});
}

TEST_CASE("a misspelt key is noted once, not also as absent") {
  const auto errors = errors_of("nam = \"n\"\nzebra = 1\n", [](const Section& section) {
    CHECK_FALSE(section.lacks("name"));
    CHECK_FALSE(section.has("name"));
  });
  REQUIRE(errors.size() == 2);
  CHECK(errors[0] == "2:1 unknown key `nam` | did you mean `name`?");
  CHECK(errors[1].starts_with("3:1 unknown key `zebra` | keys here are `name`, "));
}

TEST_CASE("a key that the schema does not have is a bug of the reader") {
  errors_of("name = \"n\"\n", [](const Section& section) {
    CHECK_THROWS_AS(section.text("none"), std::logic_error);
  });
}

TEST_CASE("findings are bounded, and come in the order of the file") {
  Findings findings;
  CHECK(findings.empty());
  for (std::uint32_t line = 250; line > 0; --line) {
    findings.add(SourcePlace(line, 1), "wrong", "write it right");
  }
  CHECK(findings.full());
  const auto errors = findings.take();
  REQUIRE(errors.size() == Findings::most + 1);
  CHECK(errors.front().place.line == 51);
  CHECK(errors.back().what == "and 50 more");
}
